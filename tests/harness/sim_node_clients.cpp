// What clients ask of a simulated node, as the gateway does it: writes in batches, reads at a
// confirmed index.
#include "runtime/base/mutant.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/harness/sim_node.hpp"

namespace mainstay::harness {

using consensus::Index;

namespace {

constexpr std::uint64_t wall_epoch_ms = 1'700'000'000'000;
constexpr std::uint32_t resends_max = 4;

}  // namespace

// --- clients ---

void SimNode::submit(record::Command command, OnOutcome on_outcome) {
  enter(life_, [this, command = std::move(command), on_outcome = std::move(on_outcome)] {
    if (quarantined_) return;
    commands_.emplace_back(command, on_outcome);
    if (std::exchange(commands_due_, true)) return;
    after(world_.random.between(0, 500), [this] { flush_commands(); });
  });
}

void SimNode::flush_commands() {
  commands_due_ = false;
  record::Batch batch;
  batch.origin = id_;
  batch.origin_boot = boot_;
  batch.sequence = ++next_sequence_;
  for (auto& [command, on_outcome] : std::exchange(commands_, {})) {
    waiting_[{batch.sequence, batch.commands.size()}] = std::move(on_outcome);
    batch.commands.push_back(std::move(command));
  }
  const Bytes bytes{wire::encode(batch)};
  send_batch(bytes);
  if (settings_.resend) resend_later(batch.sequence, bytes, resends_max);
}

void SimNode::send_batch(const Bytes& batch) {
  const NodeId leader = core().leader();
  if (leader == id_)
    on_propose(batch);
  else if (leader)
    world_.network.send(id_, leader, ProposeParcel{batch});
}

// The batch may have been lost, or only its outcomes are late.
void SimNode::resend_later(std::uint64_t sequence, const Bytes& batch, std::uint32_t times) {
  after(world_.random.between(20, 250) * sim_ms, [this, sequence, batch, times] {
    const auto open = waiting_.lower_bound({sequence, 0});
    if (times == 0 || open == waiting_.end() || open->first.first != sequence) return;
    send_batch(batch);
    resend_later(sequence, batch, times - 1);
  });
}

void SimNode::on_propose(const Bytes& batch) {
  if (core().role() != consensus::CoreRole::leader) return;  // the client asks again
  batches_.push_back(batch);
  if (std::exchange(batches_due_, true)) return;
  after(world_.random.between(0, 300), [this] { flush_batches(); });
}

void SimNode::flush_batches() {
  batches_due_ = false;
  const auto wall = static_cast<std::uint64_t>(
      static_cast<std::int64_t>(wall_epoch_ms +
                                world_.scheduler.now() * settings_.clock_rate / sim_ms) +
      settings_.wall_skew_ms);
  const std::vector<Bytes> batches = std::exchange(batches_, {});
  const Bytes payload{wire::encode_log_batch(wall, batches)};
  const Result<Index> proposed = core_->propose(payload);
  world_.trace.mark("propose", id_.value, proposed ? *proposed : 0);
  pump();
}

void SimNode::look(OnView on_view) {
  enter(life_, [this, on_view = std::move(on_view)] {
    const std::uint64_t context = MUTANT(replica_repeats_read_contexts) ? 1 : next_context_++;
    reads_[context] = {on_view, world_.invariants.committed(), 0, false};
    core_->read_index(context);
    pump();
  });
}

void SimNode::serve_reads() {
  for (auto at = reads_.begin(); at != reads_.end();) {
    const bool behind = at->second.index > applied_ && !MUTANT(replica_reads_before_applied);
    if (!at->second.confirmed || behind) {
      ++at;
      continue;
    }
    const PendingRead ready = std::move(at->second);
    at = reads_.erase(at);
    if (is_altered(applied_) || quarantined_) {
      ready.on_view(nullptr);
      continue;
    }
    auto view = store_->records().read();
    if (!view) throw NodeStopped{view.error()};
    ready.on_view(&(*view)->state());
  }
}

}  // namespace mainstay::harness
