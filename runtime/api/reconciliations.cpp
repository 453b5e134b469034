// What reconciliation found: its totals and marks, and the differences one by one, which people
// explain.
#include "runtime/api/body.hpp"
#include "runtime/api/flows.hpp"
#include "runtime/api/times.hpp"
#include "runtime/integration/comparison.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Response;
using json::Value;
namespace hub = integration::hub;

struct ListRequest {
  std::string adapter, state;
  FlowPage page;
  ReadNeed need;
};

Result<ListRequest> list_request_of(const Call& call, const char* collection) {
  TRY(need_flows(call.principal, {collection}));
  ListRequest list;
  TRY_ASSIGN(list.adapter, adapter_of(call.request));
  list.page.prefix = list.adapter + "/";
  TRY_ASSIGN(list.page.after, key_parameter(call.request, "after"));
  TRY_ASSIGN(list.page.limit, limit_of(call.request));
  TRY_ASSIGN(list.need, need_of(call.request));
  return list;
}

void list_reconciliations(const CallPtr& call) {
  const auto list = [&]() -> Result<ListRequest> {
    TRY(check_query(call->request, {"after", "limit", "level"}));
    return list_request_of(*call, hub::reconciliations);
  }();
  if (!list) return call->refuse(list.error());
  read(call, list->need, [list = *list](const record::StateReader& view) -> Result<Response> {
    TRY(check_adapter(view, list.adapter));
    return row_page(view, "reconciliations", hub::reconciliations, list.page,
                    [](std::string_view, Value row) { return row; });
  });
}

Result<ListRequest> discrepancies_of(const Call& call) {
  TRY(check_query(call.request, {"name", "state", "after", "limit", "level"}));
  TRY_ASSIGN(ListRequest list, list_request_of(call, hub::discrepancies));
  list.state = "open";
  if (const std::string* state = call.request.parameter("state"); state != nullptr) {
    if (*state != "open" && *state != "explained" && *state != "resolved" && *state != "all")
      return fail(Errc::invalid_argument, "state must be one of open, explained, resolved, all");
    list.state = *state;
  }
  if (const std::string* name = call.request.parameter("name"); name != nullptr)
    list.page.prefix = integration::reconciliation_key(list.adapter, *name) + "/";
  return list;
}

void list_discrepancies(const CallPtr& call) {
  const auto list = discrepancies_of(*call);
  if (!list) return call->refuse(list.error());
  read(call, list->need, [list = *list](const record::StateReader& view) -> Result<Response> {
    TRY(check_adapter(view, list.adapter));
    return row_page(view, "discrepancies", hub::discrepancies, list.page,
                    [&](std::string_view, Value row) {
                      if (list.state != "all" && list.state != text_member(row, "state"))
                        return Value{};
                      row.erase("open");
                      return row;
                    });
  });
}

// --- explaining ---

struct Explanation {
  std::string adapter, name, key, reason;
};

Result<Explanation> explanation_of(const Call& call, std::string& wrong_at) {
  TRY(check_query(call.request, {}));
  TRY(need_flows(call.principal, {hub::discrepancies}));
  Explanation explanation;
  TRY_ASSIGN(explanation.adapter, adapter_of(call.request));
  TRY_ASSIGN(const Value body, body_of(call.request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  TRY_ASSIGN(explanation.name, members.text("name"));
  TRY_ASSIGN(explanation.key, members.text("key"));
  TRY_ASSIGN(explanation.reason, members.text("reason"));
  if (explanation.reason.empty() || explanation.reason.size() > integration::explanation_bytes_max)
    return members.at("reason").wrong(
        "has 1 to " + std::to_string(integration::explanation_bytes_max) + " bytes");
  TRY(members.finish());
  return explanation;
}

Result<Write> explained_write(const record::StateReader& view, const Explanation& explanation,
                              const std::string& who, const std::string& now) {
  const std::string key =
      integration::discrepancy_key(explanation.adapter, explanation.name, explanation.key);
  TRY(record::check_record_key(key));
  const auto row = integration::find_value(view, hub::discrepancies, key);
  if (!row || !row->is(json::Type::object))
    return fail(Errc::not_found, "reconciliation '" + explanation.name + "' of adapter '" +
                                     explanation.adapter + "' has no discrepancy '" +
                                     explanation.key + "'");
  Write write;
  add_patch(write, hub::discrepancies, key,
            Value::object({{"state", Value::string("explained")},
                           {"explained_by", Value::string(who)},
                           {"explained_at", Value::string(now)},
                           {"explanation", Value::string(explanation.reason)},
                           {"open", Value{}}}),
            "open");
  // It is this difference that was explained, not one that a run found meanwhile.
  if (const Value* fields = row->find("fields"))
    write.command.checks.back().condition.fields.push_back(
        {"/fields", Bytes{json::to_text(*fields)}});
  return write;
}

void explain_discrepancy(const CallPtr& call) {
  std::string wrong_at;
  const auto explanation = explanation_of(*call, wrong_at);
  if (!explanation) return call->refuse(explanation.error(), {}, wrong_at);
  const std::string now = time_text(sys::millis_of(call->context->clock.wall()));
  change_rows(call, "explain discrepancy",
              explanation->adapter + "/" + explanation->name + "/" + explanation->key + ": " +
                  explanation->reason,
              [explanation = *explanation, now, who = call->principal.name](
                  const record::StateReader& view, const std::string&) {
                return explained_write(view, explanation, who, now);
              });
}

}  // namespace

void add_reconciliation_routes(Routes& routes) {
  routes.add(Method::get, "/v1/adapters/{adapter}/reconciliations", list_reconciliations);
  routes.add(Method::get, "/v1/adapters/{adapter}/discrepancies", list_discrepancies);
  routes.add(Method::post, "/v1/adapters/{adapter}/discrepancies/explain", explain_discrepancy);
}

}  // namespace mainstay::api
