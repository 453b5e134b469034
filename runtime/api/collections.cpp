// Collections: declare, look at, remove.
#include <fmt/format.h>

#include "runtime/api/audit.hpp"
#include "runtime/api/body.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/writing.hpp"
#include "runtime/record/declaration.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view collection_path = "/v1/collections/{collection}";

Result<Write> write_of(const Call& call) {
  const Request& request = call.request;
  TRY(check_query(request, {}));
  record::Action action;
  action.kind =
      request.method == Method::put ? record::ActionKind::declare : record::ActionKind::undeclare;
  action.collection = record::system_collection::collections;
  action.key = request.captures.at(0);
  TRY(record::check_collection_name(action.key));
  TRY(check_writable(action.key));
  TRY_ASSIGN(record::Condition condition, condition_of(request));
  if (action.kind == record::ActionKind::declare) {
    TRY(check_value(request));
    TRY_ASSIGN(const record::Declaration declaration,
               record::parse_declaration(request.body.view()));
    action.value = Bytes{record::to_json(declaration)};
  } else {
    TRY(check_no_body(request));
  }
  const Hash128 hash = request_hash({"collection", to_string(request.method), action.key,
                                     action.value.view(), text_of(condition)});
  Write write;
  write.command = record::single(std::move(action), std::move(condition));
  write.command.request_hash = hash;
  TRY_ASSIGN(write.command.operation, operation_for(call));
  return write;
}

void write_collection(const CallPtr& call) {
  auto write = write_of(*call);
  if (!write) return call->refuse(write.error());
  const bool put = call->request.method == Method::put;
  submit(call, std::move(*write), written_response,
         audited(call, put ? "declare collection" : "remove collection",
                 call->request.captures.at(0)));
}

void append_collection(std::string& out, std::string_view name, const record::Collection& row,
                       const record::Record& declared) {
  out += "{\"name\":" + json_string(name);
  out += fmt::format(",\"version\":{},\"revision\":{},\"declaration\":", declared.version,
                     declared.revision);
  out += declared.value.view();
  out += fmt::format(",\"records\":{},\"tombstones\":{},\"bytes\":{},\"indexes\":[", row.live,
                     row.tombstones, row.bytes);
  for (const record::IndexState& index : row.indexes) {
    if (out.back() != '[') out += ',';
    out += "{\"name\":" + json_string(index.name) +
           ",\"ready\":" + (index.ready ? "true" : "false") + "}";
  }
  out += "]}";
}

Result<Response> collection_response(const record::StateReader& view, const std::string& name) {
  TRY_ASSIGN(const auto row, collection_in(view, name));
  const auto declared = view.find_record(record::system_collection::collections, name);
  if (!row || !declared || declared->tombstone)
    return fail(Errc::not_found,
                "collection '" + name + "' is Mainstay's own and has no declaration");
  std::string body;
  append_collection(body, name, *row, *declared);
  Response response = http::json_response(200, std::move(body));
  response.headers.emplace_back("ETag", etag_of(declared->version));
  return response;
}

void read_collection(const CallPtr& call) {
  const auto need = [&]() -> Result<ReadNeed> {
    TRY(check_query(call->request, {"level"}));
    TRY(record::check_collection_name(call->request.captures.at(0)));
    return need_of(call->request);
  }();
  if (!need) return call->refuse(need.error());
  read(call, *need, [name = call->request.captures.at(0)](const record::StateReader& view) {
    return collection_response(view, name);
  });
}

struct ListRequest {
  std::string after;
  std::size_t limit = 0;
  ReadNeed need;
};

Result<ListRequest> list_request_of(const Request& request) {
  TRY(check_query(request, {"after", "limit", "level"}));
  ListRequest list;
  TRY_ASSIGN(list.after, key_parameter(request, "after"));
  TRY_ASSIGN(list.limit, limit_of(request));
  TRY_ASSIGN(list.need, need_of(request));
  return list;
}

Response list_response(const record::StateReader& view, const ListRequest& list,
                       const Principal& principal) {
  Page page{"collections", list.limit};
  std::string last;
  view.scan_collections([&](std::string_view name, const record::Collection& row) {
    if (name <= list.after || name.starts_with('_') || !principal.may_see(name)) return true;
    const auto declared = view.find_record(record::system_collection::collections, name);
    if (!declared || declared->tombstone) return true;
    if (!page.take_row()) return false;
    last = name;
    append_collection(page.begin_item(), name, row, *declared);
    return true;
  });
  return std::move(page).finish(json_string(last));
}

void list_collections(const CallPtr& call) {
  auto list = list_request_of(call->request);
  if (!list) return call->refuse(list.error());
  const ReadNeed need = list->need;
  read(call, need,
       [call, list = std::move(*list)](const record::StateReader& view) -> Result<Response> {
         return list_response(view, list, call->principal);
       });
}

}  // namespace

void add_collection_routes(Routes& routes) {
  routes.add(Method::get, "/v1/collections", list_collections);
  routes.add(Method::put, collection_path, write_collection);
  routes.add(Method::get, collection_path, read_collection);
  routes.add(Method::remove, collection_path, write_collection);
}

}  // namespace mainstay::api
