#include "actors/kit/network_actor.hpp"

#include <utility>

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>

namespace mainstay::kit {

NetworkActor::NetworkActor(caf::actor_config& config)
    : caf::event_based_actor{config},
      network_{system().has_middleman() ? &system().middleman().backend() : nullptr} {}

// Whoever sends would otherwise decide where the receiver goes on: its own thread, or a
// scheduler's.
void NetworkActor::enqueue(caf::mailbox_element_ptr message, caf::execution_unit* from) {
  caf::event_based_actor::enqueue(std::move(message), network_ != nullptr ? network_ : from);
}

void NetworkActor::launch(caf::execution_unit* spawner, bool lazy, bool hide) {
  caf::event_based_actor::launch(network_ != nullptr ? network_ : spawner, lazy, hide);
}

// The network thread hands everything that is not its own kind to the scheduler.
caf::resumable::subtype_t NetworkActor::subtype() const {
  return network_ != nullptr ? io_actor : caf::event_based_actor::subtype();
}

}  // namespace mainstay::kit
