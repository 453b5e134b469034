// The applier actor: the only thread that writes the record store. Applies what is queued in one
// transaction, tells the replica and the gateway, syncs now and then, has a snapshot made by the
// copier when the log has grown long. Detached; a failure stops the process.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/storage/compaction.hpp"
#include "actors/storage/storage_api.hpp"
#include "runtime/metrics/node_metrics.hpp"
#include "runtime/store/fatal.hpp"
#include "runtime/store/record_store.hpp"

namespace mainstay::storage {

struct ApplierOptions {
  NodeId node;
  BootId boot;
  consensus::Membership membership;  // as of the applied index
  consensus::Index log_first = 1;
  CompactionPolicy compaction;
  Millis sync_every{1000};
  caf::actor log_writer;
  caf::actor copier;
};

class Applier final : public caf::event_based_actor {
 public:
  // `records`, `metrics` must outlive the actor.
  Applier(caf::actor_config& config, ApplierOptions options, store::RecordStore& records,
          metrics::NodeMetrics& metrics, std::shared_ptr<Board> board,
          std::shared_ptr<const Listeners> listeners, store::FatalHandler fatal);

  caf::behavior make_behavior() override;
  const char* name() const override { return "applier"; }
  void on_exit() override;

 private:
  void on_apply_entries(ApplyEntries& request);
  void on_apply_queued();
  void on_install_snapshot(const InstallSnapshot& request);
  void on_snapshot_copied(SnapshotCopied& event);
  void on_sync_tick();

  void note(const std::vector<consensus::Entry>& entries);
  void tell(store::ApplyResult result, bool jumped);
  void show_revision();
  bool snapshot_missing() const;
  void begin_copy();
  void offer(consensus::SnapshotMeta snapshot);
  void try_copy_later(const Error& why);
  void compact();

  ApplierOptions options_;
  store::RecordStore& records_;
  metrics::NodeMetrics& metrics_;
  const std::shared_ptr<Board> board_;
  const std::shared_ptr<const Listeners> listeners_;
  const store::FatalHandler fatal_;
  std::vector<consensus::Entry> queued_;
  consensus::Term term_ = 0;        // of the last applied entry
  std::uint64_t entries_ = 0;       // applied since the last snapshot
  std::uint64_t bytes_ = 0;         // payload of those
  consensus::Index due_from_ = 1;   // from here the entries count until the next snapshot
  consensus::Index log_first_ = 1;  // as far as this actor knows
  consensus::SnapshotMeta last_;    // the last one made here; none after an installation
  CompactionPolicy kept_;           // what may stay in the log behind it

  // A copy under way: it decides itself of which entry it is.
  struct Copy {
    MonotonicTime began;
    CompactionPolicy kept;
    // memberships from the begin on, each from its entry
    std::vector<std::pair<consensus::Index, consensus::Membership>> memberships;
  };
  std::optional<Copy> copy_;
};

}  // namespace mainstay::storage
