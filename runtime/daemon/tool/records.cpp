// get, put, delete, list, operation.
#include <fstream>
#include <istream>
#include <iterator>
#include <ostream>

#include <boost/json.hpp>

#include "runtime/base/limits.hpp"
#include "runtime/daemon/tool/commands.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

namespace json = boost::json;

namespace {

struct RecordOptions {
  std::string collection, key, value, file, operation, level = "linearizable", prefix, after;
  std::uint64_t version = 0, limit = 100;
  bool if_absent = false, if_exists = false, all = false;
};
using OptionsPtr = std::shared_ptr<RecordOptions>;

std::string target_of(const RecordOptions& options) {
  return "/v1/collections/" + http::percent_encode(options.collection) + "/records/" +
         http::percent_encode(options.key);
}

std::string header_of(const http::Reply& reply, std::string_view name) {
  return std::string{reply.headers.find(name).value_or("")};
}

Result<json::object> object_of(const http::Reply& reply) {
  json::error_code error;
  json::value value = json::parse(reply.body, error);
  if (error || !value.is_object())
    return fail(Errc::internal, "the node's answer is not a JSON object");
  return std::move(value.as_object());
}

Result<std::string> read_all(std::istream& in, const std::string& name) {
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad()) return fail(Errc::io_error, name + " cannot be read");
  return text;
}

Result<std::string> value_of(const Run& run, const RecordOptions& options) {
  if (!options.file.empty() && !options.value.empty())
    return fail(Errc::invalid_argument, "give the value or --file, not both");
  if (!options.file.empty()) {
    std::ifstream file{options.file, std::ios::binary};
    if (!file) return fail(Errc::invalid_argument, options.file + " cannot be opened");
    return read_all(file, options.file);
  }
  if (options.value == "-") return read_all(run.world.in, "standard input");
  if (options.value.empty())
    return fail(Errc::invalid_argument,
                "a value is required: JSON text, - for standard input, or --file");
  return options.value;
}

std::string new_operation_id(Random& random) {
  return "tool-" + hex_of({random.next(), random.next()});
}

// Sends the write under one operation id, whatever node takes it; prints its result.
Result<int> write(Run& run, http::Method method, RecordOptions options, std::string value) {
  if (options.operation.empty()) options.operation = new_operation_id(run.world.random);
  http::Call call{method, target_of(options)};
  call.headers.emplace_back("Idempotency-Key", options.operation);
  if (options.version != 0)
    call.headers.emplace_back("If-Match", "\"" + std::to_string(options.version) + "\"");
  if (options.if_exists) call.headers.emplace_back("If-Match", "*");
  if (options.if_absent) call.headers.emplace_back("If-None-Match", "*");
  if (method == http::Method::put) call.headers.emplace_back("Content-Type", "application/json");
  if (!value.empty()) call.body = Bytes{std::move(value)};
  auto reply = run.session->ask(call, Repeat::always);
  if (!reply && reply.error().code == Errc::outcome_unknown)
    return fail(Errc::outcome_unknown, reply.error().message +
                                           "; whether it was done is not known: ask `mainstay "
                                           "operation " +
                                           options.operation + "`, or repeat with --operation " +
                                           options.operation);
  if (!reply) return Failure{reply.error()};
  TRY_ASSIGN(json::object result, object_of(*reply));
  const bool replayed = !header_of(*reply, "Mainstay-Replayed").empty();
  result["replayed"] = replayed;
  if (run.json) {
    run.world.out << json::serialize(result) << "\n";
    return 0;
  }
  const bool created = method == http::Method::put && reply->status == 201;
  run.world.out << (method == http::Method::remove ? "deleted"
                    : created                      ? "created"
                                                   : "replaced")
                << " " << options.collection << "/" << options.key << ": version "
                << result["version"] << ", revision " << result["revision"]
                << (replayed ? " (done before under this operation id)" : "") << "\n";
  return 0;
}

Result<int> get(Run& run, const RecordOptions& options) {
  const http::Call call{http::Method::get, target_of(options) + "?level=" + options.level};
  TRY_ASSIGN(const http::Reply reply, run.session->ask(call, Repeat::always));
  if (!run.json) {
    run.world.out << reply.body << "\n";
    return 0;
  }
  const std::string etag = header_of(reply, "ETag");
  const std::string version = etag.size() > 2 ? etag.substr(1, etag.size() - 2) : "0";
  run.world.out << "{\"key\":" << json::serialize(json::string_view{options.key})
                << ",\"version\":" << version
                << ",\"revision\":" << header_of(reply, "Mainstay-Revision")
                << ",\"value\":" << reply.body << "}\n";
  return 0;
}

void print_record(const Run& run, const json::object& record) {
  if (run.json) {
    run.world.out << json::serialize(record) << "\n";
    return;
  }
  run.world.out << std::string_view{record.at("key").as_string()} << "\t" << record.at("version")
                << "\t" << record.at("revision") << "\t" << json::serialize(record.at("value"))
                << "\n";
}

Result<int> list(Run& run, const RecordOptions& options) {
  std::uint64_t left = options.all ? std::uint64_t(-1) : options.limit;
  std::string after = options.after;
  if (!run.json) run.world.out << "KEY\tVERSION\tREVISION\tVALUE\n";
  while (true) {
    const std::uint64_t page = std::min<std::uint64_t>(left, limits::list_records_max);
    http::Call call{http::Method::get,
                    "/v1/collections/" + http::percent_encode(options.collection) +
                        "/records?limit=" + std::to_string(page) + "&level=" + options.level};
    if (!options.prefix.empty()) call.target += "&prefix=" + http::percent_encode(options.prefix);
    if (!after.empty()) call.target += "&after=" + http::percent_encode(after);
    TRY_ASSIGN(const http::Reply reply, run.session->ask(call, Repeat::always));
    TRY_ASSIGN(const json::object body, object_of(reply));
    const json::array& records = body.at("records").as_array();
    for (const json::value& record : records) print_record(run, record.as_object());
    left -= std::min<std::uint64_t>(left, records.size());
    const json::string* next = body.at("next").if_string();
    if (next == nullptr) return 0;
    after = std::string_view{*next};
    if (left == 0) {
      if (!run.json) run.world.err << "there are more: --after '" << after << "', or --all\n";
      return 0;
    }
  }
}

Result<int> operation(Run& run, const RecordOptions& options) {
  const http::Call call{http::Method::get,
                        "/v1/operations/" + http::percent_encode(options.operation)};
  TRY_ASSIGN(const http::Reply reply, run.session->ask(call, Repeat::always));
  TRY_ASSIGN(const json::object body, object_of(reply));
  if (run.json) {
    run.world.out << json::serialize(body) << "\n";
    return 0;
  }
  const json::value* error = body.if_contains("error");
  run.world.out << std::string_view{body.at("state").as_string()};
  if (error != nullptr)
    run.world.out << ": " << std::string_view{error->as_string()};
  else
    run.world.out << ": version " << body.at("version") << ", revision " << body.at("revision");
  run.world.out << "\n";
  return 0;
}

CLI::App* record_command(CLI::App& app, const char* name, const char* text,
                         const OptionsPtr& options) {
  CLI::App* command = app.add_subcommand(name, text);
  command->add_option("collection", options->collection, "The collection")->required();
  command->add_option("key", options->key, "The record's key")->required();
  return command;
}

void add_write_options(CLI::App& command, const OptionsPtr& options) {
  command.add_option("--operation", options->operation,
                     "Operation id: repeating a command with it never does it twice.");
  command.add_option("--if-version", options->version, "Only over this version.")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t(-1)));
}

void add_level(CLI::App& command, const OptionsPtr& options) {
  command
      .add_option("--level", options->level, "linearizable, or local: what one node has applied.")
      ->check(CLI::IsMember({"linearizable", "local"}))
      ->capture_default_str();
}

}  // namespace

void add_record_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<RecordOptions>();
  const auto on = [&run](CLI::App* command, std::function<Result<int>()> action) {
    command->callback([&run, action = std::move(action)] { run.action = action; });
  };

  CLI::App* get_command = record_command(app, "get", "Print a record's value", options);
  add_level(*get_command, options);
  on(get_command, [&run, options] { return get(run, *options); });

  CLI::App* put_command = record_command(app, "put", "Create or replace a record", options);
  put_command->add_option("value", options->value, "JSON text; - reads standard input");
  put_command->add_option("--file", options->file, "Read the value from a file");
  put_command->add_flag("--if-absent", options->if_absent, "Only if there is no such record.");
  put_command->add_flag("--if-exists", options->if_exists, "Only over an existing record.");
  add_write_options(*put_command, options);
  on(put_command, [&run, options]() -> Result<int> {
    TRY_ASSIGN(std::string value, value_of(run, *options));
    return write(run, http::Method::put, *options, std::move(value));
  });

  CLI::App* delete_command = record_command(app, "delete", "Delete a record", options);
  add_write_options(*delete_command, options);
  on(delete_command, [&run, options] { return write(run, http::Method::remove, *options, ""); });

  CLI::App* list_command = app.add_subcommand("list", "List records in key order");
  list_command->add_option("collection", options->collection, "The collection")->required();
  list_command->add_option("--prefix", options->prefix, "Only keys that start with this.");
  list_command->add_option("--after", options->after, "Only keys greater than this.");
  list_command->add_option("--limit", options->limit, "At most this many.")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t(-1)))
      ->capture_default_str();
  list_command->add_flag("--all", options->all, "Without a limit.");
  add_level(*list_command, options);
  on(list_command, [&run, options] { return list(run, *options); });

  CLI::App* operation_command = app.add_subcommand("operation", "Tell what became of a write");
  operation_command->add_option("id", options->operation, "The operation id")->required();
  on(operation_command, [&run, options] { return operation(run, *options); });
}

}  // namespace mainstay::tool
