// Health, metrics, and the documents that a node serves about itself.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/api/context.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Response;

// Longer than a scrape interval would only pile up scrapes.
constexpr Millis metrics_deadline{5000};

bool all_ok(const std::vector<Check>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.ok; });
}

// These take no parameters.
template <Handler handler>
void plain(const CallPtr& call) {
  if (auto query = check_query(call->request, {}); !query) return call->refuse(query.error());
  handler(call);
}

void serve_metrics(const CallPtr& call) {
  call->backend().metrics(call->context->clock.monotonic() + metrics_deadline,
                          [call](Result<std::string> text) {
                            if (!text) return call->refuse(text.error());
                            Response response;
                            response.content_type = "text/plain; version=0.0.4; charset=utf-8";
                            response.body = Bytes{std::move(*text)};
                            call->answer(std::move(response));
                          });
}

// The page that a problem's `type` leads to.
void serve_error_page(const CallPtr& call) {
  const std::string& name = call->request.captures.at(0);
  const auto code = errc_of(name);
  if (!code)
    return call->refuse(Error{Errc::not_found, "there is no kind of error '" + name + "'"});
  call->answer(http::json_response(
      200, fmt::format(R"({{"type":"{}","title":{},"status":{},"exit_code":{},"retry_soon":{}}})",
                       http::problem_type(*code), json_string(title_of(*code)),
                       http_status_of(*code), exit_code_of(*code), http::retry_soon(*code))));
}

void serve_liveness(const CallPtr& call) {
  const auto checks = call->backend().liveness();
  call->answer(checks_response(all_ok(checks), checks));
}

void serve_readiness(const CallPtr& call) {
  const auto checks = call->backend().readiness();
  call->answer(checks_response(all_ok(checks), checks));
}

void serve_startup(const CallPtr& call) {
  const bool started = call->backend().started();
  call->answer(checks_response(
      started, {Check{"started", started, started ? "" : "the node is still starting"}}));
}

void serve_openapi(const CallPtr& call) {
  call->answer(http::json_response(200, std::string{openapi_document()}));
}

}  // namespace

void add_health_routes(Routes& routes) {
  routes.add(Method::get, "/livez", plain<serve_liveness>);
  routes.add(Method::get, "/readyz", plain<serve_readiness>);
  routes.add(Method::get, "/startupz", plain<serve_startup>);
  if (routes.context().options.metrics) routes.add(Method::get, "/metrics", plain<serve_metrics>);
  routes.add(Method::get, "/v1/openapi.json", plain<serve_openapi>);
  routes.add(Method::get, "/errors/{name}", plain<serve_error_page>);
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
