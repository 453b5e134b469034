// The settings of the process's actor system, each for a measured reason
// (docs/decisions/0003-frames-over-basp.md).
#pragma once

#include <cstddef>

#include <caf/actor_system_config.hpp>

#include "runtime/base/time.hpp"

namespace mainstay::kit {

struct SystemOptions {
  bool networking = true;  // load the middleman; tests without links do without
  bool virtual_time =
      false;  // one thread, time advanced by hand: tests only, never with networking
  std::size_t scheduler_threads = 2;
  // Between nodes: a link that carries nothing for `silence_max` is cut. At least 10 heartbeats,
  // because they queue behind payload.
  Millis heartbeat{500};
  Millis silence_max{5'000};
};

class ActorSystemConfig final : public caf::actor_system_config {
 public:
  explicit ActorSystemConfig(const SystemOptions& options = {});
};

}  // namespace mainstay::kit
