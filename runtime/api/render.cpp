#include "runtime/api/render.hpp"

#include <fmt/format.h>

#include "runtime/api/request_parts.hpp"
#include "runtime/api/times.hpp"
#include "runtime/base/json.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::api {

namespace {

// What the state machine left to us to say.
std::string refusal_text(const record::Outcome& outcome) {
  if (!outcome.detail.empty()) return outcome.detail;
  switch (*outcome.refused) {
    case Errc::precondition_failed:
      return "the record is not at the version that If-Match or If-None-Match asks for";
    case Errc::not_found:
      return "the collection holds no record with this key";
    case Errc::operation_reused:
      return "this Idempotency-Key was used before with another method, record, body or condition";
    case Errc::operation_fenced:
      return "this operation was fenced: it has not happened and never will";
    case Errc::storage_full:
      return "free disk space is below the reserve: reads and deletes go on, inserts are refused";
    default:
      return std::string{title_of(*outcome.refused)};
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string quoted;
  json::append_string(quoted, text);
  return quoted;
}

http::Response failure_response(const Error& error, const std::string& operation,
                                const std::string& instance, const std::string& pointer,
                                std::vector<std::pair<std::string, std::string>> members) {
  http::ProblemDetails details;
  details.instance = instance;
  details.operation = operation;
  details.pointer = pointer;
  details.members = std::move(members);
  Error told = error;
  if (error.code == Errc::outcome_unknown)
    told.message += "; ask GET /v1/operations/" + operation +
                    ", repeat the request with Idempotency-Key: " + operation +
                    ", or fence it with POST /v1/operations/" + operation + "/fence";
  http::Response response = http::problem(told, details);
  if (!operation.empty()) response.headers.emplace_back(operation_header, operation);
  return response;
}

http::Response refusal_response(const record::Outcome& outcome, const std::string& operation,
                                const std::string& instance, const std::string& pointer) {
  http::ProblemDetails details;
  details.instance = instance;
  details.operation = operation;
  details.pointer = pointer;
  http::Response response = http::problem(Error{*outcome.refused, refusal_text(outcome)}, details);
  if (outcome.found_version != 0)
    response.headers.emplace_back("ETag", etag_of(outcome.found_version));
  return response;
}

http::Response written_response(const record::Outcome& outcome, const std::string& operation) {
  const record::ActionResult result =
      outcome.results.empty() ? record::ActionResult{} : outcome.results.front();
  http::Response response = http::json_response(
      result.created ? 201 : 200,
      fmt::format(R"({{"version":{},"revision":{},"created":{},"operation":{}}})", result.version,
                  outcome.revision, result.created, json_string(operation)));
  if (outcome.revision != 0)
    response.headers.emplace_back(revision_header, std::to_string(outcome.revision));
  if (result.version != 0) response.headers.emplace_back("ETag", etag_of(result.version));
  return response;
}

std::string result_json(const record::ActionResult& result) {
  return fmt::format(R"({{"version":{},"created":{},"changed":{}}})", result.version,
                     result.created, result.changed);
}

std::string operation_json(const std::string& id, const record::Outcome& outcome,
                           std::uint64_t recorded_millis, bool whole) {
  const bool fenced = outcome.refused == Errc::operation_fenced;
  std::string text = "{\"operation\":" + json_string(id) + ",\"state\":";
  if (fenced) {
    text += "\"fenced\"";
  } else if (outcome.refused) {
    text += "\"refused\",\"error\":" + json_string(to_string(*outcome.refused));
    if (whole) text += ",\"detail\":" + json_string(refusal_text(outcome));
  } else {
    text += "\"committed\",\"revision\":" + std::to_string(outcome.revision);
  }
  if (whole && !outcome.refused) {
    text += ",\"results\":[";
    for (std::size_t i = 0; i < outcome.results.size(); ++i)
      text += (i == 0 ? "" : ",") + result_json(outcome.results[i]);
    text += ']';
  }
  if (recorded_millis != 0) text += ",\"time\":\"" + time_text(recorded_millis) + "\"";
  return text + '}';
}

http::Response checks_response(bool ok, const std::vector<Check>& checks) {
  std::string text = std::string{"{\"status\":\""} + (ok ? "ok" : "failing") + "\",\"checks\":[";
  for (const Check& check : checks) {
    if (text.back() != '[') text += ',';
    text += "{\"name\":" + json_string(check.name) + ",\"ok\":" + (check.ok ? "true" : "false") +
            ",\"detail\":" + json_string(check.detail) + "}";
  }
  http::Response response = http::json_response(ok ? 200 : 503, text + "]}");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace mainstay::api
