#include "runtime/daemon/tool/tool.hpp"

#include <ostream>
#include <sstream>

#include <boost/json.hpp>

#include "runtime/daemon/tool/commands.hpp"

namespace mainstay::tool {

namespace {

constexpr const char* standard_endpoint = "127.0.0.1:7400";

std::string endpoints_of_environment(const config::Settings& environment) {
  for (const auto& [name, value] : environment)
    if (name == "MAINSTAY_ENDPOINTS") return value;
  return {};
}

Result<std::vector<config::Endpoint>> endpoints_of(const Run& run) {
  std::string all;
  for (const std::string& text : run.endpoint_texts) all += text + ",";
  if (all.empty()) all = endpoints_of_environment(run.world.environment);
  if (all.empty()) all = standard_endpoint;
  std::vector<config::Endpoint> endpoints;
  std::istringstream parts{all};
  for (std::string part; std::getline(parts, part, ',');) {
    constexpr std::string_view scheme = "http://";
    if (part.starts_with(scheme)) part.erase(0, scheme.size());
    if (!part.empty() && part.back() == '/') part.pop_back();
    if (part.empty()) continue;
    TRY_ASSIGN(config::Endpoint endpoint, config::parse_endpoint(part));
    endpoints.push_back(std::move(endpoint));
  }
  if (endpoints.empty()) return fail(Errc::invalid_argument, "no endpoint is given");
  return endpoints;
}

int report(const Run& run, const Error& error) {
  if (run.json)
    run.world.err << boost::json::serialize(boost::json::object{{"error", to_string(error.code)},
                                                                {"message", error.message}})
                  << "\n";
  else
    run.world.err << "mainstay: " << error.message << " (" << to_string(error.code) << ")\n";
  return exit_code_of(error.code);
}

Result<int> act(Run& run) {
  TRY_ASSIGN(auto endpoints, endpoints_of(run));
  TRY_ASSIGN(const Millis deadline, config::parse_duration(run.deadline_text));
  if (deadline <= Millis{0}) return fail(Errc::invalid_argument, "--deadline must be more than 0");
  run.session.emplace(std::move(endpoints), deadline, run.world.clock);
  return run.action();
}

}  // namespace

int run(const std::vector<std::string>& arguments, const World& world, const std::string& version) {
  CLI::App app{
      "mainstay: looks at a Mainstay cluster and works with it.\n"
      "Exit codes: 0 done, 2 usage, 3 not found, 4 conflict, 5 busy or not ready, 6 outcome "
      "unknown, 7 refused, 1 anything else.",
      "mainstay"};
  Run run{world, {}, "10s", false, nullptr, std::nullopt};
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--endpoint", run.endpoint_texts,
                 "host:port of a node's API; may be repeated, they are tried in turn. Also: "
                 "MAINSTAY_ENDPOINTS, separated by commas. Default: 127.0.0.1:7400.")
      ->allow_extra_args(false);
  app.add_option("--deadline", run.deadline_text,
                 "How long the whole command may take, retries included.")
      ->capture_default_str();
  app.add_flag("--json", run.json, "Print JSON.");
  add_status_command(app, run);
  add_record_commands(app, run);
  add_cluster_commands(app, run);
  add_certs_commands(app, run);
  std::vector<std::string> reversed{arguments.rbegin(), arguments.rend()};  // as CLI11 takes them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, world.out, world.err);
    return code == 0 ? 0 : exit_code_of(Errc::invalid_argument);
  }
  auto done = act(run);
  return done ? *done : report(run, done.error());
}

}  // namespace mainstay::tool
