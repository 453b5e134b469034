// The versions of a record that are still held.
#include "runtime/api/reading.hpp"
#include "runtime/api/times.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Response;

struct HistoryRequest {
  std::string collection, key;
  record::Revision before = UINT64_MAX;
  std::size_t limit = 0;
  ReadNeed need;
};

Result<HistoryRequest> history_request_of(const http::Request& request) {
  TRY(check_query(request, {"before", "limit", "level"}));
  HistoryRequest history;
  history.collection = request.captures.at(0);
  history.key = request.captures.at(1);
  TRY(record::check_collection_name(history.collection));
  TRY(record::check_record_key(history.key));
  TRY_ASSIGN(const auto before, number_parameter(request, "before", 1, UINT64_MAX));
  history.before = before.value_or(UINT64_MAX);
  TRY_ASSIGN(history.limit, limit_of(request));
  TRY_ASSIGN(history.need, need_of(request));
  return history;
}

void append_version(std::string& out, const record::Record& record) {
  out += "{\"version\":" + std::to_string(record.version);
  out += ",\"revision\":" + std::to_string(record.revision);
  out += ",\"time\":\"" + time_text(record.stamp.millis) + "\"";
  out += record.tombstone ? ",\"type\":\"delete\"" : ",\"type\":\"put\",\"value\":";
  out += record.value.view();
  out += '}';
}

Result<Response> history_response(const record::StateReader& view, const HistoryRequest& history) {
  TRY(collection_in(view, history.collection));
  Page page{"versions", history.limit};
  record::Revision last = 0;
  const auto visit = [&](const record::Record& record) {
    if (!page.take_row()) return false;
    append_version(page.begin_item(), record);
    last = record.revision;
    return true;
  };
  const auto newest = view.find_record(history.collection, history.key);
  if (newest && newest->revision < history.before) visit(*newest);
  view.scan_history(history.collection, history.key, history.before - 1, visit);
  if (last == 0 && !newest)
    return fail(Errc::not_found, "collection '" + history.collection + "' holds no record '" +
                                     history.key + "' and no history of it");
  return std::move(page).finish(std::to_string(last));
}

void read_history(const CallPtr& call) {
  auto history = history_request_of(call->request);
  if (!history) return call->refuse(history.error());
  const ReadNeed need = history->need;
  read(call, need, [history = std::move(*history)](const record::StateReader& view) {
    return history_response(view, history);
  });
}

}  // namespace

void add_history_routes(Routes& routes) {
  routes.add(http::Method::get, "/v1/collections/{collection}/records/{key}/history", read_history);
}

}  // namespace mainstay::api
