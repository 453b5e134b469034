// Administrative requests under way: sent to the leader, again after a change of leader, a refusal
// that time may cure, or silence, until their deadline. Every such request may be repeated without
// harm: the leader answers "done" for what holds already. Passive; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::admin {

class AdminRequests {
 public:
  using Done = std::function<void(Result<std::string>)>;
  // `first_id`: above every one used before.
  explicit AdminRequests(std::uint64_t first_id) : next_id_{first_id} {}
  // What is still under way is answered not_ready.
  ~AdminRequests();
  AdminRequests(const AdminRequests&) = delete;
  AdminRequests& operator=(const AdminRequests&) = delete;

  void add(wire::AdminRequest request, MonotonicTime deadline, Done done);
  // What to send to the leader now.
  std::vector<wire::AdminRequest> due(MonotonicTime now);
  void answered(const wire::AdminReply& reply, MonotonicTime now);
  void expire(MonotonicTime now);
  bool empty() const { return waiting_.empty(); }

 private:
  struct Waiting {
    wire::AdminRequest request;
    MonotonicTime deadline;
    MonotonicTime next_try{};
    std::string last_refusal;
    Done done;
  };

  std::uint64_t next_id_;
  std::map<std::uint64_t, Waiting> waiting_;
};

// "node 4 was added as a learner" and the like.
std::string sentence_of(const wire::AdminRequest& request);

}  // namespace mainstay::admin
