// What the load saw over time: for each second how many requests, how fast, how many without an
// answer in time; and each interval in which no write of any client was acknowledged. Bounded: a
// fixed size a second of the run, and at most gaps_max gaps. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

#include "runtime/base/time.hpp"

namespace mainstay::torture {

// An answer within this counts for availability.
inline constexpr Millis in_time{1000};
// A shorter interval without an acknowledged write is the rhythm of the load.
inline constexpr Millis gap_min{50};
inline constexpr std::size_t gaps_max = 100'000;

// Latencies in bands that grow by a fifth: a quantile is too high by at most that.
class Bands {
 public:
  void add(Micros latency);
  void add(const Bands& other);
  std::uint64_t total() const { return total_; }
  Micros quantile(double share) const;  // 0 when empty
  Micros max() const { return max_; }

 private:
  static constexpr std::size_t count = 80;  // from 100 us to more than 100 s
  std::array<std::uint32_t, count> bands_{};
  std::uint64_t total_ = 0;
  Micros max_{0};
};

struct Gap {
  Millis from{};  // after the beginning
  Millis lasted{};
};

class Timeline {
 public:
  explicit Timeline(MonotonicTime begin) : begin_{begin}, last_write_{begin} {}

  struct Second {
    Bands latency;
    std::uint32_t late = 0;  // no definite answer within in_time
  };

  // A request that ended. `good`: with a definite answer; `write`: acknowledged.
  void ended(MonotonicTime began, MonotonicTime now, bool good, bool write);

  Millis since_begin(MonotonicTime time) const;
  std::vector<Second> seconds() const;
  std::uint64_t requests() const;
  std::uint64_t late() const;
  Bands overall() const;
  // The longest interval without an acknowledged write that reaches into [from, to].
  Millis longest_gap(Millis from, Millis to) const;
  // The longest request that ended within.
  Millis longest_request(Millis from, Millis to) const;
  std::vector<Gap> gaps() const;

 private:
  const MonotonicTime begin_;
  mutable std::mutex mutex_;
  std::vector<Second> seconds_;
  std::vector<Gap> gaps_;
  MonotonicTime last_write_;
  std::uint64_t requests_ = 0, late_ = 0;
};

}  // namespace mainstay::torture
