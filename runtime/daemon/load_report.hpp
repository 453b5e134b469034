// What this node tells a load balancer about itself (HAProxy's agent-check).
#pragma once

#include "runtime/api/backend.hpp"
#include "runtime/http/agent_check.hpp"

namespace mainstay::daemon {

// drain while it drains, down while it is not ready, else how much it can take.
http::AgentReport load_report(api::Backend& backend);

}  // namespace mainstay::daemon
