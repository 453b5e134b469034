// A log in memory for driver tests: what a Persist has put there can be read back.
#pragma once

#include "runtime/consensus/core.hpp"
#include "runtime/consensus/log_reader.hpp"

namespace mainstay::replica {

class MemoryLog final : public consensus::LogReader {
 public:
  void write(const consensus::Persist& persist) {
    if (persist.truncate_from) entries_.resize(*persist.truncate_from - 1);
    entries_.insert(entries_.end(), persist.entries.begin(), persist.entries.end());
  }

  consensus::Index first_index() const override { return 1; }
  consensus::Index last_index() const override { return entries_.size(); }
  std::optional<consensus::Term> term(consensus::Index index) const override {
    if (index == 0) return 0;
    if (index > entries_.size()) return std::nullopt;
    return entries_[index - 1].term;
  }
  std::vector<consensus::Entry> entries(consensus::Index low, consensus::Index high,
                                        std::size_t) const override {
    return {entries_.begin() + static_cast<std::ptrdiff_t>(low - 1),
            entries_.begin() + static_cast<std::ptrdiff_t>(high - 1)};
  }
  consensus::SnapshotMeta snapshot() const override { return {}; }
  std::vector<consensus::Entry> membership_entries() const override {
    std::vector<consensus::Entry> found;
    for (const consensus::Entry& entry : entries_)
      if (entry.membership) found.push_back(entry);
    return found;
  }

 private:
  std::vector<consensus::Entry> entries_;
};

}  // namespace mainstay::replica
