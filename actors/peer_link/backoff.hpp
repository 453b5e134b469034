// How long to wait before the next try to reach a peer: doubling from `shortest` to `longest`, each
// time between half of it and all of it at random, so that nodes that failed together do not come
// back together.
#pragma once

#include <algorithm>

#include "runtime/base/random.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::peer_link {

class Backoff {
 public:
  // REQUIRES: 0 < shortest <= longest.
  Backoff(Millis shortest, Millis longest)
      : shortest_{shortest}, longest_{longest}, next_{shortest} {}

  Millis next(Random& random) {
    const auto whole = static_cast<std::uint64_t>(next_.count());
    next_ = std::min(next_ * 2, longest_);
    return Millis{static_cast<Millis::rep>(random.between((whole + 1) / 2, whole))};
  }

  void reset() { next_ = shortest_; }

 private:
  const Millis shortest_;
  const Millis longest_;
  Millis next_;
};

}  // namespace mainstay::peer_link
