// get, put, patch, delete.
#include <ostream>

#include "runtime/daemon/tool/commands.hpp"

namespace mainstay::tool {

namespace {

struct RecordOptions {
  std::string collection, key, value, file, operation, level = "linearizable";
  std::uint64_t version = 0, revision = 0;
  bool if_absent = false, if_exists = false;
};
using OptionsPtr = std::shared_ptr<RecordOptions>;

std::string name_of(const RecordOptions& options) {
  return options.collection + "/" + options.key;
}

// "replace orders/A-1, which is at version 3", as far as one read can tell.
Result<int> plan_write(Run& run, http::Method method, const RecordOptions& options) {
  auto reply =
      run.ask(http::Call{http::Method::get, record_target(options.collection, options.key)});
  const bool absent = !reply && reply.error().code == Errc::not_found;
  if (!reply && !absent) return Failure{reply.error()};
  if (absent && method != http::Method::put) return Failure{reply.error()};
  const std::string verb = method == http::Method::remove  ? "delete "
                           : method == http::Method::patch ? "change "
                           : absent                        ? "create "
                                                           : "replace ";
  return tell_plan(run, verb + name_of(options) +
                            (absent ? "" : ", which is at version " + header_of(*reply, "ETag")));
}

Result<int> write(Run& run, http::Method method, const RecordOptions& options, std::string value) {
  if (run.plan) return plan_write(run, method, options);
  Write write{method, record_target(options.collection, options.key), std::move(value), "",
              options.operation};
  if (options.version != 0)
    write.headers.emplace_back("If-Match", "\"" + std::to_string(options.version) + "\"");
  if (options.if_exists) write.headers.emplace_back("If-Match", "*");
  if (options.if_absent) write.headers.emplace_back("If-None-Match", "*");
  if (method == http::Method::put) write.content_type = "application/json";
  if (method == http::Method::patch) write.content_type = "application/merge-patch+json";
  TRY_ASSIGN(const http::Reply reply, send_write(run, std::move(write)));
  TRY_ASSIGN(json::Value result, object_of(reply));
  const bool replayed = !header_of(reply, "Mainstay-Replayed").empty();
  result.set("replayed", json::Value::boolean(replayed));
  const bool created = method == http::Method::put && reply.status == 201;
  const std::string verb = method == http::Method::remove  ? "deleted "
                           : method == http::Method::patch ? "changed "
                           : created                       ? "created "
                                                           : "replaced ";
  return print(run, result,
               verb + name_of(options) + ": version " + cell_of(result.find("version")) +
                   ", revision " + cell_of(result.find("revision")) +
                   (replayed ? " (done before under this operation id)" : ""));
}

Result<int> get(Run& run, const RecordOptions& options) {
  http::Call call{http::Method::get,
                  record_target(options.collection, options.key) + "?level=" + options.level};
  if (options.revision != 0) call.target += "&revision=" + std::to_string(options.revision);
  TRY_ASSIGN(const http::Reply reply, run.ask(call));
  if (!run.json) {
    run.world.out << reply.body << "\n";
    return 0;
  }
  const std::string etag = header_of(reply, "ETag");
  const std::string version = etag.size() > 2 ? etag.substr(1, etag.size() - 2) : "0";
  std::string key;
  json::append_string(key, options.key);
  run.world.out << "{\"key\":" << key << ",\"version\":" << version
                << ",\"revision\":" << header_of(reply, "Mainstay-Revision")
                << ",\"value\":" << reply.body << "}\n";
  return 0;
}

CLI::App* record_command(CLI::App& app, const char* name, const char* text,
                         const OptionsPtr& options) {
  CLI::App* command = app.add_subcommand(name, text);
  command->add_option("collection", options->collection, "The collection")->required();
  command->add_option("key", options->key, "The record's key")->required();
  return command;
}

void add_value(CLI::App& command, const OptionsPtr& options) {
  command.add_option("value", options->value, "JSON text; - reads standard input");
  command.add_option("--file", options->file, "Read the value from a file");
}

void add_write_options(Run& run, CLI::App* command, const OptionsPtr& options) {
  command->add_option("--operation", options->operation,
                      "Operation id: repeating a command with it never does it twice.");
  command->add_option("--if-version", options->version, "Only over this version.")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t(-1)));
  add_plan(run, command);
}

}  // namespace

void add_record_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<RecordOptions>();
  CLI::App* get_command = record_command(app, "get", "Print a record's value", options);
  get_command
      ->add_option("--level", options->level, "linearizable, or local: what one node has applied.")
      ->check(CLI::IsMember({"linearizable", "local"}))
      ->capture_default_str();
  get_command->add_option("--revision", options->revision, "As it was at this revision.");
  on(run, get_command, [&run, options] { return get(run, *options); });

  const auto write_value = [&run, options](http::Method method) -> Result<int> {
    TRY_ASSIGN(std::string value, value_of(run, options->value, options->file));
    return write(run, method, *options, std::move(value));
  };
  CLI::App* put_command = record_command(app, "put", "Create or replace a record", options);
  add_value(*put_command, options);
  put_command->add_flag("--if-absent", options->if_absent, "Only if there is no such record.");
  put_command->add_flag("--if-exists", options->if_exists, "Only over an existing record.");
  add_write_options(run, put_command, options);
  on(run, put_command, [write_value] { return write_value(http::Method::put); });

  CLI::App* patch_command =
      record_command(app, "patch", "Change members of a record (RFC 7396)", options);
  add_value(*patch_command, options);
  add_write_options(run, patch_command, options);
  on(run, patch_command, [write_value] { return write_value(http::Method::patch); });

  CLI::App* delete_command = record_command(app, "delete", "Delete a record", options);
  add_write_options(run, delete_command, options);
  on(run, delete_command,
     [&run, options] { return write(run, http::Method::remove, *options, ""); });
}

}  // namespace mainstay::tool
