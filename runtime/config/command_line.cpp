#include "runtime/config/command_line.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "runtime/config/options.hpp"

namespace mainstay::config {

namespace {

Result<std::string> read_file(const std::string& name) {
  std::ifstream file{name, std::ios::binary};
  std::ostringstream text;
  // A directory opens, but cannot be read.
  if (!file || !(text << file.rdbuf()))
    return fail(Errc::invalid_argument, name + ": the configuration file cannot be read");
  return std::move(text).str();
}

Invocation failed(const Error& error) {
  Invocation invocation;
  invocation.output = error.message + "\n";
  invocation.exit_code = exit_code_of(error.code);
  return invocation;
}

std::string help_of(const Option& option) {
  std::string text{option.sentence};
  if (!option.range.empty()) text += " Range: " + std::string{option.range} + ".";
  if (!option.default_text.empty()) text += " Default: " + std::string{option.default_text} + ".";
  return text;
}

std::string value_of(const Settings& environment, std::string_view variable) {
  for (const auto& [name, value] : environment)
    if (name == variable) return value;
  return {};
}

Result<Loaded> load_all(std::string file_name, const Settings& environment, Settings flags) {
  Sources sources;
  sources.flags = std::move(flags);
  sources.environment = environment;
  if (file_name.empty()) file_name = value_of(environment, "MAINSTAY_CONFIG");
  if (!file_name.empty()) {
    TRY_ASSIGN(sources.file_text, read_file(file_name));
    sources.file_name = file_name;
  }
  return load(sources);
}

}  // namespace

Invocation parse_command_line(const std::vector<std::string>& arguments,
                              const Settings& environment, const std::string& version) {
  CLI::App app{"mainstayd: a node of a Mainstay cluster", "mainstayd"};
  std::string file_name;
  bool check_only = false;
  bool print_example = false;
  app.add_option("--config", file_name, "The configuration file (TOML). Also: MAINSTAY_CONFIG.");
  app.add_flag("--check-config", check_only, "Check the configuration and exit.");
  app.add_flag("--example-config", print_example, "Print a commented example file and exit.");
  app.set_version_flag("--version", version);
  std::map<std::string_view, std::string> values;
  for (const Option& option : options())
    app.add_option(flag_name(option.name), values[option.name], help_of(option))
        ->type_name(std::string{to_string(option.kind)})
        ->group("Options, also in the file and as MAINSTAY_<OPTION>");
  std::vector<std::string> reversed{arguments.rbegin(), arguments.rend()};  // as CLI11 takes them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const int code = app.exit(error, out, err);
    Invocation invocation;
    invocation.output = code == 0 ? out.str() : err.str();
    invocation.exit_code = code == 0 ? 0 : exit_code_of(Errc::invalid_argument);
    return invocation;
  }
  Invocation invocation;
  if (print_example) {
    invocation.output = example_file();
    return invocation;
  }
  Settings flags;
  for (const Option& option : options())
    if (app.count(flag_name(option.name)) > 0) flags.emplace_back(option.name, values[option.name]);
  auto loaded = load_all(file_name, environment, std::move(flags));
  if (!loaded) return failed(loaded.error());
  if (check_only) {
    for (const std::string& warning : loaded->warnings)
      invocation.output += "warning: " + warning + "\n";
    invocation.output += "the configuration is valid\n";
    return invocation;
  }
  invocation.run = true;
  invocation.loaded = std::move(*loaded);
  return invocation;
}

Settings process_environment() {
  Settings settings;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text{*entry};
    const auto equals = text.find('=');
    if (equals != std::string::npos)
      settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return settings;
}

}  // namespace mainstay::config
