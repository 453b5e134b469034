// What one seed does: how many nodes, which faults are on and how strong. Each seed switches most
// faults off, so that the ones that are on meet long undisturbed stretches as well as each other
// ("swarm testing", Groce et al. 2012).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "runtime/base/random.hpp"
#include "tests/harness/sim_network.hpp"
#include "tests/harness/sim_node.hpp"

namespace mainstay::harness {

enum class Fault : std::uint8_t {
  kill,            // kill -9, restart later
  power,           // power cut, restart later
  power_in_write,  // power cut or kill -9 in the middle of a write
  power_all,       // power cut of every node at once
  pause,           // SIGSTOP for a while
  partition,       // two sides
  one_way,         // one direction of one link, or all into or out of one node
  isolate_leader,  // cut the leader off, often right after it replicated to a few
  transfer,        // leadership to a random or the best voter
  drain,           // a node stops wanting to lead
  member,          // add, remove, replace, promote, demote
  lost_disk,       // a node comes back empty, as a new member
  slow_disk,       // log writes take up to a second
  disk_error,      // EIO or ENOSPC: the process must stop
  damage,          // a bit flips in a stored log record
  chase_leader,    // crash leaders one after another, each soon after its election (figure 8)
  unseen,          // a link closes though its process lives
  check,           // state hash checks
  storm,           // transfers in a row while others believe the leader gone
  election_crash,  // nodes restart at once in the middle of elections
  hasty_member,    // new leaders change the membership at once, and several times
  differ,          // a node's records come to differ from what the log says
};
inline constexpr std::size_t fault_count = 22;
std::string_view to_string(Fault fault);

struct Plan {
  std::uint32_t nodes = 3;
  SimTime chaos = 4 * sim_second;
  std::array<SimTime, fault_count> every{};  // mean time between two of a kind; 0: off
  NetworkFaults network;
  NodeSettings node;
  std::uint32_t clients = 3;
  std::uint32_t keys = 3;
  std::uint32_t stock_percent = 50;  // of the calls: those judged for linearizability
  std::uint32_t fence_percent = 0;   // of the attempts: somebody fences the operation meanwhile
  std::uint32_t readers = 1;         // of the change feed
  bool short_window = false;         // retention so short that it is felt
  std::uint32_t churn_percent = 0;   // of the commands: histories that grow and are cut short
  bool bulk = false;                 // many records, and an index built over them
  SimTime think_max = 60 * sim_ms;
  std::uint32_t value_bytes_max = 64;
  bool liveness = false;
  bool flood = false;  // an open stream of commands while progress is demanded
  bool skewed_ticks = false;
  bool skewed_clocks = false;

  bool on(Fault fault) const { return every[static_cast<std::size_t>(fault)] != 0; }
};

// `nodes` 0: mixed. `liveness`: demand progress of a healed majority while the rest stays faulty;
// otherwise every second seed does.
Plan draw_plan(Random& random, std::uint64_t seed, std::uint32_t nodes, bool liveness);
// No fault at all; snapshots, and entries that leave the log behind them.
Plan draw_calm_plan(Random& random, std::uint32_t nodes);
std::string describe(const Plan& plan);

}  // namespace mainstay::harness
