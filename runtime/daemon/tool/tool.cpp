#include "runtime/daemon/tool/tool.hpp"

#include <ostream>
#include <thread>

#include "runtime/daemon/tool/commands.hpp"

namespace mainstay::tool {

namespace {

int report(const Run& run, const Error& error) {
  if (run.json)
    run.world.err << json::to_text(json::Value::object({{"error", text(to_string(error.code))},
                                                        {"message", text(error.message)}}))
                  << "\n";
  else
    run.world.err << "mainstay: " << error.message << " (" << to_string(error.code) << ")\n";
  return exit_code_of(error.code);
}

void add_context_options(CLI::App& app, Run& run) {
  app.add_option("--endpoint", run.flags.endpoints,
                 "host:port of a node's API, or https://host:port; may be repeated, they are tried "
                 "in turn. Also: MAINSTAY_ENDPOINTS, separated by commas. Default: "
                 "127.0.0.1:7400.")
      ->allow_extra_args(false);
  app.add_option(
      "--context", run.flags.context,
      "A [section] of ~/.config/mainstay/context.toml, which holds endpoints, token_file "
      "and ca. Also: MAINSTAY_CONTEXT.");
  app.add_option("--token-file", run.flags.token_file,
                 "A file with the token. Also: MAINSTAY_TOKEN_FILE, or MAINSTAY_TOKEN with the "
                 "token itself.");
  app.add_option("--ca", run.flags.ca,
                 "Authority (PEM) that signed the nodes' API certificates; the endpoints are taken "
                 "for https. Also: MAINSTAY_CA.");
  app.add_option("--deadline", run.deadline_text,
                 "How long the command, or each request of a long one, may take, retries included.")
      ->capture_default_str();
  app.add_flag("--json", run.json, "Print JSON.");
}

void add_commands(CLI::App& app, Run& run) {
  for (const auto add : {add_status_command,       add_doctor_command,     add_collection_commands,
                         add_record_commands,      add_list_commands,      add_watch_command,
                         add_transaction_commands, add_ledger_commands,    add_operation_commands,
                         add_import_command,       add_export_command,     add_cluster_commands,
                         add_token_commands,       add_certs_commands,     add_bench_command,
                         add_torture_command,      add_debug_commands,     add_flow_commands,
                         add_map_commands,         add_completion_commands})
    add(app, run);
}

}  // namespace

void wait_for(Millis time) {
  std::this_thread::sleep_for(time);
}

int run(const std::vector<std::string>& arguments, const World& world, const std::string& version) {
  CLI::App app{
      "mainstay: looks at a Mainstay cluster and works with it.\n"
      "Exit codes: 0 done, 2 usage, 3 not found, 4 conflict, 5 busy or not ready, 6 outcome "
      "unknown, 7 refused, 1 anything else.",
      "mainstay"};
  Run run{world, version};
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  app.fallthrough();
  add_context_options(app, run);
  add_commands(app, run);
  std::vector<std::string> reversed{arguments.rbegin(), arguments.rend()};  // as CLI11 takes them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, world.out, world.err);
    return code == 0 ? 0 : exit_code_of(Errc::invalid_argument);
  }
  auto done = run.action();
  return done ? *done : report(run, done.error());
}

}  // namespace mainstay::tool
