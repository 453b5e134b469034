// op status, op fence; `operation` is the older name of the first.
#include "runtime/daemon/tool/commands.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

namespace {

std::string target_of(const std::string& id) {
  return "/v1/operations/" + http::percent_encode(id);
}

int print_operation(const Run& run, const json::Value& operation) {
  std::string text = text_at(operation, "state");
  const std::string error = text_at(operation, "error"), detail = text_at(operation, "detail");
  if (!error.empty()) text += ": " + error;
  if (!detail.empty()) text += ": " + detail;
  const json::Array& results = items_at(operation, "results");
  if (!results.empty()) text += ": version " + cell_of(results.front().find("version"));
  if (results.size() > 1) text += " and " + std::to_string(results.size() - 1) + " more";
  if (number_at(operation, "revision") != 0)
    text += (results.empty() ? ": revision " : ", revision ") + cell_of(operation.find("revision"));
  return print(run, operation, text);
}

Result<int> status(Run& run, const std::string& id) {
  TRY_ASSIGN(const json::Value operation, run.get(target_of(id)));
  return print_operation(run, operation);
}

Result<int> fence(Run& run, const std::string& id) {
  if (run.plan) {
    auto known = run.get(target_of(id));
    if (known) return tell_plan(run, "change nothing: it is " + text_at(*known, "state"));
    if (known.error().code != Errc::not_found) return Failure{known.error()};
    return tell_plan(run, "make sure that operation " + id + " never runs");
  }
  const http::Call call{http::Method::post, target_of(id) + "/fence"};
  TRY_ASSIGN(const http::Reply reply, run.ask(call));
  TRY_ASSIGN(const json::Value operation, object_of(reply));
  return print_operation(run, operation);
}

}  // namespace

void add_operation_commands(CLI::App& app, Run& run) {
  const auto id = std::make_shared<std::string>();
  const auto named = [&](CLI::App& parent, const char* name, const char* text) {
    CLI::App* command = parent.add_subcommand(name, text);
    command->add_option("id", *id, "The operation id")->required();
    return command;
  };
  CLI::App* op = app.add_subcommand("op", "What became of a write, and making sure");
  op->require_subcommand(1);
  op->fallthrough();
  on(run, named(*op, "status", "Tell what became of a write"),
     [&run, id] { return status(run, *id); });
  CLI::App* fence_command =
      named(*op, "fence", "Make sure that a write never happens, unless it did");
  add_plan(run, fence_command);
  on(run, fence_command, [&run, id] { return fence(run, *id); });
  on(run, named(app, "operation", "The same as op status"),
     [&run, id] { return status(run, *id); });
}

}  // namespace mainstay::tool
