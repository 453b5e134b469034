// Which faults happen when, to whom and for how long: drawn from one seed before anything starts,
// so that the same seed gives the same plan on every machine. What a machine cannot do is left out
// when its moment comes, and the rest stays as it was. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/time.hpp"

namespace mainstay::torture {

enum class FaultKind : std::uint8_t {
  kill,           // SIGKILL, started again at the end
  kill_all,       // SIGKILL of every node, all started again at once
  freeze,         // SIGSTOP, SIGCONT at the end
  drain,          // SIGTERM, waits for the end, started again
  rolling_drain,  // the same of every node in turn
  partition,      // one node without the others; clients still reach it
  isolate,        // one node without the others and without clients
  one_way,        // others do not hear the node; it hears them
  flapping,       // a partition that comes and goes
  bridge,         // two halves that only one node sees both of: every node sees a majority
  loss,           // packets between all nodes are lost at random
  delay,          // packets come later, and in another order
  reset,          // connections between all nodes are reset
  sync_error,     // one sync fails
  sync_stall,     // each sync takes longer
  disk_full,      // no byte can be written
  clock_step,     // the wall clock is wrong
  membership,     // a follower is removed, and added at the end
  crash_images,   // writes are recorded, and disks built as power cuts would leave them
};
inline constexpr std::size_t fault_kinds = 19;
std::string_view to_string(FaultKind kind);

// What it needs of the machine.
enum class Need : std::uint8_t { nothing, network, hook, mount };
Need need_of(FaultKind kind);

// Whether a majority of nodes goes on meanwhile, so that clients must be served. With three nodes a
// removed one leaves no fault to spare, which is why only one happens at a time.
bool leaves_majority(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kill;
  // 1 to `nodes`; 0: the node that leads when the moment comes (membership: one that does not).
  std::uint32_t node = 0;
  Millis at{};     // after the load began
  Millis lasts{};  // drain, reset, sync_error: a moment, then only the time for its effects
  std::int64_t amount = 0;  // loss: per mille; delay, sync_stall, clock_step: milliseconds
};
// "3.2 s: freeze node 2 for 1.5 s"
std::string to_string(const Fault& fault);

struct PlanOptions {
  std::uint64_t seed = 1;
  std::uint32_t nodes = 3;
  Millis length{600'000};  // of the load
};

// In the order of time; never two at once; the last ends some seconds before the load does.
std::vector<Fault> make_plan(const PlanOptions& options);

}  // namespace mainstay::torture
