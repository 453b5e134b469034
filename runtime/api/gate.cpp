#include "runtime/api/gate.hpp"

#include <algorithm>
#include <utility>

namespace mainstay::api {

bool Gate::begin_look() {
  const std::lock_guard lock{mutex_};
  if (looks_ >= limits::token_looks_max) return false;
  ++looks_;
  return true;
}

void Gate::end_look() {
  const std::lock_guard lock{mutex_};
  --looks_;
}

std::optional<std::size_t> Gate::tell_denial(MonotonicTime now) {
  constexpr Millis one{limits::denial_entry_ms};
  const std::lock_guard lock{mutex_};
  const auto earned = (now - counted_) / one;
  entries_ = std::min(limits::denial_entries_max, entries_ + static_cast<std::size_t>(earned));
  counted_ += earned * one;
  if (entries_ == 0) {
    ++left_out_;
    return std::nullopt;
  }
  --entries_;
  return std::exchange(left_out_, 0);
}

}  // namespace mainstay::api
