#include "runtime/http/problem.hpp"

#include <boost/json.hpp>

namespace mainstay::http {

bool retry_soon(Errc code) {
  switch (code) {
    case Errc::busy:
    case Errc::not_ready:
    case Errc::not_leader:
    case Errc::unavailable:
    case Errc::rate_limited:
      return true;
    default:
      return false;
  }
}

std::string problem_type(Errc code) {
  return "/errors/" + std::string{to_string(code)};
}

Response problem(const Error& error, const ProblemDetails& details) {
  boost::json::object document;
  Response response;
  response.status = details.status != 0 ? details.status : http_status_of(error.code);
  document["type"] = problem_type(error.code);
  document["title"] = title_of(error.code);
  document["status"] = response.status;
  document["detail"] = error.message;
  if (!details.instance.empty()) document["instance"] = details.instance;
  if (!details.operation.empty()) document["operation"] = details.operation;
  if (!details.pointer.empty()) document["pointer"] = details.pointer;
  for (const auto& [name, value] : details.members) document[name] = boost::json::parse(value);
  response.content_type = "application/problem+json";
  response.body = Bytes{boost::json::serialize(document)};
  int retry_after = details.retry_after_seconds;
  if (retry_after < 0 && retry_soon(error.code)) retry_after = 1;
  if (retry_after >= 0) response.headers.emplace_back("Retry-After", std::to_string(retry_after));
  return response;
}

}  // namespace mainstay::http
