#include "runtime/daemon/tool/context.hpp"

#include <filesystem>
#include <map>
#include <sstream>

#include "runtime/config/toml.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::tool {

namespace {

constexpr const char* standard_endpoint = "127.0.0.1:7400";
constexpr std::size_t file_bytes_max = 64 << 10;

using Values = std::map<std::string, std::string>;

Result<void> check_name(const std::string& name, const std::string& where) {
  for (const char* known : {"endpoints", "token", "token_file", "ca"})
    if (name == known) return {};
  return fail(Errc::invalid_argument,
              where + ": there is no '" + name + "'; known are endpoints, token, token_file, ca");
}

// The members of context `name`; "" is the one at the top of the file.
Result<Values> read_context(const std::string& path, const std::string& name, bool required) {
  auto content = sys::read_file(path, file_bytes_max);
  if (!content) {
    if (required || content.error().code != Errc::not_found) return Failure{content.error()};
    return Values{};
  }
  TRY_ASSIGN(const auto settings, config::read_texts(path, *content));
  Values values;
  bool found = name.empty();
  for (const config::FileSetting& setting : settings) {
    const std::size_t dot = setting.name.find('.');
    const std::string section = dot == std::string::npos ? "" : setting.name.substr(0, dot);
    const std::string member =
        dot == std::string::npos ? setting.name : setting.name.substr(dot + 1);
    if (!setting.problem.empty())
      return fail(Errc::invalid_argument, setting.where + ": " + setting.problem);
    TRY(check_name(member, setting.where));
    if (section != name) continue;
    found = true;
    values[member] = setting.text;
  }
  if (!found) return fail(Errc::not_found, path + " has no context [" + name + "]");
  return values;
}

std::string expand_home(const std::string& path, const config::Settings& environment) {
  return path.starts_with("~/") ? variable(environment, "HOME") + path.substr(1) : path;
}

Result<std::string> read_token(const std::string& path) {
  TRY_ASSIGN(std::string text, sys::read_file(path, file_bytes_max));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty()) return fail(Errc::invalid_argument, path + " holds no token");
  return text;
}

// Takes "https://" as the wish for TLS.
Result<void> add_endpoints(const std::string& list, Context& context) {
  std::istringstream parts{list};
  for (std::string part; std::getline(parts, part, ',');) {
    part.erase(0, part.find_first_not_of(' '));
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (!part.starts_with(scheme)) continue;
      context.tls = context.tls || scheme == "https://";
      part.erase(0, scheme.size());
    }
    part.erase(part.find_last_not_of("/ ") + 1);
    if (part.empty()) continue;
    TRY_ASSIGN(config::Endpoint endpoint, config::parse_endpoint(part));
    context.endpoints.push_back(std::move(endpoint));
  }
  return {};
}

std::string first_of(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts)
    if (!text.empty()) return text;
  return {};
}

}  // namespace

std::string variable(const config::Settings& environment, std::string_view name) {
  for (const auto& [variable_name, value] : environment)
    if (variable_name == name) return value;
  return {};
}

std::string context_file(const config::Settings& environment) {
  const std::string named = variable(environment, "MAINSTAY_CONTEXT_FILE");
  if (!named.empty()) return named;
  const std::string base = variable(environment, "XDG_CONFIG_HOME");
  if (!base.empty()) return base + "/mainstay/context.toml";
  const std::string home = variable(environment, "HOME");
  return home.empty() ? "" : home + "/.config/mainstay/context.toml";
}

Result<Context> find_context(const ContextFlags& flags, const config::Settings& environment) {
  const std::string name = first_of({flags.context, variable(environment, "MAINSTAY_CONTEXT")});
  const std::string path = context_file(environment);
  Values file;
  if (!path.empty()) {
    TRY_ASSIGN(file, read_context(path, name, !name.empty()));
  }
  Context context;
  context.ca = expand_home(first_of({flags.ca, variable(environment, "MAINSTAY_CA"), file["ca"]}),
                           environment);
  context.tls = !context.ca.empty();
  std::string endpoints;
  for (const std::string& text : flags.endpoints) endpoints += text + ",";
  TRY(add_endpoints(first_of({endpoints, variable(environment, "MAINSTAY_ENDPOINTS"),
                              file["endpoints"], standard_endpoint}),
                    context));
  if (context.endpoints.empty()) return fail(Errc::invalid_argument, "no endpoint is given");
  // A token is taken from the first place that has one, as text or as a file.
  const std::pair<std::string, std::string> tokens[] = {
      {flags.token, flags.token_file},
      {variable(environment, "MAINSTAY_TOKEN"), variable(environment, "MAINSTAY_TOKEN_FILE")},
      {file["token"], file["token_file"]}};
  for (const auto& [text, from] : tokens) {
    context.token = text;
    if (text.empty() && !from.empty()) {
      TRY_ASSIGN(context.token, read_token(expand_home(from, environment)));
    }
    if (!context.token.empty()) break;
  }
  return context;
}

}  // namespace mainstay::tool
