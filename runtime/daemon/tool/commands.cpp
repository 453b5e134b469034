#include "runtime/daemon/tool/commands.hpp"

#include <fstream>
#include <istream>
#include <iterator>
#include <ostream>

#include "runtime/base/limits.hpp"
#include "runtime/daemon/tool/print.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

Result<Session*> Run::session() {
  if (opened == nullptr) {
    TRY_ASSIGN(Context context, find_context(flags, world.environment));
    TRY_ASSIGN(const Millis deadline, config::parse_duration(deadline_text));
    if (deadline <= Millis{0})
      return fail(Errc::invalid_argument, "--deadline must be more than 0");
    TRY_ASSIGN(opened, Session::open(std::move(context), deadline, world.clock, world.pause));
  }
  return opened.get();
}

Result<http::Reply> Run::ask(const http::Call& call, Repeat repeat, Millis window_max) {
  TRY_ASSIGN(Session * chosen, session());
  return chosen->ask(call, repeat, window_max);
}

Result<json::Value> Run::get(const std::string& target) {
  TRY_ASSIGN(const http::Reply reply, ask(http::Call{http::Method::get, target}));
  return object_of(reply);
}

void on(Run& run, CLI::App* command, std::function<Result<int>()> action) {
  command->callback([&run, action = std::move(action)] { run.action = action; });
}

void add_plan(Run& run, CLI::App* command) {
  command->add_flag("--plan", run.plan, "Only tell what would happen; change nothing.");
}

int tell_plan(const Run& run, const std::string& what) {
  return print(run, json::Value::object({{"plan", text(what)}}), "would " + what);
}

int print(const Run& run, const json::Value& document, const std::string& text) {
  run.world.out << (run.json ? json::to_text(document) : text) << "\n";
  return 0;
}

int print_rows(const Run& run, const json::Array& documents, const std::vector<Column>& columns) {
  if (run.json) {
    for (const json::Value& document : documents) run.world.out << json::to_text(document) << "\n";
    return 0;
  }
  std::vector<Row> rows(1);
  for (const Column& column : columns) rows[0].push_back(column.title);
  for (const json::Value& document : documents) {
    Row row;
    for (const Column& column : columns) row.push_back(cell_of(document.find(column.member)));
    rows.push_back(std::move(row));
  }
  run.world.out << table_text(rows);
  return 0;
}

std::string new_operation_id(const Run& run) {
  return "tool-" + hex_of({run.world.random.next(), run.world.random.next()});
}

Result<http::Reply> send_write(Run& run, Write write) {
  if (write.operation.empty()) write.operation = new_operation_id(run);
  http::Call call{write.method, std::move(write.target), std::move(write.headers)};
  call.headers.emplace_back("Idempotency-Key", write.operation);
  if (!write.content_type.empty()) call.headers.emplace_back("Content-Type", write.content_type);
  if (!write.body.empty()) call.body = Bytes{std::move(write.body)};
  auto reply = run.ask(call);
  if (!reply && reply.error().code == Errc::outcome_unknown)
    return fail(Errc::outcome_unknown, reply.error().message +
                                           "; whether it was done is not known: ask `mainstay "
                                           "operation " +
                                           write.operation + "`, or repeat with --operation " +
                                           write.operation);
  return reply;
}

Result<bool> each_item(Run& run, const std::string& target, const std::string& member,
                       const std::string& after,
                       const std::function<bool(const json::Value&)>& take) {
  const char first = target.find('?') == std::string::npos ? '?' : '&';
  std::string place = after;
  while (true) {
    TRY_ASSIGN(
        const json::Value page,
        run.get(place.empty() ? target : target + first + "after=" + http::percent_encode(place)));
    const json::Array& items = items_at(page, member);
    place = text_at(page, "next");
    for (const json::Value& item : items)
      if (!take(item)) return &item != &items.back() || !place.empty();
    if (place.empty()) return false;
  }
}

namespace {

Result<std::string> read_all(std::istream& in, const std::string& name) {
  std::string content{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad()) return fail(Errc::io_error, name + " cannot be read");
  return content;
}

}  // namespace

Result<std::string> value_of(const Run& run, const std::string& value, const std::string& file) {
  if (!file.empty() && !value.empty())
    return fail(Errc::invalid_argument, "give the value or --file, not both");
  if (!file.empty()) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) return fail(Errc::invalid_argument, file + " cannot be opened");
    return read_all(stream, file);
  }
  if (value == "-") return read_all(run.world.in, "standard input");
  if (value.empty())
    return fail(Errc::invalid_argument,
                "a value is required: JSON text, - for standard input, or --file");
  return value;
}

std::string header_of(const http::Reply& reply, std::string_view name) {
  return std::string{reply.headers.find(name).value_or("")};
}

std::string collection_target(const std::string& collection) {
  return "/v1/collections/" + http::percent_encode(collection);
}

std::string record_target(const std::string& collection, const std::string& key) {
  return collection_target(collection) + "/records/" + http::percent_encode(key);
}

}  // namespace mainstay::tool
