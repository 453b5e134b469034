// A log in memory, for cores without a disk: what write() was given is durable.
#pragma once

#include <vector>

#include "runtime/base/assert.hpp"
#include "runtime/consensus/core.hpp"
#include "runtime/consensus/log_reader.hpp"

namespace mainstay::harness {

class MemoryLog final : public consensus::LogReader {
 public:
  explicit MemoryLog(consensus::Membership initial = {}) : start_membership_{std::move(initial)} {}

  void write(const consensus::Persist& persist) {
    if (persist.snapshot) {
      start_ = persist.snapshot->index;
      start_term_ = persist.snapshot->term;
      start_membership_ = persist.snapshot->membership;
      entries_.clear();
    }
    if (persist.truncate_from && *persist.truncate_from <= last_index()) {
      ASSERT(*persist.truncate_from > start_);
      entries_.resize(*persist.truncate_from - start_ - 1);
    }
    for (const consensus::Entry& entry : persist.entries) {
      ASSERT(entry.index == last_index() + 1);
      entries_.push_back(entry);
    }
    if (persist.hard_state) hard_state_ = *persist.hard_state;
  }

  // Forgets entries up to and including `to`.
  void compact(consensus::Index to) {
    ASSERT(to >= start_ && to <= last_index());
    for (; start_ < to; ++start_) {
      start_term_ = entries_.front().term;
      if (entries_.front().membership) start_membership_ = *entries_.front().membership;
      entries_.erase(entries_.begin());
    }
  }

  void set_snapshot(consensus::SnapshotMeta snapshot) { snapshot_ = std::move(snapshot); }

  consensus::HardState hard_state() const { return hard_state_; }
  const consensus::Membership& start_membership() const { return start_membership_; }

  consensus::Index first_index() const override { return start_ + 1; }
  consensus::Index last_index() const override { return start_ + entries_.size(); }

  std::optional<consensus::Term> term(consensus::Index index) const override {
    if (index == start_) return start_term_;
    if (index < start_ || index > last_index()) return std::nullopt;
    return entries_[index - start_ - 1].term;
  }

  std::vector<consensus::Entry> entries(consensus::Index low, consensus::Index high,
                                        std::size_t bytes_max) const override {
    std::vector<consensus::Entry> found;
    std::size_t bytes = 0;
    for (consensus::Index index = low; index > start_ && index < high; ++index) {
      const consensus::Entry& entry = entries_[index - start_ - 1];
      bytes += entry.bytes();
      if (!found.empty() && bytes > bytes_max) break;
      found.push_back(entry);
    }
    return found;
  }

  consensus::SnapshotMeta snapshot() const override { return snapshot_; }

  std::vector<consensus::Entry> membership_entries() const override {
    std::vector<consensus::Entry> found;
    for (const consensus::Entry& entry : entries_)
      if (entry.kind == consensus::EntryKind::membership) found.push_back(entry);
    return found;
  }

 private:
  consensus::Index start_ = 0;
  consensus::Term start_term_ = 0;
  consensus::Membership start_membership_;
  consensus::HardState hard_state_;
  std::vector<consensus::Entry> entries_;
  consensus::SnapshotMeta snapshot_;
};

}  // namespace mainstay::harness
