#include "runtime/consensus/unstable_log.hpp"

#include "runtime/base/assert.hpp"

namespace mainstay::consensus {

UnstableLog::UnstableLog(const LogReader& reader, std::size_t recent_bytes_max)
    : reader_{reader},
      recent_bytes_max_{recent_bytes_max},
      stored_{reader.last_index()},
      handed_{stored_},
      last_{stored_} {
  const auto term_of_last = reader.term(last_);
  ASSERT_MSG(term_of_last || last_ == 0, "the log store does not know the term of its last entry");
  last_term_ = term_of_last.value_or(0);
}

std::optional<Term> UnstableLog::term(Index index) const {
  if (index > last_) return std::nullopt;
  if (index == last_) return last_term_;
  if (index >= tail_start()) return at(index).term;
  if (index == 0) return 0;
  return reader_.term(index);
}

bool UnstableLog::not_ahead_of(Index index, Term its_term) const {
  return its_term != last_term_ ? its_term > last_term_ : index >= last_;
}

std::vector<Entry> UnstableLog::entries(Index low, Index high, std::size_t bytes_max) const {
  ASSERT(low <= high && high <= last_);
  std::vector<Entry> result;
  std::size_t bytes = 0;
  Index next = low;
  if (low < tail_start()) {
    result = reader_.entries(low, std::min(high + 1, tail_start()), bytes_max);
    if (result.empty()) return result;
    ASSERT(result.front().index == low);
    for (const Entry& entry : result) bytes += entry.bytes();
    next = result.back().index + 1;
    if (next < tail_start()) return result;
  }
  for (; next <= high; ++next) {
    const Entry& entry = at(next);
    bytes += entry.bytes();
    if (bytes > bytes_max && !result.empty()) break;
    result.push_back(entry);
  }
  return result;
}

Index UnstableLog::last_with_term_at_most(Index from, Term bound, Index floor) const {
  Index index = std::min(from, last_);
  while (index > floor) {
    const auto found = term(index);
    if (!found || *found <= bound) break;
    --index;
  }
  return index;
}

void UnstableLog::append(Entry entry) {
  ASSERT(entry.index == last_ + 1);
  ASSERT_MSG(entry.term >= last_term_, "terms never decrease along a log");
  last_ = entry.index;
  last_term_ = entry.term;
  tail_.push_back(std::move(entry));
}

void UnstableLog::truncate(Index from) {
  ASSERT(from >= 1 && from <= last_);
  while (!tail_.empty() && tail_.back().index >= from) {
    if (tail_.back().index <= stored_) recent_bytes_ -= tail_.back().bytes();
    tail_.pop_back();
  }
  if (from <= handed_) truncate_from_ = std::min(truncate_from_.value_or(from), from);
  last_ = from - 1;
  handed_ = std::min(handed_, last_);
  stored_ = std::min(stored_, last_);
  const auto term_of_last = tail_.empty() ? reader_.term(last_) : tail_.back().term;
  ASSERT_MSG(term_of_last || last_ == 0, "truncated into the compacted part of the log");
  last_term_ = term_of_last.value_or(0);
}

std::optional<Index> UnstableLog::take_truncation() {
  return std::exchange(truncate_from_, std::nullopt);
}

std::vector<Entry> UnstableLog::take_unhanded() {
  std::vector<Entry> entries;
  entries.reserve(last_ - handed_);
  for (Index index = handed_ + 1; index <= last_; ++index) entries.push_back(at(index));
  handed_ = last_;
  return entries;
}

void UnstableLog::stored_to(Index index) {
  ASSERT(index <= handed_);
  for (; stored_ < index; ++stored_) recent_bytes_ += at(stored_ + 1).bytes();
  trim();
}

void UnstableLog::restart_after(Index index, Term term) {
  tail_.clear();
  recent_bytes_ = 0;
  stored_ = handed_ = last_ = index;
  last_term_ = term;
  truncate_from_.reset();
}

void UnstableLog::trim() {
  while (!tail_.empty() && tail_.front().index <= stored_ && recent_bytes_ > recent_bytes_max_) {
    recent_bytes_ -= tail_.front().bytes();
    tail_.pop_front();
  }
}

}  // namespace mainstay::consensus
