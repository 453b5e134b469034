#include "runtime/store/log_cache.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/base/limits.hpp"

namespace mainstay::store {

using consensus::Entry;
using consensus::Index;
using consensus::Term;

void LogCache::restart(LogStart start) {
  start_ = std::move(start);
  last_ = start_.index;
  runs_.clear();
  tail_.clear();
  tail_bytes_ = 0;
  memberships_.clear();
}

void LogCache::append_cold(Index index, Term term, consensus::EntryKind kind) {
  ASSERT(index == last_ + 1 && tail_.empty());
  last_ = index;
  if (runs_.empty() || runs_.back().term != term) runs_.push_back({index, term});
  if (runs_.size() > limits::log_term_runs_max) runs_.pop_front();
  if (kind == consensus::EntryKind::membership) memberships_.push_back(index);
}

void LogCache::append(const Entry& entry) {
  ASSERT(entry.index == last_ + 1);
  last_ = entry.index;
  if (runs_.empty() || runs_.back().term != entry.term) runs_.push_back({entry.index, entry.term});
  if (runs_.size() > limits::log_term_runs_max) runs_.pop_front();
  if (entry.kind == consensus::EntryKind::membership) memberships_.push_back(entry.index);
  tail_.push_back(entry);
  tail_bytes_ += entry.bytes();
  while (tail_bytes_ > limits::log_tail_bytes_max && tail_.size() > 1) {
    tail_bytes_ -= tail_.front().bytes();
    tail_.pop_front();
  }
}

void LogCache::truncate(Index from) {
  ASSERT(from > start_.index);
  if (from > last_) return;
  while (!tail_.empty() && tail_.back().index >= from) {
    tail_bytes_ -= tail_.back().bytes();
    tail_.pop_back();
  }
  while (!runs_.empty() && runs_.back().first >= from) runs_.pop_back();
  while (!memberships_.empty() && memberships_.back() >= from) memberships_.pop_back();
  last_ = from - 1;
}

void LogCache::compact(LogStart start) {
  ASSERT(start.index >= start_.index && start.index <= last_);
  start_ = std::move(start);
  while (!tail_.empty() && tail_.front().index <= start_.index) {
    tail_bytes_ -= tail_.front().bytes();
    tail_.pop_front();
  }
  // A run that spans the new start stays: it is still right for what is left of it.
  while (runs_.size() > 1 && runs_[1].first <= start_.index + 1) runs_.pop_front();
  while (!memberships_.empty() && memberships_.front() <= start_.index) memberships_.pop_front();
}

std::optional<Term> LogCache::term(Index index) const {
  if (index == start_.index) return start_.term;
  if (!holds(index)) return std::nullopt;
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run)
    if (run->first <= index) return run->term;
  return std::nullopt;
}

std::optional<std::vector<Entry>> LogCache::entries(Index low, Index high,
                                                    std::size_t bytes_max) const {
  if (tail_.empty() || low < tail_first()) return std::nullopt;
  std::vector<Entry> found;
  std::size_t bytes = 0;
  for (Index index = low; index < high && index <= last_; ++index) {
    const Entry& entry = tail_[index - tail_first()];
    bytes += entry.bytes();
    if (!found.empty() && bytes > bytes_max) break;
    found.push_back(entry);
  }
  return found;
}

}  // namespace mainstay::store
