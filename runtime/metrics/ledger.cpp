#include "runtime/metrics/ledger.hpp"

#include <algorithm>

namespace mainstay::metrics {

void Ledger::answered(Millis took, bool served) {
  ++requests_;
  if (served && took <= Millis{1000}) ++in_time_;
}

void Ledger::acknowledged(MonotonicTime now, MonotonicTime waiting_since) {
  const MonotonicTime from = std::max(last_acknowledged_, waiting_since);
  last_gap_ = std::chrono::duration_cast<Millis>(now - from);
  longest_gap_ = std::max(longest_gap_, last_gap_);
  last_acknowledged_ = now;
}

double Ledger::share_in_time() const {
  return requests_ == 0 ? 1.0 : static_cast<double>(in_time_) / static_cast<double>(requests_);
}

}  // namespace mainstay::metrics
