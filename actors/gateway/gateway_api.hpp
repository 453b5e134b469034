// What the gateway understands. Requests come from the HTTP threads through its Inbox; the wake-up
// message carries nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <caf/actor.hpp>

#include "actors/kit/type_ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::gateway {

// To the gateway: there is something new in the inbox.
struct InboxFilled {};
// Timer: while any request waits.
struct GatewayTick {};
// Timer: while anybody waits for a revision.
struct WaitTick {};
// To the gateway: the node stops; feeds are to go on elsewhere.
struct EndFeeds {};

struct WriteRequest {
  record::Command command;
  MonotonicTime added;
  MonotonicTime deadline;
  std::function<void(Result<record::Outcome>)> done;
};
struct ReadRequest {
  MonotonicTime added;
  MonotonicTime deadline;
  std::function<void(Result<void>)> done;
};
// Until this node shows a revision above `after`.
struct RevisionRequest {
  record::Revision after = 0;
  // Of a feed: at the deadline, the newest revision is the answer. Else of a read that needs it.
  bool feed = false;
  MonotonicTime added;
  MonotonicTime deadline;
  std::function<void(Result<record::Revision>)> done;
};

// How much waits in the gateway: counted in when a request is admitted, out when it is answered.
// Thread-safe.
class Admission {
 public:
  // False: at the bound; refuse the request now.
  bool enter(std::size_t bytes) {
    const auto requests = requests_.fetch_add(1) + 1;
    const auto total = bytes_.fetch_add(bytes) + bytes;
    if (requests <= limits::gateway_requests_max && total <= limits::gateway_buffer_bytes_max)
      return true;
    leave(bytes);
    return false;
  }
  void leave(std::size_t bytes) {
    requests_.fetch_sub(1);
    bytes_.fetch_sub(bytes);
  }
  // The same for feeds, which are no requests: a node may stop while they wait.
  bool enter_feed() {
    if (feeds_.fetch_add(1) < limits::gateway_feeds_max) return true;
    leave_feed();
    return false;
  }
  void leave_feed() { feeds_.fetch_sub(1); }
  std::size_t feeds() const { return feeds_.load(); }

  std::size_t requests() const { return requests_.load(); }
  std::size_t bytes() const { return bytes_.load(); }

 private:
  std::atomic<std::size_t> requests_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> feeds_{0};
};

// Where foreign threads leave requests for the gateway: one wake-up message for all that came since
// it last looked. Thread-safe. Outlives every gateway actor, so that requests that come during a
// restart wait for the next one.
class Inbox {
 public:
  struct Items {
    std::vector<WriteRequest> writes;
    std::vector<ReadRequest> reads;
    std::vector<RevisionRequest> revisions;

    bool empty() const { return writes.empty() && reads.empty() && revisions.empty(); }
  };

  // `wake` sends InboxFilled to the gateway that runs now.
  explicit Inbox(std::function<void()> wake) : wake_{std::move(wake)} {}

  void push(WriteRequest request) {
    put([&request](Items& items) { items.writes.push_back(std::move(request)); });
  }
  void push(ReadRequest request) {
    put([&request](Items& items) { items.reads.push_back(std::move(request)); });
  }
  void push(RevisionRequest request) {
    put([&request](Items& items) { items.revisions.push_back(std::move(request)); });
  }
  Items take() {
    Items taken;
    const std::lock_guard lock{mutex_};
    std::swap(taken, items_);
    return taken;
  }

 private:
  template <class Put>
  void put(const Put& into) {
    bool first = false;
    {
      const std::lock_guard lock{mutex_};
      first = items_.empty();
      into(items_);
    }
    if (first) wake_();
  }

  const std::function<void()> wake_;
  std::mutex mutex_;
  Items items_;
};

}  // namespace mainstay::gateway

MAINSTAY_BEGIN_MESSAGES(gateway)
MAINSTAY_MESSAGE(gateway, mainstay::gateway::EndFeeds)
MAINSTAY_MESSAGE(gateway, mainstay::gateway::GatewayTick)
MAINSTAY_MESSAGE(gateway, mainstay::gateway::InboxFilled)
MAINSTAY_MESSAGE(gateway, mainstay::gateway::WaitTick)
MAINSTAY_END_MESSAGES(gateway)
