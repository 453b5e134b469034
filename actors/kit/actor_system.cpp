#include "actors/kit/actor_system.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include "actors/kit/type_ids.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/sys/random.hpp"

// CAF makes its node id from the MAC addresses and the process id. Two containers of one host can
// agree in both, and one started again has the same as before its end: handles would then reach
// another node or an earlier life. This definition takes the place of CAF's own (the dynamic linker
// prefers the executable's), so that every actor system gets a random number where the process id
// was.
namespace caf::detail {
__attribute__((visibility("default"))) unsigned get_process_id();
unsigned get_process_id() {
  return static_cast<unsigned>(mainstay::sys::system_random().next() & 0x7fffffffu) | 1u;
}
}  // namespace caf::detail

namespace mainstay::kit {

ActorSystemConfig::ActorSystemConfig(const SystemOptions& options) {
  add_message_types<caf::id_block::mainstay_wire>();
  if (options.virtual_time) {
    ASSERT_MSG(!options.networking, "the network does not follow virtual time");
    set("scheduler.policy", caf::atom("testing"));
    return;
  }
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", options.scheduler_threads);
  set("scheduler.max-throughput", std::size_t{50});
  if (!options.networking) return;
  ASSERT(options.silence_max >= 10 * options.heartbeat);
  load<caf::io::middleman>();
  set("middleman.workers", std::size_t{0});
  set("middleman.heartbeat-interval", caf::timespan{options.heartbeat});
  set("middleman.connection-timeout", caf::timespan{options.silence_max});
  set("middleman.enable-automatic-connections", false);
  set("middleman.app-identifiers", std::vector<std::string>{"mainstay/1"});
}

}  // namespace mainstay::kit
