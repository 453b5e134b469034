// Documents: put, patch, delete, read now or as of a revision, lists.
#include <algorithm>

#include "runtime/api/index_query.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/writing.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Request;
using http::Response;
using record::ActionKind;

constexpr std::string_view list_path = "/v1/collections/{collection}/records";
constexpr std::string_view record_path = "/v1/collections/{collection}/records/{key}";

ActionKind action_kind_of(Method method) {
  if (method == Method::put) return ActionKind::put;
  return method == Method::patch ? ActionKind::patch : ActionKind::remove;
}

// Everything a write needs, checked: nothing is proposed that could be refused here.
Result<Write> write_of(const Call& call) {
  const Request& request = call.request;
  TRY(check_query(request, {}));
  record::Action action;
  action.kind = action_kind_of(request.method);
  action.collection = request.captures.at(0);
  action.key = request.captures.at(1);
  TRY(check_writable(action.collection));
  TRY_ASSIGN(record::Condition condition, condition_of(request));
  if (action.kind == ActionKind::remove) {
    TRY(check_no_body(request));
  } else {
    TRY(check_value(request, action.kind == ActionKind::patch ? merge_patch_type : ""));
    action.value = request.body;
  }
  const Hash128 hash = request_hash({"record", to_string(request.method), action.collection,
                                     action.key, action.value.view(), text_of(condition)});
  Write write;
  write.command = record::single(std::move(action), std::move(condition));
  write.command.request_hash = hash;
  TRY_ASSIGN(write.command.operation, operation_for(call));
  return write;
}

void write_record(const CallPtr& call) {
  auto write = write_of(*call);
  if (!write) return call->refuse(write.error());
  submit(call, std::move(*write), written_response);
}

struct ReadRequest {
  std::string collection, key;
  record::Condition condition;
  std::optional<record::Revision> revision;
  ReadNeed need;
};

Result<ReadRequest> read_request_of(const Request& request) {
  TRY(check_query(request, {"level", "revision"}));
  ReadRequest read;
  read.collection = request.captures.at(0);
  read.key = request.captures.at(1);
  TRY(record::check_collection_name(read.collection));
  TRY(record::check_record_key(read.key));
  TRY_ASSIGN(read.need, need_of(request));
  TRY_ASSIGN(read.revision, number_parameter(request, "revision", 1, UINT64_MAX));
  TRY_ASSIGN(read.condition, condition_of(request));
  return read;
}

// If-None-Match on a read: the client has this version already.
bool has_version(const record::Condition& condition, record::Version version) {
  const auto& versions = condition.version_is_not;
  return condition.must_be_absent ||
         std::find(versions.begin(), versions.end(), version) != versions.end();
}

Response value_response(const record::Record& record, const ReadRequest& read,
                        const std::string& instance) {
  Response response;
  if (read.condition.version_is && *read.condition.version_is != record.version) {
    response = failure_response(Error{Errc::precondition_failed,
                                      "the record is at version " + std::to_string(record.version) +
                                          ", not at the one that If-Match asks for"},
                                "", instance);
  } else if (has_version(read.condition, record.version)) {
    response.status = 304;
  } else {
    response.content_type = "application/json";
    response.body = record.value;
  }
  response.headers.emplace_back("ETag", etag_of(record.version));
  response.headers.emplace_back(revision_header, std::to_string(record.revision));
  return response;
}

Result<Response> record_response(const record::StateReader& view, const ReadRequest& read,
                                 const std::string& instance) {
  std::optional<record::Record> record;
  if (read.revision) {
    TRY_ASSIGN(record, record::record_at(view, read.collection, read.key, *read.revision));
  } else {
    record = view.find_record(read.collection, read.key);
  }
  if (record && !record->tombstone) return value_response(*record, read, instance);
  TRY(collection_in(view, read.collection));
  return fail(Errc::not_found,
              "collection '" + read.collection + "' holds no record '" + read.key + "'" +
                  (read.revision ? " at revision " + std::to_string(*read.revision) : ""));
}

void read_record(const CallPtr& call) {
  auto request = read_request_of(call->request);
  if (!request) return call->refuse(request.error());
  const ReadNeed need = request->need;
  read(call, need,
       [request = std::move(*request), instance = call->instance()](
           const record::StateReader& view) { return record_response(view, request, instance); });
}

struct ListRequest {
  std::string collection, prefix, after;
  std::size_t limit = 0;
  std::optional<IndexQuery> query;
  ReadNeed need;
};

Result<ListRequest> list_request_of(const Request& request) {
  TRY(check_query(request, {"prefix", "after", "limit", "level", "index", "from", "to", "value"}));
  ListRequest list;
  list.collection = request.captures.at(0);
  TRY(record::check_collection_name(list.collection));
  TRY_ASSIGN(list.limit, limit_of(request));
  TRY_ASSIGN(list.need, need_of(request));
  TRY_ASSIGN(list.query, index_query_of(request));
  if (list.query) return list;
  TRY_ASSIGN(list.prefix, key_parameter(request, "prefix"));
  TRY_ASSIGN(list.after, key_parameter(request, "after"));
  return list;
}

Result<Response> list_response(const record::StateReader& view, const ListRequest& list) {
  TRY_ASSIGN(const auto row, collection_in(view, list.collection));
  Page page{"records", list.limit};
  std::string next;
  if (list.query) {
    TRY(scan_query(view, list.collection, row, *list.query, page, next));
  } else {
    std::string last;
    view.scan_records(list.collection, list.prefix, list.after,
                      [&](std::string_view key, const record::Record& record) {
                        if (!page.take_row()) return false;
                        last = key;
                        if (!record.tombstone) append_record(page.begin_item(), key, record);
                        return true;
                      });
    next = json_string(last);
  }
  Response response = std::move(page).finish(next);
  response.headers.emplace_back(revision_header, std::to_string(view.counters().revision));
  return response;
}

void list_records(const CallPtr& call) {
  auto list = list_request_of(call->request);
  if (!list) return call->refuse(list.error());
  const ReadNeed need = list->need;
  read(call, need, [list = std::move(*list)](const record::StateReader& view) {
    return list_response(view, list);
  });
}

}  // namespace

void add_record_routes(Routes& routes) {
  routes.add(Method::get, list_path, list_records);
  routes.add(Method::put, record_path, write_record);
  routes.add(Method::get, record_path, read_record);
  routes.add(Method::patch, record_path, write_record);
  routes.add(Method::remove, record_path, write_record);
}

}  // namespace mainstay::api
