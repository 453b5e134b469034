// The adapter host of a node: says which adapters the node could run, as the leader decides who
// runs them, and runs what was given to this node, each adapter under a supervisor of its own.
// Detached: it asks the cluster and waits.
//
//   adapter_host ─ adapter "erp" (supervisor) ─ source · reconcile · export · lane × n
//
// Exactly one instance of an adapter acts at any time: placements carry an epoch, every commit of a
// worker checks it, and every call to a counterpart begins with a commit.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

#include "actors/adapter_host/adapter_host_api.hpp"
#include "actors/adapter_host/cluster_port.hpp"
#include "actors/adapter_host/jobs.hpp"
#include "runtime/api/backend.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/integration/placement.hpp"

namespace mainstay::adapter_host {

using Definitions = std::vector<std::shared_ptr<const integration::AdapterDefinition>>;

// Pointers outlive the actor.
struct HostParts {
  NodeId node;
  BootId boot;
  Definitions definitions;
  std::shared_ptr<const integration::AdapterKinds> kinds;
  api::Backend* backend = nullptr;
  const sys::Clock* clock = nullptr;
  Random* random = nullptr;  // thread-safe
  metrics::Registry* registry = nullptr;
  bool threads = true;  // a thread for each worker; tests do without
  // Set when the host ended while workers were still in a call to their counterpart: they use all
  // of the above until the process ends, which must be at once.
  std::atomic<bool>* left_behind = nullptr;
};

class AdapterHost final : public caf::event_based_actor {
 public:
  AdapterHost(caf::actor_config& config, HostParts parts);

  caf::behavior make_behavior() override;
  const char* name() const override { return "adapter_host"; }
  void on_exit() override;

 private:
  struct Running {
    caf::actor supervisor;
    std::uint64_t epoch = 0;
  };

  void on_host_tick();
  void on_exit_request(const caf::exit_msg& request);
  void on_stop_deadline();
  void on_down(const caf::down_msg& down);

  Result<void> look();
  Result<void> declare_collections();
  Result<void> show_node(const record::StateReader& view, const api::ClusterView& cluster);
  Result<void> place(const record::StateReader& view, const api::ClusterView& cluster);
  Result<void> run_what_is_ours(const record::StateReader& view);
  // The rows of its paths, before any worker runs.
  Result<void> show_paths(const record::StateReader& view,
                          const integration::AdapterDefinition& definition, std::uint64_t epoch);
  void show_heartbeats();
  // Finished commands go in time; done where the adapter runs.
  Result<void> trim_commands(const record::StateReader& view);
  void start(const integration::AdapterDefinition& definition, std::uint64_t epoch,
             std::shared_ptr<const integration::AdapterDefinition> shared);
  void stop(const std::string& adapter);

  const HostParts parts_;
  const std::string boot_text_;
  const std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
  ClusterPort port_;
  bool declared_ = false;
  MonotonicTime leads_since_{};
  MonotonicTime next_show_{};
  MonotonicTime next_trim_{};
  std::map<std::string, Running> running_;
  std::map<caf::actor_addr, std::string> ending_;  // stopped, not gone yet
  std::map<std::string, MonotonicTime> not_before_;
  std::string trouble_;
  bool quitting_ = false;
};

}  // namespace mainstay::adapter_host
