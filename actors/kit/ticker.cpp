#include "actors/kit/ticker.hpp"

#include <algorithm>
#include <utility>

#include <caf/send.hpp>

#include "runtime/sys/clock.hpp"

namespace mainstay::kit {

bool TickPace::wake(MonotonicTime now, bool previous_handled, Tick& tick) {
  const MonotonicTime due = next_;
  const auto passed = static_cast<std::uint32_t>((now - due) / period_) + 1;
  owed_ += passed;
  next_ += period_ * passed;  // the grid stays fixed: lateness never adds up
  if (!previous_handled) return false;
  tick.periods = std::exchange(owed_, 0);
  tick.due = due;
  tick.lateness = std::chrono::duration_cast<Micros>(now - due);
  return true;
}

Ticker::Ticker(caf::actor receiver, Millis period)
    : receiver_{std::move(receiver)}, period_{period}, thread_{[this] { run(); }} {}

Ticker::~Ticker() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  stop_signal_.notify_all();
  thread_.join();
}

Ticker::Lateness Ticker::take_lateness() {
  const std::lock_guard lock{mutex_};
  const Lateness taken = lateness_;
  lateness_.worst = Micros{0};
  return taken;
}

void Ticker::run() {
  TickPace pace{period_, sys::system_clock().monotonic()};
  std::weak_ptr<const void> previous;
  std::unique_lock lock{mutex_};
  while (!stop_signal_.wait_until(lock, pace.next_due(), [this] { return stopping_; })) {
    Tick tick;
    if (pace.wake(sys::system_clock().monotonic(), previous.expired(), tick)) {
      ++lateness_.ticks;
      lateness_.skipped += tick.periods - 1;
      lateness_.worst = std::max(lateness_.worst, tick.lateness);
      const auto token = std::make_shared<const char>('\0');
      previous = token;
      tick.in_flight = token;
      caf::anon_send(receiver_, std::move(tick));
    }
  }
}

}  // namespace mainstay::kit
