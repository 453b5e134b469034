// Carries CAF's BASP over an authenticated TLS connection, with what CAF's own streams lack: a
// bound on output that the peer does not take and on the size of what it announces.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <caf/actor_system.hpp>
#include <caf/io/scribe.hpp>

#include "actors/peer_link/connector.hpp"

namespace mainstay::peer_link {

struct ScribeLimits {
  std::size_t frame_bytes_max =
      0;  // a larger announced message ends the connection before memory is taken for it
  std::size_t output_bytes_max = 0;  // a peer that lets more pile up is cut off
};

// Takes the socket and the stream out of `connection`. `closed` is called exactly once, on the
// network thread, when the broker has let go of the connection for whatever reason: whatever is
// sent to the broker after that finds its state of this connection gone.
caf::io::scribe_ptr make_tls_scribe(caf::actor_system& system, Connection& connection,
                                    const ScribeLimits& limits, std::function<void()> closed);

// The actor behind BASP. It must not end before the process: nothing brings it back.
caf::actor basp_broker_of(caf::actor_system& system);

}  // namespace mainstay::peer_link
