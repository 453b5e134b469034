// How far a peer's wall clock is from this node's, estimated from the times it reports. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace mainstay::peer_link {

// A report arrives some time after it was sent, so that every sample is too small by that time, the
// largest of the last few the least so. Few: a clock that was set back is noticed when the samples
// from before are gone.
class ClockOffset {
 public:
  void report(std::uint64_t peer_millis, std::uint64_t own_millis) {
    samples_[count_++ % samples_.size()] =
        static_cast<std::int64_t>(peer_millis) - static_cast<std::int64_t>(own_millis);
  }
  // 0 before the first report.
  std::int64_t millis() const {
    if (count_ == 0) return 0;
    return *std::max_element(
        samples_.begin(),
        samples_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, samples_.size())));
  }
  void reset() { count_ = 0; }

 private:
  std::array<std::int64_t, 6> samples_{};
  std::size_t count_ = 0;
};

}  // namespace mainstay::peer_link
