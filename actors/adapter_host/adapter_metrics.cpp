#include "actors/adapter_host/adapter_metrics.hpp"

#include <charconv>
#include <utility>

#include "runtime/integration/comparison.hpp"
#include "runtime/integration/heartbeat.hpp"
#include "runtime/integration/hub.hpp"

namespace mainstay::adapter_host {

namespace {

metrics::Counter messages(metrics::Registry& registry, const std::string& adapter,
                          const char* result) {
  return registry.counter("mainstay_adapter_messages_total",
                          "Messages of counterparts by what became of them",
                          {{"adapter", adapter}, {"result", result}});
}

metrics::Counter effects(metrics::Registry& registry, const std::string& adapter,
                         const char* result) {
  return registry.counter("mainstay_adapter_effects_total",
                          "Ends of calls to counterparts, by what became of the effect",
                          {{"adapter", adapter}, {"result", result}});
}

void grow(metrics::Counter& counter, std::uint64_t& shown, std::uint64_t now) {
  if (now > shown) counter.add(static_cast<double>(now - shown));
  shown = now;
}

}  // namespace

SourceMetrics::SourceMetrics(metrics::Registry& registry, const std::string& adapter)
    : accepted_{messages(registry, adapter, "accepted")},
      duplicates_{messages(registry, adapter, "duplicate")},
      parked_{messages(registry, adapter, "parked")},
      stale_{registry.counter("mainstay_adapter_records_stale_total",
                              "Records left alone because a newer version was there",
                              {{"adapter", adapter}})},
      unmapped_{registry.counter("mainstay_adapter_messages_unmapped_total",
                                 "Messages with fields that no rule of their mapping reads",
                                 {{"adapter", adapter}})},
      grown_{registry.counter("mainstay_adapter_messages_grown_total",
                              "Messages with fields that none of their type had before",
                              {{"adapter", adapter}})},
      records_{registry.counter("mainstay_adapter_records_total", "Records that messages changed",
                                {{"adapter", adapter}})},
      up_{registry.gauge("mainstay_adapter_source_up",
                         "1 if the counterpart could be read the last time",
                         {{"adapter", adapter}})} {}

void SourceMetrics::show(const integration::Source& source) {
  const integration::SourceCounts& now = source.counts();
  grow(accepted_, shown_.accepted, now.accepted);
  grow(duplicates_, shown_.duplicates, now.duplicates);
  grow(parked_, shown_.parked, now.parked);
  grow(stale_, shown_.stale, now.stale);
  grow(unmapped_, shown_.unmapped, now.unmapped);
  grow(grown_, shown_.grown, now.grown);
  grow(records_, shown_.records, now.records);
  up_.set(source.trouble().empty() ? 1 : 0);
}

ExportMetrics::ExportMetrics(metrics::Registry& registry, const std::string& adapter)
    : changes_{registry.counter("mainstay_adapter_changes_total",
                                "Changes of exported collections that were looked at",
                                {{"adapter", adapter}})},
      intents_{registry.counter("mainstay_adapter_intents_total", "Effects that changes made",
                                {{"adapter", adapter}})},
      parked_{registry.counter("mainstay_adapter_changes_parked_total",
                               "Changes that their mapping refused", {{"adapter", adapter}})},
      revision_{registry.gauge(
          "mainstay_adapter_exported_revision",
          "Everything up to this revision is exported; mainstay_revision minus this is the lag",
          {{"adapter", adapter}})} {}

void ExportMetrics::show(const integration::Exporter& exporter) {
  const integration::ExporterCounts& now = exporter.counts();
  grow(changes_, shown_.changes, now.changes);
  grow(intents_, shown_.intents, now.intents);
  grow(parked_, shown_.parked, now.parked);
  revision_.set(static_cast<double>(exporter.seen()));
}

LaneMetrics::LaneMetrics(metrics::Registry& registry, const std::string& adapter, std::size_t lane)
    : calls_{registry.counter("mainstay_adapter_calls_total", "Calls that carry effects out",
                              {{"adapter", adapter}})},
      lookups_{registry.counter("mainstay_adapter_lookups_total",
                                "Questions whether an effect happened", {{"adapter", adapter}})},
      acknowledged_{effects(registry, adapter, "acknowledged")},
      found_{effects(registry, adapter, "found")},
      transient_{effects(registry, adapter, "transient")},
      unknown_{effects(registry, adapter, "unknown")},
      parked_{effects(registry, adapter, "parked")},
      waiting_{registry.gauge("mainstay_adapter_effects_waiting", "Effects that are not finished",
                              {{"adapter", adapter}, {"lane", std::to_string(lane)}})},
      oldest_{registry.gauge("mainstay_adapter_effects_oldest_seconds",
                             "Age of the oldest effect that is not finished; 0: none",
                             {{"adapter", adapter}, {"lane", std::to_string(lane)}})},
      breaker_{registry.gauge("mainstay_adapter_breaker",
                              "0: calls go through, 1: the counterpart is left alone, 2: one tries",
                              {{"adapter", adapter}, {"lane", std::to_string(lane)}})} {}

LaneMetrics::~LaneMetrics() {
  waiting_.set(0);
  oldest_.set(0);
}

void LaneMetrics::show(const integration::Lane& lane) {
  const integration::LaneCounts& now = lane.counts();
  grow(calls_, shown_.calls, now.calls);
  grow(lookups_, shown_.lookups, now.lookups);
  grow(acknowledged_, shown_.acknowledged, now.acknowledged);
  grow(found_, shown_.found, now.found);
  grow(transient_, shown_.transient, now.transient);
  grow(unknown_, shown_.unknown, now.unknown);
  grow(parked_, shown_.parked, now.parked);
  waiting_.set(static_cast<double>(lane.waiting()));
  oldest_.set(static_cast<double>(lane.oldest_age().count()) / 1000);
  breaker_.set(static_cast<double>(lane.breaker()));
}

void show_reconciliations(metrics::Registry& registry, const record::StateReader& view,
                          const std::string& adapter) {
  view.scan_records(
      integration::hub::reconciliations, adapter + "/", "",
      [&registry, &adapter](std::string_view, const record::Record& record) {
        if (record.tombstone) return true;
        const auto value = json::parse(record.value.view());
        const auto row = value ? integration::reconciliation_row(*value)
                               : Result<integration::ReconciliationRow>{Failure{value.error()}};
        if (!row) return true;
        const metrics::Labels labels{{"adapter", adapter}, {"name", row->name}};
        double accuracy = 0;
        std::from_chars(row->accuracy.data(), row->accuracy.data() + row->accuracy.size(),
                        accuracy);
        registry
            .gauge("mainstay_adapter_reconciliation_accuracy",
                   "Equal things of all compared, by the last run; of a ledger: stock accuracy",
                   labels)
            .set(accuracy);
        registry
            .gauge("mainstay_adapter_reconciliation_open", "Differences that nothing explains",
                   labels)
            .set(static_cast<double>(row->open));
        return true;
      });
}

void show_paths_of(metrics::Registry& registry, const record::StateReader& view,
                   const std::string& adapter, WallTime now) {
  view.scan_records(
      integration::hub::paths, adapter + "/", "",
      [&registry, &adapter, now](std::string_view, const record::Record& record) {
        if (record.tombstone) return true;
        const auto value = json::parse(record.value.view());
        const auto row = value ? integration::path_row(*value)
                               : Result<integration::PathRow>{Failure{value.error()}};
        if (!row) return true;
        const metrics::Labels labels{{"adapter", adapter}, {"path", row->path}};
        const auto seconds = [](Millis time) { return static_cast<double>(time.count()) / 1000; };
        registry
            .gauge("mainstay_adapter_heartbeat_age_seconds",
                   "Time since the newest heartbeat that came through the path was sent", labels)
            .set(seconds(integration::heartbeat_age(*row, now)));
        registry
            .gauge("mainstay_adapter_heartbeat_delay_seconds",
                   "How long that heartbeat took from end to end", labels)
            .set(seconds(integration::heartbeat_delay(*row)));
        return true;
      });
}

}  // namespace mainstay::adapter_host
