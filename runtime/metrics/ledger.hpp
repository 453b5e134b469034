// The availability ledger: which share of this node's requests was answered within one second, and
// the longest time during which requests were waiting and none was acknowledged. Pure; one thread
// (callers guard it).
#pragma once

#include <cstdint>

#include "runtime/base/time.hpp"

namespace mainstay::metrics {

class Ledger {
 public:
  // A request ended after `took`; `served` is false for failures that are ours (busy, unknown
  // outcome, deadline), true for definite answers.
  void answered(Millis took, bool served);

  // A write was acknowledged. `waiting_since`: when the oldest write that waited just before
  // arrived; only time with somebody waiting counts as a gap.
  void acknowledged(MonotonicTime now, MonotonicTime waiting_since);

  std::uint64_t requests() const { return requests_; }
  std::uint64_t in_time() const { return in_time_; }
  // 1 while nothing was asked.
  double share_in_time() const;
  Millis longest_gap() const { return longest_gap_; }
  Millis last_gap() const { return last_gap_; }

 private:
  std::uint64_t requests_ = 0;
  std::uint64_t in_time_ = 0;
  MonotonicTime last_acknowledged_{};
  Millis longest_gap_{};
  Millis last_gap_{};
};

}  // namespace mainstay::metrics
