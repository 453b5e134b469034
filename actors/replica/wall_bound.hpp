// What a leader says the time is. Replicated time never goes back, and rows that guard against
// repetition go when it passes their retention: one leader whose clock is far ahead would drop all
// of them at once. So the time it proposes starts from the replicated time, goes on with its
// monotonic clock, and leaves that only by a margin and a catch-up rate: after a stop of the whole
// group it is soon right again, and a wrong clock gives retries time to come. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/base/time.hpp"

namespace mainstay::replica {

class WallBound {
 public:
  static constexpr std::uint64_t margin_ms = 60ULL * 60 * 1000;
  static constexpr std::uint64_t catch_up_rate = 24;  // for each unit of time as the leader

  // `wall_millis`: this node's clock. `replicated_millis`: of the newest entry applied here; 0:
  // none, then every clock is right.
  std::uint64_t bounded(std::uint64_t wall_millis, std::uint64_t replicated_millis, bool leads,
                        MonotonicTime now) {
    const bool begins = leads && !leads_;
    leads_ = leads;
    if (!leads && replicated_millis != reference_millis_) {
      reference_millis_ = replicated_millis;
      reference_at_ = now;
    }
    if (begins) led_since_ = now;
    held_back_ = false;
    if (reference_millis_ == 0) return wall_millis;
    const std::uint64_t led = leads ? millis(led_since_, now) * catch_up_rate : 0;
    const std::uint64_t bound = reference_millis_ + millis(reference_at_, now) + margin_ms + led;
    held_back_ = wall_millis > bound;
    return std::min(wall_millis, bound);
  }

  // The last answer was not what the clock says.
  bool held_back() const { return held_back_; }

 private:
  static std::uint64_t millis(MonotonicTime from, MonotonicTime to) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<Millis>(to - from).count());
  }

  std::uint64_t reference_millis_ = 0;  // replicated time before this node led
  MonotonicTime reference_at_{};
  MonotonicTime led_since_{};
  bool leads_ = false;
  bool held_back_ = false;
};

}  // namespace mainstay::replica
