// How a worker treats a counterpart that fails or must not be hurried: jittered exponential
// backoff, circuit breaker, token bucket. Pure: time is given. One thread each.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/base/random.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::integration {

// Doubles from min to max; each wait is drawn from the upper half ("equal jitter", Brooker,
// "Exponential Backoff And Jitter", 2015), so that many do not come back at once.
class Backoff {
 public:
  Backoff(Millis min, Millis max, Random& random) : min_{min}, max_{max}, random_{&random} {}

  Millis next() { return after(failures_++); }
  void reset() { failures_ = 0; }
  std::uint32_t failures() const { return failures_; }

  // The wait after so many failures before this one.
  Millis after(std::uint32_t failures) {
    const auto shift = std::min<std::uint32_t>(failures, 20);
    const Millis whole = std::min(max_, Millis{min_.count() << shift});
    const auto half = static_cast<std::uint64_t>(std::max<std::int64_t>(1, whole.count() / 2));
    return Millis{static_cast<std::int64_t>(random_->between(half, 2 * half))};
  }

 private:
  Millis min_;
  Millis max_;
  Random* random_;
  std::uint32_t failures_ = 0;
};

// Closed: calls go through. After `failures_max` failures in a row open: none does, for `pause`.
// Then half-open: one tries; its success closes, its failure opens again.
class Breaker {
 public:
  enum class State : std::uint8_t { closed, open, half_open };

  Breaker(std::uint32_t failures_max, Millis pause) : failures_max_{failures_max}, pause_{pause} {}

  bool allows(MonotonicTime now) const { return failures_ < failures_max_ || now >= until_; }
  MonotonicTime until() const { return until_; }
  State state(MonotonicTime now) const {
    if (failures_ < failures_max_) return State::closed;
    return now >= until_ ? State::half_open : State::open;
  }
  void succeeded() { failures_ = 0; }
  void failed(MonotonicTime now) {
    failures_ = std::min(failures_ + 1, failures_max_);
    if (failures_ >= failures_max_) until_ = now + pause_;
  }

 private:
  std::uint32_t failures_max_;
  Millis pause_;
  std::uint32_t failures_ = 0;
  MonotonicTime until_{};
};

// At most `per_second` calls a second, with bursts of a tenth of a second; 0: no limit.
class RateLimit {
 public:
  explicit RateLimit(double per_second)
      : per_second_{per_second}, burst_{std::max(1.0, per_second / 10)}, tokens_{burst_} {}

  bool take(MonotonicTime now) {
    if (per_second_ <= 0) return true;
    const double passed = std::chrono::duration<double>(now - last_).count();
    if (last_ != MonotonicTime{}) tokens_ = std::min(burst_, tokens_ + passed * per_second_);
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  // How long until the next call may go.
  Millis wait() const {
    if (per_second_ <= 0 || tokens_ >= 1) return Millis{0};
    return Millis{static_cast<std::int64_t>((1 - tokens_) / per_second_ * 1000) + 1};
  }

 private:
  double per_second_;
  double burst_;
  double tokens_;
  MonotonicTime last_{};
};

}  // namespace mainstay::integration
