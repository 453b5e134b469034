#include "runtime/torture/timeline.hpp"

#include <algorithm>
#include <cmath>

namespace mainstay::torture {

namespace {

constexpr double smallest_us = 100;
constexpr double growth = 1.2;

}  // namespace

void Bands::add(Micros latency) {
  const double us = static_cast<double>(latency.count());
  const double at =
      us <= smallest_us ? 0 : std::ceil(std::log(us / smallest_us) / std::log(growth));
  ++bands_[std::min(count - 1, static_cast<std::size_t>(at))];
  ++total_;
  max_ = std::max(max_, latency);
}

void Bands::add(const Bands& other) {
  for (std::size_t i = 0; i < count; ++i) bands_[i] += other.bands_[i];
  total_ += other.total_;
  max_ = std::max(max_, other.max_);
}

Micros Bands::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < count; ++i) {
    seen += bands_[i];
    if (seen >= wanted && seen > 0)
      return std::min(max_, Micros{static_cast<std::int64_t>(
                                smallest_us * std::pow(growth, static_cast<double>(i)))});
  }
  return max_;
}

Millis Timeline::since_begin(MonotonicTime time) const {
  return std::chrono::duration_cast<Millis>(time - begin_);
}

void Timeline::ended(MonotonicTime began, MonotonicTime now, bool good, bool write) {
  const auto took = std::chrono::duration_cast<Micros>(now - began);
  const std::lock_guard guard{mutex_};
  const auto second =
      static_cast<std::size_t>(std::max<std::int64_t>(0, since_begin(now).count())) / 1000;
  if (seconds_.size() <= second) seconds_.resize(second + 1);
  const bool late = !good || took > in_time;
  seconds_[second].latency.add(took);
  seconds_[second].late += late ? 1 : 0;
  ++requests_;
  late_ += late ? 1 : 0;
  if (!write || now < last_write_) return;
  const auto gap = std::chrono::duration_cast<Millis>(now - last_write_);
  if (gap >= gap_min && gaps_.size() < gaps_max) gaps_.push_back({since_begin(last_write_), gap});
  last_write_ = now;
}

std::vector<Timeline::Second> Timeline::seconds() const {
  const std::lock_guard guard{mutex_};
  return seconds_;
}

std::uint64_t Timeline::requests() const {
  const std::lock_guard guard{mutex_};
  return requests_;
}

std::uint64_t Timeline::late() const {
  const std::lock_guard guard{mutex_};
  return late_;
}

Bands Timeline::overall() const {
  Bands all;
  for (const Second& second : seconds()) all.add(second.latency);
  return all;
}

Millis Timeline::longest_gap(Millis from, Millis to) const {
  const std::lock_guard guard{mutex_};
  Millis longest{0};
  for (const Gap& gap : gaps_)
    if (gap.from <= to && gap.from + gap.lasted >= from) longest = std::max(longest, gap.lasted);
  return longest;
}

Millis Timeline::longest_request(Millis from, Millis to) const {
  const std::lock_guard guard{mutex_};
  Micros longest{0};
  const auto last = static_cast<std::size_t>(to.count() / 1000);
  for (std::size_t i = static_cast<std::size_t>(from.count() / 1000);
       i <= last && i < seconds_.size(); ++i)
    longest = std::max(longest, seconds_[i].latency.max());
  return std::chrono::duration_cast<Millis>(longest);
}

std::vector<Gap> Timeline::gaps() const {
  const std::lock_guard guard{mutex_};
  return gaps_;
}

}  // namespace mainstay::torture
