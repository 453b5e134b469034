// Several writes under conditions, all or nothing.
#include "runtime/api/commands.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"

namespace mainstay::api {

namespace {

using http::Response;

Result<Write> write_of(const Call& call, std::string& wrong_at) {
  TRY(check_query(call.request, {}));
  TRY_ASSIGN(const json::Value body, body_of(call.request));
  const Place place{wrong_at};
  TRY_ASSIGN(Members members, Members::of(body, place));
  Write write;
  TRY(add_conditions(write, members.take("conditions"), place.at("conditions"), call.principal));
  TRY_ASSIGN(const json::Array* operations,
             members.array("operations", limits::transaction_actions_max));
  TRY(members.finish());
  for (std::size_t i = 0; i < operations->size(); ++i) {
    TRY_ASSIGN(Members operation, Members::of((*operations)[i], place.at("operations").at(i)));
    TRY(add_operation(write, operation, call.principal));
    TRY(operation.finish());
  }
  write.command.request_hash = request_hash({"transaction", call.request.body.view()});
  TRY_ASSIGN(write.command.operation, operation_for(call));
  return write;
}

Response transaction_response(const record::Outcome& outcome, const std::string& operation) {
  std::string body = "{\"revision\":" + std::to_string(outcome.revision) +
                     ",\"operation\":" + json_string(operation) + ",\"results\":[";
  for (const record::ActionResult& result : outcome.results) {
    if (body.back() != '[') body += ',';
    body += result_json(result);
  }
  Response response = http::json_response(200, body + "]}");
  if (outcome.revision != 0)
    response.headers.emplace_back(revision_header, std::to_string(outcome.revision));
  return response;
}

void run_transaction(const CallPtr& call) {
  std::string wrong_at;
  auto write = write_of(*call, wrong_at);
  if (!write) return call->refuse(write.error(), {}, wrong_at);
  submit(call, std::move(*write), transaction_response);
}

}  // namespace

void add_transaction_routes(Routes& routes) {
  routes.add(http::Method::post, "/v1/transactions", run_transaction);
}

}  // namespace mainstay::api
