// Records, lists of records, and what became of an operation.
#include <algorithm>

#include "runtime/api/context.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Request;
using http::Responder;
using http::Response;

// A page ends at these, so that one request can neither hold a view for long nor fill memory.
constexpr std::size_t page_bytes_max = 4 * limits::mib;
constexpr std::size_t page_scanned_max = 20'000;  // tombstones included

// Reads one view on the HTTP thread and answers from it.
using Reading = std::function<Response(const record::StateReader& view)>;

void read_view(const ContextPtr& context, const Responder& responder, const std::string& instance,
               const Reading& reading) {
  auto view = context->backend.view();
  responder.answer(view ? reading(**view) : failure_response(view.error(), "", instance));
}

// Waits until the view shows what `level` promises, then reads.
void read_at(const ContextPtr& context, const Request& request, ReadLevel level,
             const Responder& responder, Reading reading) {
  const std::string instance{request.path()};
  auto deadline = deadline_of(request, context->options.deadline_default);
  if (!deadline) {
    responder.answer(failure_response(deadline.error(), "", instance));
    return;
  }
  context->backend.read_barrier(
      level, context->clock.monotonic() + *deadline,
      [context, responder, instance, reading = std::move(reading)](const Result<void>& ready) {
        if (!ready) {
          responder.answer(failure_response(ready.error(), "", instance));
          return;
        }
        responder.post([context, responder, instance, reading] {
          read_view(context, responder, instance, reading);
        });
      });
}

record::Command command_of(const Request& request, record::CommandKind kind) {
  record::Command command;
  command.kind = kind;
  command.collection = request.captures.at(0);
  command.key = request.captures.at(1);
  return command;
}

// Names of a read, checked as those of a command are.
Result<void> check_names(const std::string& collection, const std::string& key) {
  record::Command probe;
  probe.kind = record::CommandKind::remove;
  probe.operation = "-";
  probe.collection = collection;
  probe.key = key;
  return record::validate(probe);
}

// Everything a write needs, checked: nothing is proposed that could be refused here.
struct Write {
  record::Command command;
  Millis deadline;
};

Result<Write> write_of(const Context& context, const Request& request) {
  const bool put = request.method == http::Method::put;
  TRY(check_query(request, {}));
  record::Command command =
      command_of(request, put ? record::CommandKind::put : record::CommandKind::remove);
  TRY_ASSIGN(const Millis deadline, deadline_of(request, context.options.deadline_default));
  TRY_ASSIGN(command.condition, condition_of(request));
  if (put) {
    TRY(check_json(request));
    command.value = request.body;
  } else if (!request.body.empty()) {
    return fail(Errc::invalid_argument, "DELETE takes no body");
  }
  command.request_hash = request_hash(request.method, command);
  TRY_ASSIGN(auto operation, operation_of(request));
  command.operation = operation ? std::move(*operation) : context.backend.make_operation_id();
  TRY(record::validate(command));
  return Write{std::move(command), deadline};
}

void write_record(const ContextPtr& context, const Request& request, const Responder& responder) {
  const std::string instance{request.path()};
  auto write = write_of(*context, request);
  if (!write) {
    responder.answer(failure_response(write.error(), "", instance));
    return;
  }
  const std::string operation = write->command.operation;
  context->backend.submit(
      std::move(write->command), context->clock.monotonic() + write->deadline,
      [responder, operation, instance](const Result<record::Outcome>& outcome) {
        responder.answer(outcome ? outcome_response(*outcome, operation, instance)
                                 : failure_response(outcome.error(), operation, instance));
      });
}

// If-None-Match on a read: the client has this version already.
bool has_version(const record::Condition& condition, record::Version version) {
  const auto& versions = condition.version_is_not;
  return condition.must_be_absent ||
         std::find(versions.begin(), versions.end(), version) != versions.end();
}

Response record_response(const std::optional<record::Record>& record,
                         const record::Command& command, const std::string& instance) {
  if (!record || record->tombstone)
    return failure_response(Error{Errc::not_found, "collection '" + command.collection +
                                                       "' holds no record '" + command.key + "'"},
                            "", instance);
  const record::Condition& condition = command.condition;
  Response response;
  if (condition.version_is && *condition.version_is != record->version) {
    response = failure_response(
        Error{Errc::precondition_failed, "the record is at another version than If-Match asks for"},
        "", instance);
  } else if (has_version(condition, record->version)) {
    response.status = 304;
  } else {
    response.content_type = "application/json";
    response.body = record->value;
  }
  response.headers.emplace_back("ETag", etag_of(record->version));
  response.headers.emplace_back(revision_header, std::to_string(record->revision));
  return response;
}

void read_record(const ContextPtr& context, const Request& request, const Responder& responder) {
  const std::string instance{request.path()};
  auto parts = [&]() -> Result<std::pair<record::Command, ReadLevel>> {
    TRY(check_query(request, {"level"}));
    TRY_ASSIGN(const ReadLevel level, level_of(request));
    record::Command command = command_of(request, record::CommandKind::remove);
    TRY(check_names(command.collection, command.key));
    TRY_ASSIGN(command.condition, condition_of(request));
    return std::make_pair(std::move(command), level);
  }();
  if (!parts) {
    responder.answer(failure_response(parts.error(), "", instance));
    return;
  }
  read_at(context, request, parts->second, responder,
          [command = std::move(parts->first), instance](const record::StateReader& view) {
            return record_response(view.find_record(command.collection, command.key), command,
                                   instance);
          });
}

struct ListRequest {
  std::string collection, prefix, after;
  std::size_t limit = 0;
  ReadLevel level = ReadLevel::linearizable;
};

Result<ListRequest> list_request_of(const Request& request) {
  TRY(check_query(request, {"prefix", "after", "limit", "level"}));
  ListRequest list;
  // The prefix and the position are keys as far as their form goes.
  for (auto [name, target] : {std::pair{"prefix", &list.prefix}, {"after", &list.after}}) {
    const std::string* value = request.parameter(name);
    if (value == nullptr) continue;
    if (value->size() > limits::record_key_bytes_max)
      return fail(Errc::invalid_argument, std::string{name} + " is longer than any key");
    *target = *value;
  }
  list.collection = request.captures.at(0);
  TRY(check_names(list.collection, "-"));
  TRY_ASSIGN(list.limit, limit_of(request));
  TRY_ASSIGN(list.level, level_of(request));
  return list;
}

Response list_response(const ListRequest& list, const record::StateReader& view) {
  std::string body = "{\"records\":[";
  std::string last;
  std::size_t found = 0, scanned = 0;
  bool more = false;
  view.scan_records(
      list.collection, list.prefix, list.after,
      [&](std::string_view key, const record::Record& record) {
        if (found == list.limit || scanned == page_scanned_max || body.size() >= page_bytes_max) {
          more = true;
          return false;
        }
        ++scanned;
        last = key;
        if (record.tombstone) return true;
        body += found++ == 0 ? "{\"key\":" : ",{\"key\":";
        body += json_string(key);
        body += ",\"version\":" + std::to_string(record.version);
        body += ",\"revision\":" + std::to_string(record.revision);
        body += ",\"value\":";
        body += record.value.view();
        body += '}';
        return true;
      });
  body += "],\"next\":" + (more ? json_string(last) : "null") + "}";
  Response response = http::json_response(200, std::move(body));
  response.headers.emplace_back(revision_header, std::to_string(view.counters().revision));
  return response;
}

void list_records(const ContextPtr& context, const Request& request, const Responder& responder) {
  auto list = list_request_of(request);
  if (!list) {
    responder.answer(failure_response(list.error(), "", std::string{request.path()}));
    return;
  }
  const ReadLevel level = list->level;
  read_at(context, request, level, responder,
          [list = std::move(*list)](const record::StateReader& view) {
            return list_response(list, view);
          });
}

// Always linearizable: an operation that is not found then has not happened, though a copy of the
// request may still be under way.
void read_operation(const ContextPtr& context, const Request& request, const Responder& responder) {
  const std::string instance{request.path()};
  if (auto query = check_query(request, {}); !query) {
    responder.answer(failure_response(query.error(), "", instance));
    return;
  }
  read_at(context, request, ReadLevel::linearizable, responder,
          [id = request.captures.at(0), instance](const record::StateReader& view) {
            const auto operation = view.find_operation(id);
            if (operation) return http::json_response(200, operation_json(id, *operation));
            return failure_response(
                Error{Errc::not_found,
                      "no operation of the deduplication window has this id: it "
                      "has not been carried out, or longer ago than 48 hours"},
                "", instance);
          });
}

}  // namespace

void add_record_routes(http::Router& router, const ContextPtr& context) {
  const auto handle = [&](auto function) {
    return [context, function](Request& request, const Responder& responder) {
      function(context, request, responder);
    };
  };
  constexpr std::string_view record_path = "/v1/collections/{collection}/records/{key}";
  router.add(http::Method::put, record_path, handle(write_record));
  router.add(http::Method::get, record_path, handle(read_record));
  router.add(http::Method::remove, record_path, handle(write_record));
  router.add(http::Method::get, "/v1/collections/{collection}/records", handle(list_records));
  router.add(http::Method::get, "/v1/operations/{operation}", handle(read_operation));
}

}  // namespace mainstay::api
