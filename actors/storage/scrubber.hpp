// The scrubber actor: reads everything that is stored again, once in a while, and compares it with
// its checksums and the state hash: the running hash cannot see a bit that flipped on the disk.
// Damage is not acted on alone: from then on this node reports a state hash that differs, and the
// majority decides (promise P6). Detached: it reads the whole disk.
#pragma once

#include <memory>

#include <caf/event_based_actor.hpp>

#include "actors/storage/storage_api.hpp"
#include "runtime/base/time.hpp"
#include "runtime/metrics/node_metrics.hpp"
#include "runtime/store/node_store.hpp"

namespace mainstay::storage {

class Scrubber final : public caf::event_based_actor {
 public:
  // `store` and `metrics` must outlive the actor.
  Scrubber(caf::actor_config& config, Millis every, store::NodeStore& store,
           metrics::NodeMetrics& metrics, std::shared_ptr<Board> board);

  caf::behavior make_behavior() override;
  const char* name() const override { return "scrubber"; }

 private:
  void on_scrub_tick();

  const Millis every_;
  store::NodeStore& store_;
  metrics::NodeMetrics& metrics_;
  const std::shared_ptr<Board> board_;
};

}  // namespace mainstay::storage
