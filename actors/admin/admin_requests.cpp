#include "actors/admin/admin_requests.hpp"

#include <utility>

namespace mainstay::admin {

namespace {

constexpr Millis pause_after_refusal{50};
constexpr Millis silence{1000};

// Time may cure these: a leader is elected, another change ends.
bool is_passing(const wire::AdminReply& reply, const wire::AdminRequest& request) {
  switch (reply.refused) {
    case Errc::not_leader:
    case Errc::busy:
    case Errc::not_ready:
      return true;
    case Errc::conflict:
      return request.kind != wire::AdminRequest::Kind::transfer;
    default:
      return false;
  }
}

}  // namespace

AdminRequests::~AdminRequests() {
  for (auto& [id, waiting] : waiting_) waiting.done(fail(Errc::not_ready, "the node stopped"));
}

void AdminRequests::add(wire::AdminRequest request, MonotonicTime deadline, Done done) {
  request.id = next_id_++;
  const std::uint64_t id = request.id;
  waiting_.emplace(id, Waiting{std::move(request), deadline, {}, {}, std::move(done)});
}

std::vector<wire::AdminRequest> AdminRequests::due(MonotonicTime now) {
  std::vector<wire::AdminRequest> requests;
  for (auto& [id, waiting] : waiting_) {
    if (now < waiting.next_try) continue;
    waiting.next_try = now + silence;
    requests.push_back(waiting.request);
  }
  return requests;
}

void AdminRequests::answered(const wire::AdminReply& reply, MonotonicTime now) {
  const auto at = waiting_.find(reply.id);
  if (at == waiting_.end()) return;
  Waiting& waiting = at->second;
  if (!reply.done && is_passing(reply, waiting.request)) {
    waiting.next_try = now + pause_after_refusal;
    waiting.last_refusal = reply.message;
    return;
  }
  const Waiting done = std::move(waiting);
  waiting_.erase(at);
  if (reply.done)
    done.done(sentence_of(done.request));
  else
    done.done(fail(reply.refused, reply.message));
}

void AdminRequests::expire(MonotonicTime now) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (now < at->second.deadline) {
      ++at;
      continue;
    }
    const Waiting late = std::move(at->second);
    at = waiting_.erase(at);
    const std::string why = late.last_refusal.empty() ? "no leader answered" : late.last_refusal;
    late.done(fail(Errc::outcome_unknown,
                   "the deadline passed (" + why + "); look at the membership and ask again"));
  }
}

std::string sentence_of(const wire::AdminRequest& request) {
  const std::string node = "node " + to_string(request.member.id);
  switch (request.kind) {
    case wire::AdminRequest::Kind::add_member:
      return node + " is a member: a learner until it has caught up";
    case wire::AdminRequest::Kind::remove_member:
      return node + " is not a member";
    case wire::AdminRequest::Kind::promote_member:
      return node + " is a voter";
    case wire::AdminRequest::Kind::transfer:
      break;
  }
  return request.member.id ? "leadership moved to " + node : "leadership moved";
}

}  // namespace mainstay::admin
