#include "actors/metrics/metrics.hpp"

#include <utility>

#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"

namespace mainstay::metrics {

namespace {

constexpr Millis tick{1000};
constexpr Millis answer_max{900};

}  // namespace

MetricsActor::MetricsActor(caf::actor_config& config, NodeMetrics& metrics, MetricsSources sources)
    : caf::event_based_actor{config},
      metrics_{metrics},
      sources_{std::move(sources)},
      started_{kit::now_of(*this)} {}

caf::behavior MetricsActor::make_behavior() {
  kit::route_errors(*this, "metrics");
  send(this, MetricsTick{});
  return {
      [this](const GetMetricsText& request) { on_get_metrics_text(request); },
      [this](MetricsTick) { on_metrics_tick(); },
  };
}

void MetricsActor::on_get_metrics_text(const GetMetricsText& request) {
  const auto up = kit::now_of(*this) - started_;
  metrics_.uptime.set(std::chrono::duration<double>(up).count());
  metrics_.revision.set(static_cast<double>(sources_.board->revision));
  metrics_.durable_applied_index.set(static_cast<double>(sources_.board->durable_applied));
  request.done(metrics_.registry.text());
}

void MetricsActor::on_metrics_tick() {
  delayed_send(this, tick, MetricsTick{});
  const auto ignore = [](const caf::error&) {};
  if (const caf::actor links = sources_.links())
    request(links, answer_max, peer_link::GetLinkStatus{})
        .then([this](const peer_link::LinkStatus& status) { take_links(status); }, ignore);
  for (const caf::actor& supervisor : sources_.supervisors())
    if (supervisor)
      request(supervisor, answer_max, kit::ListChildren{})
          .then([this](const kit::ChildList& list) { take_children(list); }, ignore);
}

void MetricsActor::take_links(const peer_link::LinkStatus& status) {
  for (const peer_link::LinkReport& link : status.links)
    metrics_.link_state(link.node.value, link.state == peer_link::LinkState::up);
  for (std::size_t i = 0; i < peer_link::refusals; ++i) {
    const std::string reason{to_string(static_cast<peer_link::Refusal>(i))};
    // A restarted Links counts from zero again.
    const std::uint64_t before = std::exchange(refused_[i], status.refused[i]);
    metrics_.strangers_refused(
        reason, status.refused[i] >= before ? status.refused[i] - before : status.refused[i]);
  }
  metrics_.certificate_expires.set(static_cast<double>(status.certificate_expires_unix));
}

void MetricsActor::take_children(const kit::ChildList& list) {
  for (const kit::ChildStatus& child : list.children) {
    const std::uint64_t before = std::exchange(restarts_[child.name], child.restarts);
    metrics_.actor_restarted(child.name,
                             child.restarts >= before ? child.restarts - before : child.restarts);
  }
}

}  // namespace mainstay::metrics
