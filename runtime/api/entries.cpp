// Ledgers: entries posted and listed.
#include "runtime/api/body.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/times.hpp"
#include "runtime/api/writing.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view path = "/v1/collections/{collection}/entries";

// One entry, with its id as a member.
Result<void> add_entry(Write& write, const std::string& collection, const json::Value& entry,
                       const Place& place) {
  TRY_ASSIGN(Members members, Members::of(entry, place));
  record::Action action;
  action.kind = record::ActionKind::post;
  action.collection = collection;
  TRY_ASSIGN(action.key, members.text("id"));
  json::Value rest = entry;
  rest.erase("id");
  action.value = Bytes{json::to_text(rest)};
  write.command.actions.push_back(std::move(action));
  write.actions.push_back(place.pointer());
  return {};
}

Result<Write> write_of(const Call& call, std::string& wrong_at) {
  const Request& request = call.request;
  TRY(check_query(request, {}));
  Write write;
  const std::string& collection = request.captures.at(0);
  TRY(check_writable(collection));
  TRY_ASSIGN(const json::Value body, body_of(request));
  const Place place{wrong_at};
  TRY_ASSIGN(Members members, Members::of(body, place));
  if (members.has("entries")) {
    TRY_ASSIGN(const json::Array* entries,
               members.array("entries", limits::transaction_actions_max));
    TRY(members.finish());
    for (std::size_t i = 0; i < entries->size(); ++i)
      TRY(add_entry(write, collection, (*entries)[i], place.at("entries").at(i)));
  } else {
    TRY(add_entry(write, collection, body, place));
  }
  write.command.request_hash = request_hash({"entries", collection, request.body.view()});
  TRY_ASSIGN(write.command.operation, operation_for(call));
  return write;
}

void post_entries(const CallPtr& call) {
  std::string wrong_at;
  auto write = write_of(*call, wrong_at);
  if (!write) return call->refuse(write.error(), {}, wrong_at);
  std::vector<std::string> ids;
  for (const record::Action& action : write->command.actions) ids.push_back(action.key);
  submit(call, std::move(*write),
         [ids = std::move(ids)](const record::Outcome& outcome, const std::string& operation) {
           bool created = false;
           std::string body = "{\"revision\":" + std::to_string(outcome.revision) +
                              ",\"operation\":" + json_string(operation) + ",\"results\":[";
           for (std::size_t i = 0; i < ids.size() && i < outcome.results.size(); ++i) {
             const bool changed = outcome.results[i].changed;
             created = created || changed;
             body += (i == 0 ? "" : ",") + ("{\"id\":" + json_string(ids[i])) +
                     ",\"created\":" + (changed ? "true" : "false") + "}";
           }
           Response response = http::json_response(created ? 201 : 200, body + "]}");
           if (outcome.revision != 0)
             response.headers.emplace_back(revision_header, std::to_string(outcome.revision));
           return response;
         });
}

struct ListRequest {
  std::string collection, prefix, after;
  std::size_t limit = 0;
  ReadNeed need;
};

Result<ListRequest> list_request_of(const Request& request) {
  TRY(check_query(request, {"prefix", "after", "limit", "level"}));
  ListRequest list;
  list.collection = request.captures.at(0);
  TRY(record::check_collection_name(list.collection));
  TRY_ASSIGN(list.prefix, key_parameter(request, "prefix"));
  TRY_ASSIGN(list.after, key_parameter(request, "after"));
  TRY_ASSIGN(list.limit, limit_of(request));
  TRY_ASSIGN(list.need, need_of(request));
  return list;
}

Result<Response> list_response(const record::StateReader& view, const ListRequest& list) {
  TRY(ledger_in(view, list.collection));
  Page page{"entries", list.limit};
  std::string last;
  view.scan_records(list.collection, list.prefix, list.after,
                    [&](std::string_view key, const record::Record& record) {
                      if (!page.take_row()) return false;
                      last = key;
                      if (record.tombstone) return true;
                      std::string& out = page.begin_item();
                      out += "{\"id\":" + json_string(key) +
                             ",\"revision\":" + std::to_string(record.revision) + ",\"time\":\"" +
                             time_text(record.stamp.millis) + "\",\"entry\":";
                      out += record.value.view();
                      out += '}';
                      return true;
                    });
  Response response = std::move(page).finish(json_string(last));
  response.headers.emplace_back(revision_header, std::to_string(view.counters().revision));
  return response;
}

void list_entries(const CallPtr& call) {
  auto list = list_request_of(call->request);
  if (!list) return call->refuse(list.error());
  const ReadNeed need = list->need;
  read(call, need, [list = std::move(*list)](const record::StateReader& view) {
    return list_response(view, list);
  });
}

}  // namespace

void add_entry_routes(Routes& routes) {
  routes.add(Method::post, path, post_entries);
  routes.add(Method::get, path, list_entries);
}

}  // namespace mainstay::api
