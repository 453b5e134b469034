// Latency histogram with a relative error below 1/64: 64 linear steps in each power of two of
// microseconds. Not thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mainstay::bench {

class Histogram {
 public:
  void record(std::uint64_t micros) {
    ++counts_[slot_of(micros)];
    ++total_;
    if (micros > max_) max_ = micros;
  }

  void merge(const Histogram& other) {
    for (std::size_t slot = 0; slot < counts_.size(); ++slot) counts_[slot] += other.counts_[slot];
    total_ += other.total_;
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
  std::uint64_t max_ = 0;
};

}  // namespace mainstay::bench
