#include "runtime/consensus/progress.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace mainstay::consensus {

bool Progress::paused() const {
  switch (state_) {
    case ProgressState::probe:
      return probe_sent_;
    case ProgressState::replicate:
      return window_full();
    case ProgressState::snapshot:
      return true;
  }
  UNREACHABLE();
}

bool Progress::window_full() const {
  return in_flight_.size() >= window_.appends_max || in_flight_bytes_ >= window_.bytes_max;
}

void Progress::sent(Index last, std::size_t bytes) {
  if (state_ == ProgressState::probe) {
    probe_sent_ = true;
    return;
  }
  ASSERT(state_ == ProgressState::replicate);
  if (last < next_) return;  // no entries: nothing to wait for
  next_ = last + 1;
  in_flight_.push_back({last, bytes});
  in_flight_bytes_ += bytes;
}

bool Progress::acknowledge(Index index) {
  const bool news = index > match_;
  match_ = std::max(match_, index);
  next_ = std::max(next_, match_ + 1);
  while (!in_flight_.empty() && in_flight_.front().last <= match_) {
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  if (state_ == ProgressState::probe) become_replicate();
  if (state_ == ProgressState::snapshot && match_ >= offered_.index) become_replicate();
  return news;
}

bool Progress::reject(Index rejected, Index retry) {
  if (state_ == ProgressState::snapshot || rejected <= match_) return false;
  if (state_ == ProgressState::probe && rejected != next_ - 1) return false;
  become_probe(std::max(match_ + 1, std::min(rejected, retry + 1)));
  return true;
}

void Progress::unreachable() {
  if (state_ == ProgressState::replicate) become_probe(match_ + 1);
}

void Progress::offer(const SnapshotMeta& snapshot) {
  become_probe(match_ + 1);
  state_ = ProgressState::snapshot;
  offered_ = snapshot;
  offer_ticks = 0;
}

void Progress::snapshot_failed() {
  if (state_ == ProgressState::snapshot) become_probe(match_ + 1);
  probe_sent_ = true;  // not again before the next heartbeat
}

void Progress::become_probe(Index next) {
  ASSERT(next > match_);
  state_ = ProgressState::probe;
  next_ = next;
  probe_sent_ = false;
  in_flight_.clear();
  in_flight_bytes_ = 0;
}

void Progress::become_replicate() {
  become_probe(match_ + 1);
  state_ = ProgressState::replicate;
}

}  // namespace mainstay::consensus
