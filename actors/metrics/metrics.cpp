#include "actors/metrics/metrics.hpp"

#include <algorithm>
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
  if (sources_.daemon) sources_.daemon(metrics_);
  request.done(metrics_.registry.text());
}

void MetricsActor::on_metrics_tick() {
  delayed_send(this, tick, MetricsTick{});
  const auto ignore = [](const caf::error&) {};
  if (const caf::actor links = sources_.links())
    request(links, answer_max, peer_link::GetLinkStatus{})
        .then([this](const peer_link::LinkStatus& status) { take_links(status); }, ignore);
  const std::vector<caf::actor> supervisors = sources_.supervisors();
  for (std::size_t i = 0; i < supervisors.size(); ++i)
    if (supervisors[i])
      request(supervisors[i], answer_max, kit::ListChildren{})
          .then([this, i](const kit::ChildList& list) { take_children(i, list); }, ignore);
  take_write_time();
}

// A write that does not end is seen while it lasts.
void MetricsActor::take_write_time() {
  const std::int64_t began = sources_.board->log_write_began;
  const std::int64_t ended = sources_.board->log_write_slowest_ns.exchange(0);
  const std::int64_t now = kit::now_of(*this).time_since_epoch().count();
  const std::int64_t slowest = std::max(ended, began == 0 ? 0 : now - began);
  overview_.fsync_ms = static_cast<double>(slowest) / 1e6;
  metrics_.log_write_slowest.set(static_cast<double>(slowest) / 1e9);
  show();
}

void MetricsActor::show() {
  sources_.overview->set(std::make_shared<const Overview>(overview_));
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
  overview_.links = status;
  show();
}

void MetricsActor::take_children(std::size_t supervisor, const kit::ChildList& list) {
  for (const kit::ChildStatus& child : list.children) {
    const std::uint64_t before = std::exchange(restarts_[child.name], child.restarts);
    metrics_.actor_restarted(child.name,
                             child.restarts >= before ? child.restarts - before : child.restarts);
  }
  children_[supervisor] = list.children;
  overview_.actors.clear();
  for (const auto& [index, children] : children_)
    overview_.actors.insert(overview_.actors.end(), children.begin(), children.end());
  show();
}

}  // namespace mainstay::metrics
