#include "runtime/api/render.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "runtime/api/request_parts.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::api {

namespace json = boost::json;

namespace {

// 64-bit numbers that are identities, not counts: text, because many JSON readers keep 53 bits
// only.
std::string identity(std::uint64_t value) {
  return std::to_string(value);
}

json::value optional_node(NodeId node) {
  if (!node) return nullptr;
  return node.value;
}

std::string refusal_text(Errc code) {
  switch (code) {
    case Errc::precondition_failed:
      return "the record is not at the version that If-Match or If-None-Match asks for";
    case Errc::not_found:
      return "the collection holds no record with this key";
    case Errc::operation_reused:
      return "this Idempotency-Key was used before with another method, record, body or condition";
    case Errc::storage_full:
      return "free disk space is below the reserve: reads and deletes go on, inserts are refused";
    default:
      return std::string{title_of(code)};
  }
}

json::object member_json(const MemberView& member) {
  json::object object;
  object["id"] = member.id.value;
  object["incarnation"] = identity(member.incarnation.value);
  object["role"] = member.voter ? "voter" : "learner";
  object["peer_address"] = member.peer_address;
  object["api_address"] = member.api_address;
  object["connected"] = member.connected;
  object["match"] = member.match;
  object["applied"] = member.applied;
  return object;
}

}  // namespace

std::string json_string(std::string_view text) {
  return json::serialize(json::string_view{text.data(), text.size()});
}

http::Response failure_response(const Error& error, const std::string& operation,
                                const std::string& instance) {
  http::ProblemDetails details;
  details.instance = instance;
  details.operation = operation;
  Error told = error;
  if (error.code == Errc::outcome_unknown)
    told.message += "; ask GET /v1/operations/" + operation +
                    ", or repeat the request with Idempotency-Key: " + operation;
  http::Response response = http::problem(told, details);
  if (!operation.empty()) response.headers.emplace_back(operation_header, operation);
  return response;
}

http::Response outcome_response(const record::Outcome& outcome, const std::string& operation,
                                const std::string& instance) {
  http::Response response;
  if (outcome.refused) {
    response = failure_response(Error{*outcome.refused, refusal_text(*outcome.refused)}, operation,
                                instance);
  } else {
    response = http::json_response(
        outcome.created ? 201 : 200,
        fmt::format(R"({{"version":{},"revision":{},"created":{},"operation":{}}})",
                    outcome.version, outcome.revision, outcome.created, json_string(operation)));
    response.headers.emplace_back(operation_header, operation);
    response.headers.emplace_back(revision_header, std::to_string(outcome.revision));
  }
  if (outcome.version != 0) response.headers.emplace_back("ETag", etag_of(outcome.version));
  if (outcome.replayed) response.headers.emplace_back(replayed_header, "true");
  return response;
}

std::string operation_json(const std::string& id, const record::Operation& operation) {
  const record::Outcome& outcome = operation.outcome;
  json::object object;
  object["operation"] = id;
  object["state"] = outcome.refused ? "refused" : "committed";
  if (outcome.refused) object["error"] = to_string(*outcome.refused);
  object["version"] = outcome.version;
  object["revision"] = outcome.revision;
  object["created"] = outcome.created;
  object["recorded_ms"] = operation.recorded_millis;
  return json::serialize(object);
}

std::string cluster_json(const ClusterView& view) {
  json::object object;
  object["cluster"] = to_string(view.cluster);
  object["formed"] = view.formed;
  object["node"] = view.self.value;
  object["incarnation"] = identity(view.incarnation.value);
  object["role"] = view.role;
  object["leader"] = optional_node(view.leader);
  object["term"] = view.term;
  object["commit"] = view.commit;
  object["applied"] = view.applied;
  object["revision"] = view.revision;
  object["checked_index"] = view.checked_index;
  object["hashes_agree"] = view.hashes_agree;
  object["quarantined"] = view.quarantined;
  object["draining"] = view.draining;
  object["disk_free_bytes"] = view.disk_free_bytes;
  object["disk_low"] = view.disk_low;
  json::array members;
  for (const MemberView& member : view.members) members.push_back(member_json(member));
  object["members"] = std::move(members);
  return json::serialize(object);
}

http::Response checks_response(bool ok, const std::vector<Check>& checks) {
  json::object object;
  object["status"] = ok ? "ok" : "failing";
  json::array lines;
  for (const Check& check : checks)
    lines.push_back(json::object{{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
  object["checks"] = std::move(lines);
  http::Response response = http::json_response(ok ? 200 : 503, json::serialize(object));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace mainstay::api
