// The simulated applier: entries into the record store, snapshots, compaction, and the comparison
// of all of it with the model.
#include <algorithm>

#include "tests/harness/audit.hpp"
#include "tests/harness/outcomes.hpp"
#include "tests/harness/sim_node.hpp"

namespace mainstay::harness {

using consensus::Entry;
using consensus::EntryKind;
using consensus::Index;
using consensus::SnapshotMeta;

// --- snapshots from others ---

void SimNode::install(const SnapshotMeta& snapshot) {
  demand(store_->records().install(snapshot), "snapshot install");
  applied_ = store_->records().applied();
  applied_membership_ = snapshot.membership;
  mended_at_ = std::min(mended_at_, applied_);
  last_snapshot_ = 0;  // the one that was installed is not for others
  while (!to_apply_.empty() && to_apply_.front().index <= applied_) to_apply_.pop_front();
  if (disk_.cut_happened()) return;
  world_.trace.mark("install", id_.value, applied_);
  world_.trace.say(id_.value, "installs the snapshot up to {}", applied_);
  look_through(1);
}

void SimNode::look_through(std::uint32_t one_in) {
  const auto view = store_->records().read();
  if (!view) return;
  see_whether_mended((*view)->state().counters());
  if (is_altered(applied_)) return;
  world_.invariants.on_applied(key(), (*view)->state().counters());
  // Which versions a history still holds shows in the few moments before it is as short as it shall
  // be.
  if (world_.model.forgot_in_part(applied_)) one_in = std::min<std::uint32_t>(one_in, 4);
  if (world_.random.between(1, one_in) == 1) audit((*view)->state(), world_.model, id_);
}

// --- the applier ---

void SimNode::start_apply() {
  if (apply_busy_ || to_apply_.empty()) return;
  apply_busy_ = true;
  after(world_.random.between(settings_.apply_min, settings_.apply_max), [this] { apply_some(); });
}

void SimNode::apply_some() {
  apply_busy_ = false;
  std::vector<Entry> entries{to_apply_.begin(), to_apply_.end()};
  to_apply_.clear();
  if (entries.empty()) return;
  for (const Entry& entry : entries)
    if (entry.index == world_.model.index() + 1) world_.model.apply(entry);
  if (alter_next_) alter(entries);
  const Index before = store_->records().applied();
  Result<store::ApplyResult> result = store_->records().apply(entries);
  if (!result) throw NodeStopped{result.error()};
  if (disk_.cut_happened()) return;
  for (const Entry& entry : entries)
    if (entry.kind == EntryKind::membership) applied_membership_ = *entry.membership;
  applied_ = result->applied;
  world_.trace.mark("apply", id_.value, applied_);
  compare(before, *result);
  look_through(settings_.audit_one_in);
  answer(result->outcomes);
  tell_applied();
  report_checks(result->checks);
  maintain();
  pump();
}

// What each command was answered, against what the model says of its entry.
void SimNode::compare(Index before, const store::ApplyResult& result) const {
  std::size_t batch = 0;
  for (Index index = before + 1; index <= result.applied; ++index)
    for (const auto& wanted : world_.model.outcomes(index)) {
      const bool there =
          batch < result.outcomes.size() && result.outcomes[batch].outcomes.size() == wanted.size();
      if (!there) throw Violation{"every command is answered", "at " + std::to_string(index)};
      const record::BatchOutcome& found = result.outcomes[batch++];
      for (std::size_t i = 0; i < wanted.size(); ++i)
        if (!same_answer(wanted[i], found.outcomes[i]))
          throw Violation{"answers are as the log says",
                          found.operations[i] + " at " + std::to_string(index) + " on n" +
                              to_string(id_) + ": " + describe(found.outcomes[i]) + " instead of " +
                              describe(wanted[i])};
    }
}

std::unique_ptr<store::ReadView> SimNode::local_view() {
  if (state_ == State::down || !store_ || is_altered(applied_) || quarantined_) return nullptr;
  Result<std::unique_ptr<store::ReadView>> view = store_->records().read();
  return view ? std::move(*view) : nullptr;
}

void SimNode::tell_applied() {
  core_->applied(applied_);
}

void SimNode::answer(const std::vector<record::BatchOutcome>& outcomes) {
  for (const record::BatchOutcome& batch : outcomes) {
    if (batch.origin != id_ || batch.origin_boot != boot_) continue;
    for (std::size_t i = 0; i < batch.operations.size(); ++i) {
      const auto at = waiting_.find({batch.sequence, i});
      if (at == waiting_.end()) continue;
      const OnOutcome on_outcome = std::move(at->second);
      waiting_.erase(at);
      on_outcome(batch.outcomes[i]);
    }
  }
}

// Snapshots and compaction, as the daemon does them: what is forgotten must be safely applied, and
// when somebody needs more than the log still holds, a snapshot is made.
void SimNode::maintain() {
  if (settings_.compact_every == 0) return;
  if (settings_.compact_alone && applied_ >= last_compacted_ + settings_.compact_every) {
    last_compacted_ = applied_;
    if (world_.random.between(0, 2) == 0) demand(store_->records().sync(), "record sync");
    compact(store_->records().durable_applied());
    return;
  }
  const bool due = !settings_.compact_alone && applied_ >= last_snapshot_ + settings_.compact_every;
  if (due || (core().role() == consensus::CoreRole::leader && core().status().snapshot_wanted))
    make_snapshot();
}

void SimNode::make_snapshot() {
  store::RecordStore& records = store_->records();
  if (applied_ == 0 || applied_ == last_snapshot_) return;
  if (is_altered(applied_)) return;  // others would take over what it should not have
  if (applied_membership_.voters().empty()) return;  // as the applier: it would lead nowhere
  demand(records.sync(), "record sync");
  Result<SnapshotMeta> made = records.make_snapshot(applied_membership_);
  if (!made) throw NodeStopped{made.error()};
  if (disk_.cut_happened()) return;
  demand(store_->log().set_snapshot(*made), "publish snapshot");
  demand(records.prune_snapshots(2), "prune snapshots");
  last_snapshot_ = made->index;
  world_.trace.mark("snapshot", id_.value, made->index);
  world_.trace.say(id_.value, "makes a snapshot at {}", made->index);
  compact(std::min(made->index, records.durable_applied()));
}

void SimNode::compact(Index to) {
  to = to > settings_.keep_entries ? to - settings_.keep_entries : 0;
  if (settings_.honour_pins && core().needed_from() > 0)
    to = std::min(to, core().needed_from() - 1);
  if (to < store_->log().first_index() || disk_.cut_happened()) return;
  world_.trace.mark("compact", id_.value, to);
  world_.trace.say(id_.value, "forgets the log up to {}", to);
  Result<Index> first = store_->log().compact(to);
  if (!first) throw NodeStopped{first.error()};
  if (!disk_.cut_happened())
    world_.invariants.on_compacted(key(), *first, store_->records().durable_applied());
}

}  // namespace mainstay::harness
