// The metrics actor: turns the instruments into text, and once a second asks the others for what
// they do not write themselves: links, refused strangers, restarts. The same goes into the overview
// that the cluster view shows. Restarts alone; the instruments live on.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/kit/supervisor_api.hpp"
#include "actors/metrics/metrics_api.hpp"
#include "actors/peer_link/peer_link_api.hpp"
#include "actors/replica/replica_api.hpp"
#include "actors/storage/storage_api.hpp"
#include "runtime/metrics/node_metrics.hpp"

namespace mainstay::metrics {

struct MetricsSources {
  std::function<caf::actor()> links;
  std::function<std::vector<caf::actor>()> supervisors;
  std::shared_ptr<storage::Board> board;
  std::shared_ptr<replica::Published<Overview>> overview;  // where this actor shows it
  std::function<void(NodeMetrics&)>
      daemon;  // sets what the process around the node counts, or none
};

class MetricsActor final : public caf::event_based_actor {
 public:
  // `metrics` must outlive the actor.
  MetricsActor(caf::actor_config& config, NodeMetrics& metrics, MetricsSources sources);

  caf::behavior make_behavior() override;
  const char* name() const override { return "metrics"; }

 private:
  void on_get_metrics_text(const GetMetricsText& request);
  void on_metrics_tick();
  void take_links(const peer_link::LinkStatus& status);
  void take_children(std::size_t supervisor, const kit::ChildList& list);
  void take_write_time();
  void show();

  NodeMetrics& metrics_;
  const MetricsSources sources_;
  const MonotonicTime started_;
  std::array<std::uint64_t, peer_link::refusals> refused_{};
  std::map<std::string, std::uint64_t> restarts_;
  std::map<std::size_t, std::vector<kit::ChildStatus>> children_;  // by supervisor
  Overview overview_;
};

}  // namespace mainstay::metrics
