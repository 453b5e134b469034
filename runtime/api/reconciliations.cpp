// What reconciliation found: its totals and marks, and the differences one by one.
#include "runtime/api/flows.hpp"
#include "runtime/integration/comparison.hpp"
#include "runtime/integration/hub.hpp"

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

}  // namespace

void add_reconciliation_routes(Routes& routes) {
  routes.add(Method::get, "/v1/adapters/{adapter}/reconciliations", list_reconciliations);
  routes.add(Method::get, "/v1/adapters/{adapter}/discrepancies", list_discrepancies);
}

}  // namespace mainstay::api
