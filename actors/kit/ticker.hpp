// An even pulse for an actor, from a plain thread that nothing else can hold up: no scheduler, no
// mailbox, no other actor.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include <caf/actor.hpp>

#include "actors/kit/type_ids.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::kit {

// `periods` is how many periods passed since the previous tick that was sent: 1 normally, more when
// the receiver had not yet handled the previous one (ticks never pile up in a mailbox) or when the
// thread itself was held up. The receiver counts its timers by `periods`.
struct Tick {
  std::uint32_t periods = 1;
  MonotonicTime due{};  // when it should have been sent
  Micros lateness{0};   // how much later than `due` it was sent
  std::shared_ptr<const void>
      in_flight;  // lives until the receiver has handled and dropped the tick
};

// The pace, without the thread: tested alone. Times do not decrease.
class TickPace {
 public:
  TickPace(Millis period, MonotonicTime start) : period_{period}, next_{start + period} {}

  MonotonicTime next_due() const { return next_; }
  // Called at or after next_due(). `previous_handled`: the last sent tick was dropped by its
  // receiver. True: send `tick` now.
  bool wake(MonotonicTime now, bool previous_handled, Tick& tick);

 private:
  const Millis period_;
  MonotonicTime next_;
  std::uint32_t owed_ = 0;
};

// Sends Tick to `receiver` every `period` until destroyed. Any thread may read the measurements.
class Ticker {
 public:
  Ticker(caf::actor receiver, Millis period);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  struct Lateness {
    std::uint64_t ticks = 0;
    std::uint64_t skipped = 0;  // periods without a tick of their own
    Micros worst{0};            // since the last call of take_lateness
  };
  Lateness take_lateness();

 private:
  void run();

  const caf::actor receiver_;
  const Millis period_;
  std::mutex mutex_;
  std::condition_variable stop_signal_;
  bool stopping_ = false;  // guarded by mutex_
  Lateness lateness_;      // guarded by mutex_
  std::thread thread_;
};

}  // namespace mainstay::kit

MAINSTAY_OWN_MESSAGE(mainstay::kit::Tick)
