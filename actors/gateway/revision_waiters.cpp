#include "actors/gateway/revision_waiters.hpp"

#include <algorithm>
#include <vector>

namespace mainstay::gateway {

RevisionWaiters::~RevisionWaiters() {
  while (!waiters_.empty()) take(waiters_.begin())(fail(Errc::not_ready, "the node stopped"));
}

void RevisionWaiters::add(record::Revision after, MonotonicTime deadline, Late late,
                          RevisionHandler done) {
  if (after < revision_) return done(revision_);
  const std::uint64_t id = next_++;
  by_revision_.emplace(after, id);
  by_deadline_.emplace(deadline, id);
  waiters_.emplace(id, Waiter{after, deadline, late, std::move(done)});
}

void RevisionWaiters::applied(record::Revision revision) {
  revision_ = std::max(revision_, revision);
  // Those that add themselves again wait for a later one: each is called once for a revision.
  while (!by_revision_.empty() && by_revision_.begin()->first < revision_)
    take(waiters_.find(by_revision_.begin()->second))(revision_);
}

void RevisionWaiters::expire(MonotonicTime now) {
  std::vector<std::uint64_t> late;
  for (const auto& [deadline, id] : by_deadline_) {
    if (deadline > now) break;
    late.push_back(id);
  }
  for (const std::uint64_t id : late) give_up(id);
}

void RevisionWaiters::give_up(std::uint64_t id) {
  const auto at = waiters_.find(id);
  const auto [after, late] = std::pair{at->second.after, at->second.late};
  const RevisionHandler done = take(at);
  if (late == Late::told) return done(revision_);
  done(fail(Errc::deadline_exceeded, "this node has applied revision " + std::to_string(revision_) +
                                         ", revision " + std::to_string(after + 1) +
                                         " did not come before the deadline"));
}

void RevisionWaiters::end_feeds() {
  std::vector<RevisionHandler> feeds;
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    const auto next = std::next(at);
    if (at->second.late == Late::told) feeds.push_back(take(at));
    at = next;
  }
  for (const RevisionHandler& done : feeds)
    done(fail(Errc::not_ready, "this node stops; go on at another one"));
}

RevisionHandler RevisionWaiters::take(Waiters::iterator at) {
  by_revision_.erase({at->second.after, at->first});
  by_deadline_.erase({at->second.deadline, at->first});
  RevisionHandler done = std::move(at->second.done);
  waiters_.erase(at);
  return done;
}

}  // namespace mainstay::gateway
