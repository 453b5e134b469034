// Bounds for what is queued or under way (promise P9). Without actors and threads: whoever owns one
// counts with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "runtime/base/assert.hpp"

namespace mainstay::kit {

// A budget of units (bytes, requests) under way. `take` refuses beyond the limit. congested() has a
// hysteresis: it becomes true when a take is refused or the limit is reached, and false again when
// use has fallen to `resume`; so that a sender at the edge does not flap.
class Credit {
 public:
  // REQUIRES: resume <= limit.
  Credit(std::size_t limit, std::size_t resume) : limit_{limit}, resume_{resume} {
    ASSERT(resume <= limit);
  }

  // True: `units` are counted and must be given back. One take larger than the limit is granted
  // when nothing else is under way, so that an oversize item passes alone instead of never.
  bool take(std::size_t units) {
    if (used_ != 0 && used_ + units > limit_) {
      congested_ = true;
      ++refused_;
      return false;
    }
    used_ += units;
    if (used_ >= limit_) congested_ = true;
    return true;
  }

  void give(std::size_t units) {
    ASSERT(units <= used_);
    used_ -= units;
    if (used_ <= resume_) congested_ = false;
  }

  // All that was under way is gone (the link broke).
  void reset() { used_ = 0, congested_ = false; }

  bool congested() const { return congested_; }
  std::size_t used() const { return used_; }
  std::size_t limit() const { return limit_; }
  std::uint64_t refused() const { return refused_; }

 private:
  const std::size_t limit_;
  const std::size_t resume_;
  std::size_t used_ = 0;
  std::uint64_t refused_ = 0;
  bool congested_ = false;
};

// A first-in first-out queue with a bound on items and on units (bytes).
template <class T>
class BoundedQueue {
 public:
  BoundedQueue(std::size_t items_max, std::size_t units_max)
      : items_max_{items_max}, units_max_{units_max} {}

  // False: full, nothing was queued.
  bool push(T item, std::size_t units) {
    if (items_.size() >= items_max_ || units_ + units > units_max_) return false;
    units_ += units;
    items_.emplace_back(std::move(item), units);
    return true;
  }

  std::optional<T> pop() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item{std::move(items_.front().first)};
    units_ -= items_.front().second;
    items_.pop_front();
    return item;
  }

  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  std::size_t units() const { return units_; }

 private:
  const std::size_t items_max_;
  const std::size_t units_max_;
  std::size_t units_ = 0;
  std::deque<std::pair<T, std::size_t>> items_;
};

}  // namespace mainstay::kit
