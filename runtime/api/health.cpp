// Health, metrics, and the documents that a node serves about itself.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/api/context.hpp"
#include "runtime/api/render.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Request;
using http::Responder;
using http::Response;

// Longer than a scrape interval would only pile up scrapes.
constexpr Millis metrics_deadline{5000};

bool all_ok(const std::vector<Check>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.ok; });
}

void serve_metrics(const ContextPtr& context, const Responder& responder) {
  context->backend.metrics(context->clock.monotonic() + metrics_deadline,
                           [responder](Result<std::string> text) {
                             if (!text) {
                               responder.answer(failure_response(text.error(), "", "/metrics"));
                               return;
                             }
                             Response response;
                             response.content_type = "text/plain; version=0.0.4; charset=utf-8";
                             response.body = Bytes{std::move(*text)};
                             responder.answer(std::move(response));
                           });
}

// The page that a problem's `type` leads to.
Response error_page(const Request& request) {
  const std::string& name = request.captures.at(0);
  const auto code = errc_of(name);
  if (!code)
    return failure_response(Error{Errc::not_found, "there is no kind of error '" + name + "'"}, "",
                            std::string{request.path()});
  return http::json_response(
      200, fmt::format(R"({{"type":"{}","title":{},"status":{},"exit_code":{},"retry_soon":{}}})",
                       http::problem_type(*code), json_string(title_of(*code)),
                       http_status_of(*code), exit_code_of(*code), http::retry_soon(*code)));
}

}  // namespace

void add_health_routes(http::Router& router, const ContextPtr& context) {
  router.add(Method::get, "/livez", [context](Request&, const Responder& responder) {
    const auto checks = context->backend.liveness();
    responder.answer(checks_response(all_ok(checks), checks));
  });
  router.add(Method::get, "/readyz", [context](Request&, const Responder& responder) {
    const auto checks = context->backend.readiness();
    responder.answer(checks_response(all_ok(checks), checks));
  });
  router.add(Method::get, "/startupz", [context](Request&, const Responder& responder) {
    const bool started = context->backend.started();
    responder.answer(checks_response(
        started, {Check{"started", started, started ? "" : "the node is still starting"}}));
  });
  if (context->options.metrics)
    router.add(Method::get, "/metrics", [context](Request&, const Responder& responder) {
      serve_metrics(context, responder);
    });
  router.add(Method::get, "/v1/openapi.json", [](Request&, const Responder& responder) {
    responder.answer(http::json_response(200, std::string{openapi_document()}));
  });
  router.add(Method::get, "/errors/{name}", [](Request& request, const Responder& responder) {
    responder.answer(error_page(request));
  });
}

void add_routes(http::Router& router, Backend& backend, const sys::Clock& clock,
                const ApiOptions& options) {
  const auto context = std::make_shared<const Context>(Context{backend, clock, options});
  add_record_routes(router, context);
  add_cluster_routes(router, context);
  add_health_routes(router, context);
}

std::string errors_document() {
  std::string text =
      "# Errors\n\n"
      "Every refusal is a problem document (RFC 9457, `application/problem+json`). Its `type` is "
      "`/errors/<name>`, which every node serves;\nnames never change meaning. `detail` says what "
      "was wrong and what to do. The tool `mainstay` ends with the exit code:\n0 done, 2 usage, 3 "
      "not found, 4 conflict, 5 busy or not ready (try again), 6 outcome unknown (ask again with "
      "the same operation id),\n7 refused, 1 anything else.\n\n"
      "Made from `runtime/base/errc.def`; a test compares the two.\n\n"
      "| name | HTTP status | exit code | meaning | try again soon |\n|---|---|---|---|---|\n";
  constexpr Errc all[] = {
#define X(name, status, exit_code, title) Errc::name,
#include "runtime/base/errc.def"
#undef X
  };
  for (const Errc code : all)
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", to_string(code), http_status_of(code),
                        exit_code_of(code), title_of(code), http::retry_soon(code) ? "yes" : "");
  return text;
}

}  // namespace mainstay::api
