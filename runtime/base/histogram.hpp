// Latencies with a relative error below 1/64: 64 linear steps in each power of two of microseconds.
// Not thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mainstay {

class Histogram {
 public:
  void record(std::uint64_t micros) {
    ++counts_[slot_of(micros)];
    ++total_;
    sum_ += micros;
    if (micros > max_) max_ = micros;
  }

  void merge(const Histogram& other) {
    for (std::size_t slot = 0; slot < counts_.size(); ++slot) counts_[slot] += other.counts_[slot];
    total_ += other.total_;
    sum_ += other.sum_;
    if (other.max_ > max_) max_ = other.max_;
  }

  // The smallest recorded value (to the histogram's precision) that at least `share` of all values
  // do not exceed. 0 when empty.
  std::uint64_t quantile(double share) const {
    if (total_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_ - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t slot = 0; slot < counts_.size(); ++slot) {
      seen += counts_[slot];
      if (seen >= wanted) return value_of(slot);
    }
    return max_;
  }

  std::uint64_t total() const { return total_; }
  std::uint64_t max() const { return max_; }
  double mean() const {
    return total_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(total_);
  }

  // How many values lie in [2^n, 2^(n+1)) microseconds, from the first to the last power that has
  // any; 0 counts as 1.
  struct Band {
    std::uint64_t from = 0, to = 0, count = 0;
  };
  std::vector<Band> bands() const {
    std::vector<Band> all;
    for (std::size_t slot = 0; slot < counts_.size(); ++slot) {
      if (counts_[slot] == 0) continue;
      const std::uint64_t from = std::bit_floor(value_of(slot) | 1U);
      while (!all.empty() && all.back().to < from)
        all.push_back({all.back().to, 2 * all.back().to, 0});
      if (all.empty() || all.back().from != from) all.push_back({from, 2 * from, 0});
      all.back().count += counts_[slot];
    }
    return all;
  }

 private:
  static constexpr int step_bits = 6;
  static constexpr std::size_t steps = std::size_t{1} << step_bits;
  static constexpr std::size_t powers = 40;

  static std::size_t slot_of(std::uint64_t micros) {
    if (micros < steps) return static_cast<std::size_t>(micros);
    const int power = std::bit_width(micros) - 1 - step_bits;
    const std::size_t slot =
        (static_cast<std::size_t>(power) + 1) * steps + ((micros >> power) - steps);
    return slot < powers * steps ? slot : powers * steps - 1;
  }

  static std::uint64_t value_of(std::size_t slot) {
    if (slot < steps) return slot;
    const std::size_t power = slot / steps - 1;
    return (steps + slot % steps) << power;
  }

  std::array<std::uint64_t, powers * steps> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace mainstay
