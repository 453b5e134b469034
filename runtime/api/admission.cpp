// From a request to a call: deadline, token, role and grant, before any handler sees it.
#include <algorithm>

#include "runtime/api/audit.hpp"
#include "runtime/api/context.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::api {

namespace {

using http::Request;
using http::Responder;

struct Admission {
  ContextPtr context;
  const Access& access;
  Role role;  // that is needed here
  Handler handler;
};

void answer_refused(const Request& request, const Responder& responder, const Error& error) {
  http::Response response = failure_response(error, {}, std::string{request.path()});
  if (error.code == Errc::unauthorized)
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"mainstay\"");
  responder.answer(std::move(response));
}

// Denied administrative calls are in the trail, as those that were carried out; not every one of
// them, or whoever has no token could fill it.
void tell_denial(const Admission& admission, const Request& request, const Responder& responder,
                 Principal principal, const Error& error) {
  if (admission.role < Role::operating) return;
  const ContextPtr& context = admission.context;
  const MonotonicTime now = context->clock.monotonic();
  const auto left_out = context->gate->tell_denial(now);
  if (!left_out) return;
  constexpr std::size_t target_bytes_max = 256;
  AuditEntry entry;
  entry.what = "denied";
  entry.target = std::string{http::to_string(request.method)} + " " +
                 std::string{request.path().substr(0, target_bytes_max)};
  entry.outcome = to_string(error.code);
  if (*left_out != 0) entry.outcome += "; " + std::to_string(*left_out) + " more before it";
  const auto call =
      std::make_shared<const Call>(Call{context, request, responder, std::move(principal),
                                        admission.role, now + context->options.deadline_default});
  write_audit(call, entry, [] {});
}

void deny(const Admission& admission, const Request& request, const Responder& responder,
          Principal principal, const Error& error) {
  answer_refused(request, responder, error);
  if (error.code == Errc::unauthorized || error.code == Errc::forbidden)
    tell_denial(admission, request, responder, std::move(principal), error);
}

// Whoever has shown no token that is known.
Principal nobody() {
  return {"(unknown)", Role::open, {}};
}

void hand_over(const Admission& admission, Request request, const Responder& responder,
               Principal principal, MonotonicTime deadline) {
  auto allowed = principal.need(admission.role);
  if (allowed && admission.access.collection)
    allowed = principal.need_collection(request.captures.at(0));
  if (!allowed) {
    log_info("api", "refused {} {} from {}: {}", http::to_string(request.method), request.path(),
             request.from, allowed.error().message);
    deny(admission, request, responder, std::move(principal), allowed.error());
    return;
  }
  admission.handler(
      std::make_shared<const Call>(Call{admission.context, std::move(request), responder,
                                        std::move(principal), admission.role, deadline}));
}

Result<Principal> look_up(const Context& context, const std::string& token) {
  TRY_ASSIGN(const auto view, context.backend.view());
  return authenticate(*view, token,
                      {context.options.bootstrap_token_hash, sys::millis_of(context.clock.wall())});
}

// A token that this node has not seen yet may have been made through another one a moment ago: the
// node looks again when it knows all that is committed. A few at a time and not for long, since
// whoever has no token makes the node ask the leader so.
void look_again(const Admission& admission, Request request, const Responder& responder,
                std::string token, MonotonicTime deadline) {
  const ContextPtr& context = admission.context;
  if (!context->gate->begin_look())
    return answer_refused(request, responder,
                          Error{Errc::busy, "too many tokens that this node does not know yet"});
  struct Asked {
    Admission admission;
    Request request;
    Responder responder;
    std::string token;
    MonotonicTime deadline;
  };
  const auto asked = std::make_shared<Asked>(
      Asked{admission, std::move(request), responder, std::move(token), deadline});
  const auto look = [asked](const Result<void>& ready) {
    auto found = ready ? look_up(*asked->admission.context, asked->token)
                       : Result<Principal>{Failure{ready.error()}};
    if (found)
      hand_over(asked->admission, std::move(asked->request), asked->responder, std::move(*found),
                asked->deadline);
    else
      deny(asked->admission, asked->request, asked->responder, nobody(),
           found.error().code == Errc::not_found ? Error{Errc::unauthorized, found.error().message}
                                                 : found.error());
  };
  const MonotonicTime patience = context->clock.monotonic() + Millis{limits::token_look_ms_max};
  context->backend.read_barrier({ReadLevel::linearizable, 0}, std::min(deadline, patience),
                                [asked, look](const Result<void>& ready) {
                                  asked->admission.context->gate->end_look();
                                  asked->responder.post([look, ready] { look(ready); });
                                });
}

void admit(const Admission& admission, Request request, const Responder& responder) {
  const Context& context = *admission.context;
  if (admission.role == Role::open) {
    hand_over(admission, std::move(request), responder, anybody(),
              context.clock.monotonic() + context.options.deadline_default);
    return;
  }
  auto time = deadline_of(request, context.options.deadline_default);
  if (!time) return answer_refused(request, responder, time.error());
  const MonotonicTime deadline = context.clock.monotonic() + *time;
  if (!context.options.auth_enabled)
    return hand_over(admission, std::move(request), responder, anybody(), deadline);
  auto token = bearer_of(request);
  if (!token) return deny(admission, request, responder, nobody(), token.error());
  auto principal = look_up(context, *token);
  if (principal)
    return hand_over(admission, std::move(request), responder, std::move(*principal), deadline);
  if (principal.error().code == Errc::not_found)
    return look_again(admission, std::move(request), responder, std::move(*token), deadline);
  deny(admission, request, responder, nobody(), principal.error());
}

}  // namespace

void Call::refuse(const Error& error, const std::string& operation,
                  const std::string& pointer) const {
  answer(failure_response(error, operation, instance(), pointer));
}

Result<void> still_admitted(const Call& call, const record::StateReader& view) {
  const Context& context = *call.context;
  if (!context.options.auth_enabled || call.role == Role::open) return {};
  TRY_ASSIGN(const std::string token, bearer_of(call.request));
  const auto found = authenticate(
      view, token, {context.options.bootstrap_token_hash, sys::millis_of(context.clock.wall())});
  if (found) return found->need(call.role);
  return fail(Errc::unauthorized, found.error().message);
}

void Routes::add(http::Method method, std::string_view pattern, Handler handler) {
  const Access* access = find_access(method, pattern);
  ASSERT_MSG(access != nullptr, "every route stands in the table of access");
  const bool opened = context_->options.metrics_open && pattern == "/metrics";
  router_.add(method, pattern,
              [admission = Admission{context_, *access, opened ? Role::open : access->role,
                                     handler}](Request& request, const Responder& responder) {
                admit(admission, std::move(request), responder);
              });
}

void add_routes(http::Router& router, Backend& backend, const sys::Clock& clock,
                const ApiOptions& options) {
  Routes routes{router, std::make_shared<const Context>(Context{backend, clock, options})};
  add_collection_routes(routes);
  add_record_routes(routes);
  add_history_routes(routes);
  add_entry_routes(routes);
  add_balance_routes(routes);
  add_transaction_routes(routes);
  add_batch_routes(routes);
  add_change_routes(routes);
  add_operation_routes(routes);
  add_token_routes(routes);
  add_cluster_routes(routes);
  add_adapter_routes(routes);
  add_letter_routes(routes);
  add_reconciliation_routes(routes);
  add_trace_routes(routes);
  add_health_routes(routes);
}

}  // namespace mainstay::api
