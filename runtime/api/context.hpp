// What every handler of the API is given; internal to runtime/api.
#pragma once

#include <memory>
#include <string>

#include "runtime/api/access.hpp"
#include "runtime/api/api.hpp"
#include "runtime/api/gate.hpp"

namespace mainstay::api {

struct Context {
  Backend& backend;
  const sys::Clock& clock;
  ApiOptions options;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
};
using ContextPtr = std::shared_ptr<const Context>;

// A request that was admitted: who asks, until when, and where the answer goes. Shared by the
// callbacks that its handling leads to; immutable.
struct Call {
  ContextPtr context;
  http::Request request;
  http::Responder responder;
  Principal principal;
  Role role = Role::open;  // that was needed
  MonotonicTime deadline;

  Backend& backend() const { return context->backend; }
  std::string instance() const { return std::string{request.path()}; }
  void answer(http::Response response) const { responder.answer(std::move(response)); }
  // Answers with a problem. `operation`: of a write; `pointer`: the part of the body it is about.
  void refuse(const Error& error, const std::string& operation = {},
              const std::string& pointer = {}) const;
};
using CallPtr = std::shared_ptr<const Call>;
using Handler = void (*)(const CallPtr& call);

// Whether the token of a call that goes on for long still admits it. Errors: unauthorized,
// forbidden.
Result<void> still_admitted(const Call& call, const record::StateReader& view);

// Adds routes whose handlers are called only with what access_table asks for.
class Routes {
 public:
  Routes(http::Router& router, ContextPtr context)
      : router_{router}, context_{std::move(context)} {}

  // REQUIRES: access_table has the route.
  void add(http::Method method, std::string_view pattern, Handler handler);
  const Context& context() const { return *context_; }

 private:
  http::Router& router_;
  ContextPtr context_;
};

void add_collection_routes(Routes& routes);
void add_record_routes(Routes& routes);
void add_history_routes(Routes& routes);
void add_entry_routes(Routes& routes);
void add_balance_routes(Routes& routes);
void add_transaction_routes(Routes& routes);
void add_batch_routes(Routes& routes);
void add_change_routes(Routes& routes);
void add_operation_routes(Routes& routes);
void add_token_routes(Routes& routes);
void add_cluster_routes(Routes& routes);
void add_adapter_routes(Routes& routes);
void add_letter_routes(Routes& routes);
void add_reconciliation_routes(Routes& routes);
void add_trace_routes(Routes& routes);
void add_health_routes(Routes& routes);

}  // namespace mainstay::api
