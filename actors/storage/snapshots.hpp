// The snapshots actor: gives pieces of this node's snapshot files to peers, fetches a peer's
// snapshot when the core asks for it, and watches the free disk space. Detached: reading and
// staging block. A failure of the disk stops the process; so does one of this actor (it is a
// critical child): the core asks for a pull once, and a restarted actor would not know of it.
#pragma once

#include <memory>
#include <optional>

#include <caf/event_based_actor.hpp>

#include "actors/peer_link/peer_link_api.hpp"
#include "actors/storage/chunk_window.hpp"
#include "actors/storage/storage_api.hpp"
#include "runtime/metrics/node_metrics.hpp"
#include "runtime/store/node_store.hpp"

namespace mainstay::storage {

class Snapshots final : public caf::event_based_actor {
 public:
  // `store`, `metrics` must outlive the actor.
  Snapshots(caf::actor_config& config, store::NodeStore& store, metrics::NodeMetrics& metrics,
            std::shared_ptr<Board> board, std::shared_ptr<const Listeners> listeners,
            store::FatalHandler fatal);

  caf::behavior make_behavior() override;
  const char* name() const override { return "snapshots"; }

 private:
  void on_pull_snapshot(const PullSnapshot& request);
  void on_frame(const peer_link::FrameReceived& received);
  void on_snapshot_tick();

  void serve(NodeId to, const wire::SnapshotRequest& request);
  void take(NodeId from, const wire::SnapshotChunk& chunk);
  void ask();
  void finish(bool ok);
  void note_served(const std::string& id);
  void watch_space();

  store::NodeStore& store_;
  metrics::NodeMetrics& metrics_;
  const std::shared_ptr<Board> board_;
  const std::shared_ptr<const Listeners> listeners_;
  const store::FatalHandler fatal_;
  std::optional<ChunkWindow> window_;
  int ticks_ = 0;
  std::optional<MonotonicTime> served_at_;  // the last piece of board.serving_index
};

}  // namespace mainstay::storage
