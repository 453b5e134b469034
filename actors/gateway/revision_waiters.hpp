// Those on this node that wait until it shows a revision: change feeds for anything new, session
// reads for what their client saw before. One call for each applied revision ends all that it
// satisfies; the rest costs nothing. Passive: time and revisions come in as calls. Owner: the
// gateway actor; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::gateway {

// Called exactly once: with the newest applied revision, or an error.
using RevisionHandler = std::function<void(Result<record::Revision>)>;

class RevisionWaiters {
 public:
  // What becomes of a waiter whose deadline passes.
  enum class Late {
    told,    // the newest revision is the answer: a feed with nothing new
    failed,  // deadline_exceeded: a read that needs the revision
  };

  RevisionWaiters() = default;
  // Everybody who still waits is answered not_ready.
  ~RevisionWaiters();
  RevisionWaiters(const RevisionWaiters&) = delete;
  RevisionWaiters& operator=(const RevisionWaiters&) = delete;

  // Waits for a revision above `after`. `done` may be called at once.
  void add(record::Revision after, MonotonicTime deadline, Late late, RevisionHandler done);

  // This node shows everything up to `revision`.
  void applied(record::Revision revision);

  void expire(MonotonicTime now);

  // Answers not_ready to every feed: the node stops, they go on at another one.
  void end_feeds();

  std::size_t waiting() const { return waiters_.size(); }
  record::Revision revision() const { return revision_; }

 private:
  struct Waiter {
    record::Revision after = 0;
    MonotonicTime deadline;
    Late late = Late::told;
    RevisionHandler done;
  };
  using Waiters = std::map<std::uint64_t, Waiter>;

  // Out of every table before anybody is called: a handler may add again.
  RevisionHandler take(Waiters::iterator at);
  void give_up(std::uint64_t id);

  record::Revision revision_ = 0;
  std::uint64_t next_ = 1;
  Waiters waiters_;
  std::set<std::pair<record::Revision, std::uint64_t>> by_revision_;
  std::set<std::pair<MonotonicTime, std::uint64_t>> by_deadline_;
};

}  // namespace mainstay::gateway
