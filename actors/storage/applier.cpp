#include "actors/storage/applier.hpp"

#include <chrono>
#include <iterator>
#include <utility>

#include "actors/kit/errors.hpp"
#include "runtime/base/log.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::storage {

namespace {

double seconds_since(MonotonicTime start) {
  return std::chrono::duration<double>(sys::system_clock().monotonic() - start).count();
}

}  // namespace

Applier::Applier(caf::actor_config& config, ApplierOptions options, store::RecordStore& records,
                 metrics::NodeMetrics& metrics, std::shared_ptr<Board> board,
                 std::shared_ptr<const Listeners> listeners, store::FatalHandler fatal)
    : caf::event_based_actor{config},
      options_{std::move(options)},
      records_{records},
      metrics_{metrics},
      board_{std::move(board)},
      listeners_{std::move(listeners)},
      fatal_{std::move(fatal)},
      due_from_{options_.log_first},
      log_first_{options_.log_first} {
  options_.compaction = staggered(options_.compaction, options_.node);
}

caf::behavior Applier::make_behavior() {
  kit::route_errors(*this, "applier");
  board_->applied = records_.applied();
  board_->durable_applied = records_.durable_applied();
  show_revision();
  delayed_send(this, options_.sync_every, SyncTick{});
  return {
      [this](ApplyEntries& request) { on_apply_entries(request); },
      [this](ApplyQueued) { on_apply_queued(); },
      [this](const InstallSnapshot& request) { on_install_snapshot(request); },
      [this](SnapshotCopied& event) { on_snapshot_copied(event); },
      [this](SyncTick) { on_sync_tick(); },
  };
}

// A clean stop leaves nothing to replay.
void Applier::on_exit() {
  if (const auto synced = records_.sync(); !synced)
    log_warn("applier", "the last sync failed: {}", to_string(synced.error()));
  options_.log_writer = nullptr;
  options_.copier = nullptr;
}

void Applier::on_apply_entries(ApplyEntries& request) {
  if (queued_.empty()) send(this, ApplyQueued{});
  queued_.insert(queued_.end(), std::make_move_iterator(request.entries.begin()),
                 std::make_move_iterator(request.entries.end()));
}

void Applier::on_apply_queued() {
  if (queued_.empty()) return;  // a snapshot was installed in between
  const std::vector<consensus::Entry> entries = std::exchange(queued_, {});
  const auto start = sys::system_clock().monotonic();
  auto result = records_.apply(entries);
  if (!result) return fatal_(result.error());
  note(entries);
  tell(std::move(*result), false);
  metrics_.apply.observe(seconds_since(start));
  metrics_.applied_entries.add(static_cast<double>(entries.size()));
}

void Applier::note(const std::vector<consensus::Entry>& entries) {
  for (const consensus::Entry& entry : entries) {
    ++entries_;
    bytes_ += entry.bytes();
    if (!entry.membership) continue;
    options_.membership = *entry.membership;
    if (copy_) copy_->memberships.emplace_back(entry.index, options_.membership);
  }
  term_ = entries.back().term;
}

void Applier::tell(store::ApplyResult result, bool jumped) {
  board_->applied = result.applied;
  OwnOutcomes own{result.applied, term_, {}, jumped};
  for (record::BatchOutcome& outcome : result.outcomes) {
    for (const record::Outcome& one : outcome.outcomes)
      if (one.revision > board_->revision) board_->revision = one.revision;
    if (outcome.origin == options_.node && outcome.origin_boot == options_.boot)
      own.outcomes.push_back(std::move(outcome));
  }
  // What the scrub found must not hide behind a hash that was right when it was added up: the
  // others decide whether this node is the one that differs. Two damaged nodes do not agree either.
  if (board_->damaged) {
    for (auto& check : result.checks) {
      check.hash[0] = ~check.hash[0];
      check.hash[1] ^= options_.node.value;
    }
  }
  // Clients wait for the gateway, only the leader's bookkeeping for the replica.
  listeners_->outcomes(std::move(own));
  listeners_->applied(AppliedUpTo{result.applied, std::move(result.checks)});
}

void Applier::on_install_snapshot(const InstallSnapshot& request) {
  log_info("applier", "installs snapshot {} at index {}", request.snapshot.id,
           request.snapshot.index);
  // Entries that it covers may still be queued; those after it are sent only after it.
  queued_.clear();
  if (const auto installed = records_.install(request.snapshot); !installed)
    return fatal_(installed.error());
  options_.membership = request.snapshot.membership;
  term_ = request.snapshot.term;
  due_from_ = log_first_ = request.snapshot.index + 1;
  last_ = {};
  copy_.reset();  // what it gave way to is newer
  entries_ = bytes_ = 0;
  board_->durable_applied = records_.durable_applied();
  show_revision();
  metrics_.snapshots_installed.add();
  store::ApplyResult result;
  result.applied = records_.applied();
  tell(std::move(result), true);
}

// As the records say: for a start and for a jump, where no outcome tells it.
void Applier::show_revision() {
  const auto view = records_.read();
  if (!view) return;
  board_->revision = (*view)->state().counters().revision;
  board_->replicated_millis = (*view)->state().counters().stamp.millis;
}

void Applier::on_sync_tick() {
  delayed_send(this, options_.sync_every, SyncTick{});
  if (const auto synced = records_.sync_in_background(); !synced) return fatal_(synced.error());
  board_->durable_applied = records_.durable_applied();
  show_revision();
  metrics_.records_used.set(static_cast<double>(records_.bytes_used()));
  metrics_.longest_view.set(std::chrono::duration<double>(records_.take_longest_view()).count());
  if (snapshot_due(options_.compaction, LogUse{due_from_, records_.durable_applied(), bytes_}) ||
      snapshot_missing())
    begin_copy();
  compact();
}

// A node that began from another's snapshot has none of its own, and its log begins behind that
// one: as a leader it could not feed a member that needs more. One made here is offered by the
// core as soon as it is published, so that a wish which stays is not a wish for another one.
bool Applier::snapshot_missing() const {
  const bool offered = last_.index != 0 && last_.index + 1 >= log_first_;
  return board_->snapshot_wanted && !offered && records_.applied() > 0;
}

void Applier::begin_copy() {
  // A node that joined a log without its beginning knows no membership before the first entry that
  // carries one. A snapshot without voters would be refused by everybody it is offered to.
  if (copy_ || options_.membership.voters().empty()) return;
  copy_.emplace();
  copy_->began = sys::system_clock().monotonic();
  copy_->kept = fitted(options_.compaction, std::exchange(entries_, 0), std::exchange(bytes_, 0));
  copy_->memberships.emplace_back(records_.applied(), options_.membership);
  send(options_.copier, CopySnapshot{});
}

void Applier::on_snapshot_copied(SnapshotCopied& event) {
  if (!copy_) return;  // another snapshot was installed meanwhile
  if (event.snapshot)
    offer(std::move(*event.snapshot));
  else
    try_copy_later(event.snapshot.error());
  copy_.reset();
}

void Applier::offer(consensus::SnapshotMeta snapshot) {
  for (const auto& [from, membership] : copy_->memberships)
    if (from <= snapshot.index) snapshot.membership = membership;
  last_ = std::move(snapshot);
  kept_ = copy_->kept;
  due_from_ = last_.index;
  metrics_.snapshots_made.add();
  log_info("applier", "made snapshot {} at index {} ({} MiB, {:.0f} ms)", last_.id, last_.index,
           last_.bytes >> 20, seconds_since(copy_->began) * 1000);
  send(options_.log_writer, CompactLog{last_, 0});
  if (const auto pruned = records_.prune_snapshots(2, board_->serving_index); !pruned)
    return fatal_(pruned.error());
  compact();
}

// A copy that does not fit on the disk harms nobody: the log stays longer. The store itself has its
// own watch on the free space. Anything else says that the disk cannot be trusted.
void Applier::try_copy_later(const Error& why) {
  if (why.code != Errc::storage_full && why.code != Errc::busy) return fatal_(why);
  if (board_->stopping) return;
  log_warn("applier", "no snapshot: {}", to_string(why));
  // again after half as much more
  const consensus::Index half = options_.compaction.entries_max / 2;
  if (records_.applied() > half) due_from_ = std::max(due_from_, records_.applied() - half);
}

// Forgets what the last snapshot covers. Looked at again and again: what is synced and the member
// that held the log go on, and neither needs another copy.
void Applier::compact() {
  if (last_.index == 0) return;
  const consensus::Index to =
      compact_to(kept_, records_.durable_applied(), last_.index, board_->needed_from.load());
  if (to < log_first_) return;
  log_first_ = to + 1;
  send(options_.log_writer, CompactLog{last_, to});
}

}  // namespace mainstay::storage
