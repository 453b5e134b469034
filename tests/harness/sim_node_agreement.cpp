// How simulated replicas prove to each other that they hold the same, and what one does that
// differs (promise P6): the replica's and the steward's part in it.
#include <algorithm>

#include "runtime/wire/codec.hpp"
#include "tests/harness/collections.hpp"
#include "tests/harness/sim_node.hpp"

namespace mainstay::harness {

using consensus::Entry;
using consensus::EntryKind;
using consensus::Index;

namespace {

bool is_plain_put(const record::Command& command) {
  return command.kind == record::CommandKind::transaction && command.actions.size() == 1 &&
         command.actions.front().kind == record::ActionKind::put &&
         command.actions.front().collection == names::stock;
}

}  // namespace

// As if memory had failed while an entry was applied: one value is not what the log says.
void SimNode::alter(std::vector<Entry>& entries) {
  for (Entry& entry : entries) {
    if (entry.kind != EntryKind::batch || entry.index <= applied_) continue;
    Result<record::LogBatch> batch = wire::decode_log_batch(entry.payload);
    for (record::Batch& part : batch->batches) {
      const auto put = std::find_if(part.commands.begin(), part.commands.end(), is_plain_put);
      if (put == part.commands.end()) continue;
      put->actions.front().value = Bytes{std::string{"\"altered\""}};
      std::vector<Bytes> encoded;
      for (const record::Batch& each : batch->batches) encoded.emplace_back(wire::encode(each));
      entry.payload = Bytes{wire::encode_log_batch(batch->wall_millis, encoded)};
      alter_next_ = false;
      altered_at_ = entry.index;
      mended_at_ = Index{0} - 1;
      world_.trace.say(id_.value, "applies {} with another value", entry.index);
      return;
    }
  }
}

// The change may have been refused, repeated, undone by a power cut, or forgotten since.
void SimNode::see_whether_mended(const record::Counters& counters) {
  const Index index = counters.applied_index;
  if (is_altered(index) && world_.invariants.is_known_state(counters)) mended_at_ = index;
}

void SimNode::report_checks(const std::vector<store::ApplyResult::Check>& checks) {
  for (const store::ApplyResult::Check& check : checks) {
    for (const consensus::Member& member : core().membership().members)
      if (member.id != id_)
        world_.network.send(id_, member.id, StateHashParcel{check.index, check.hash});
    on_state_hash(id_, {check.index, check.hash});
  }
}

void SimNode::on_state_hash(NodeId from, const StateHashParcel& report) {
  const auto verdict =
      agreement_.report(report.index, from, report.hash, core().membership().voters());
  if (!verdict || quarantined_) return;
  const auto& differing = verdict->differing;
  if (std::find(differing.begin(), differing.end(), id_) == differing.end()) return;
  if (!is_altered(report.index) && !trouble_expected_)
    throw Violation{"only a replica that differs takes itself out",
                    "n" + to_string(id_) + " at " + std::to_string(report.index)};
  quarantined_ = true;
  world_.trace.mark("quarantine", id_.value, report.index);
  world_.trace.say(id_.value, "differs from the majority at {}: stops serving and voting",
                   report.index);
  core_->set_quarantined(true);
  demand(store_->mark_for_start_over("differs from the majority"), "mark for starting over");
  if (!disk_.cut_happened() && on_quarantined_) on_quarantined_(*this);
}

void SimNode::start_over() {
  world_.invariants.disk_lost(key());
  damaged_ = false;
  trouble_expected_ = false;
  altered_at_ = 0;
}

}  // namespace mainstay::harness
