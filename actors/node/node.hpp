// A node: all of its actors, under two supervisors.
//
//   house   links · steward · gateway · metrics · admin · adapter_host      from the start; each
//   restarts alone group   log_writer · copier · applier · snapshots ·      from the moment the
//   node belongs to a
//           scrubber · replica                               cluster; all but the scrubber are
//                                                            critical: a failure of one stops the
//                                                            process (promise P7)
//
// Which of them have a thread of their own: detached.hpp. Owner: the daemon, which outlives it with
// everything that NodeParts points to. Functions are for the owner's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <caf/actor_system.hpp>

#include "actors/adapter_host/adapter_host.hpp"
#include "actors/gateway/node_backend.hpp"
#include "runtime/api/backend.hpp"
#include "runtime/base/random.hpp"
#include "runtime/config/config.hpp"
#include "runtime/metrics/node_metrics.hpp"
#include "runtime/store/node_store.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::node {

// Exit codes of a node that ends by itself; a service manager starts it again after both.
inline constexpr int exit_internal = 70;  // an actor failed for good
inline constexpr int exit_start_over =
    75;  // its state differed from the majority's: it comes back as a new member

struct NodeParts {
  const config::Config* config = nullptr;
  std::string release;
  store::NodeStore* store = nullptr;
  store::FatalHandler fatal = store::stop_process();
  metrics::NodeMetrics* metrics = nullptr;
  const sys::Clock* clock = nullptr;
  Random* random = nullptr;                                        // thread-safe
  std::function<void(int exit_code, const std::string& why)> end;  // must not return
  // The adapters this node could run, and the kinds it knows. Empty: none.
  adapter_host::Definitions adapters;
  std::shared_ptr<const integration::AdapterKinds> adapter_kinds;
  std::function<void()> drain;  // somebody asked for it over the API
  // Before metrics become text: sets what the process around the node counts. Any thread; or none.
  std::function<void(metrics::NodeMetrics&)> measure;
};

class Node {
 public:
  Node(caf::actor_system& system, NodeParts parts);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Starts links and steward; the rest follows when the node belongs to a cluster. Errors:
  // certificates, addresses.
  Result<void> start();

  // Where the node takes other nodes' connections; 0 without links.
  std::uint16_t peer_port() const;

  api::Backend& backend();

  // For the cluster view: when the API's certificate ends, Unix time in seconds; 0: none. Any
  // thread.
  void show_api_certificate(std::int64_t expires_unix);

  // The last inputs of the core, for the simulator; "" when no replica runs.
  std::string dump_inputs();

  // Readiness off, leadership away.
  void begin_drain();
  // This node leads and another one could.
  bool leads() const;
  // It does not, and nothing waits here any more.
  bool drained() const;
  // Ends all actors, in reverse order of their start. False: one did not end in time, and the actor
  // system would wait for it.
  bool stop(Millis within);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace mainstay::node
