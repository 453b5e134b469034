// The durable log of one group in LMDB. Grammar of its tables: on top of log_open.cpp and
// docs/formats/log.md. One writer thread calls write() and compact(); the LogReader part is for the
// core's thread; both may run at the same time.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/consensus/core.hpp"
#include "runtime/consensus/log_reader.hpp"
#include "runtime/store/go_on.hpp"
#include "runtime/store/usage.hpp"

namespace mainstay::store {

class LogStore final : public consensus::LogReader {
 public:
  struct Impl;
  explicit LogStore(std::unique_ptr<Impl> impl);
  ~LogStore() override;

  // Makes all of these durable in ONE commit (group commit: give it everything that is queued, in
  // order). When it returns ok they survive a power cut. Any error means the process must stop;
  // nothing is retried.
  Result<void> write(const std::vector<const consensus::Persist*>& persists);

  // Forgets entries up to and including `to`, keeping their term for the log's new start. The
  // caller guarantees that the record store has synced an applied index >= to. At most a bounded
  // number of entries per call; returns the new first index.
  Result<consensus::Index> compact(consensus::Index to);

  // Publishes a snapshot that others may pull (bytes already durable), or none (index 0).
  Result<void> set_snapshot(const consensus::SnapshotMeta& snapshot);

  // Binds an empty, unformed log to its cluster; `initial` becomes the membership at its start. For
  // NodeStore::form().
  Result<void> form(ClusterId cluster, const consensus::Membership& initial);

  consensus::HardState hard_state() const;
  // Membership as of the log's start (snapshot or bootstrap).
  consensus::Membership start_membership() const;

  consensus::Index first_index() const override;
  consensus::Index last_index() const override;
  std::optional<consensus::Term> term(consensus::Index index) const override;
  std::vector<consensus::Entry> entries(consensus::Index low, consensus::Index high,
                                        std::size_t bytes_max) const override;
  consensus::SnapshotMeta snapshot() const override;
  std::vector<consensus::Entry> membership_entries() const override;

  // Re-reads every record: checksum, chain, contiguity. For the scrub and tests. Any thread, while
  // the log is written: no transaction is held for longer than limits::scrub_piece_bytes take.
  // Errors: corrupt; busy when `go_on` said no, before all was read.
  Result<void> verify(const GoOn& go_on = always) const;

  StoreUsage usage() const;
  std::uint64_t commits() const;  // commits since open, compactions included

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace mainstay::store
