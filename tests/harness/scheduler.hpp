// Virtual time: events in the order of their moment, and of their making when moments are equal.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace mainstay::harness {

using SimTime = std::uint64_t;  // microseconds since the start of the simulation

inline constexpr SimTime sim_ms = 1000;
inline constexpr SimTime sim_second = 1000 * sim_ms;

class Scheduler {
 public:
  SimTime now() const { return now_; }

  void after(SimTime delay, std::function<void()> what) {
    queue_.push(Event{now_ + delay, made_++, std::move(what)});
  }

  // Runs the next event; false when there is none.
  bool step() {
    if (queue_.empty()) return false;
    Event event = std::move(const_cast<Event&>(queue_.top()));
    queue_.pop();
    now_ = event.when;
    ++run_;
    event.what();
    return true;
  }

  std::uint64_t events() const { return run_; }

 private:
  struct Event {
    SimTime when;
    std::uint64_t number;
    std::function<void()> what;

    bool operator<(const Event& other) const {
      return when != other.when ? when > other.when : number > other.number;
    }
  };

  SimTime now_ = 0;
  std::uint64_t made_ = 0;
  std::uint64_t run_ = 0;
  std::priority_queue<Event> queue_;
};

}  // namespace mainstay::harness
