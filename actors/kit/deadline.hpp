// Time as actors see it. An actor takes time only from its own clock, which tests advance by hand.
#pragma once

#include <algorithm>

#include <caf/actor_clock.hpp>
#include <caf/local_actor.hpp>

#include "runtime/base/time.hpp"

namespace mainstay::kit {

inline MonotonicTime now_of(caf::local_actor& self) {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(self.clock().now());
}

// What is left until `deadline`, for CAF's time-outs (which know no nanoseconds): rounded up, at
// least 1 ms, because CAF reads 0 as "at once, before the answer can come".
inline Millis time_left(MonotonicTime now, MonotonicTime deadline) {
  return std::max(std::chrono::ceil<Millis>(deadline - now), Millis{1});
}

}  // namespace mainstay::kit
