// What the workers of an adapter show in /metrics: counts since this node's start, and how things
// stand with the adapter while it runs here. Each object belongs to one worker; the registry is
// thread-safe and outlives it.
#pragma once

#include <string>

#include "runtime/integration/exporter.hpp"
#include "runtime/integration/lane.hpp"
#include "runtime/integration/source.hpp"
#include "runtime/metrics/registry.hpp"
#include "runtime/record/state.hpp"

namespace mainstay::adapter_host {

class SourceMetrics {
 public:
  SourceMetrics(metrics::Registry& registry, const std::string& adapter);
  void show(const integration::Source& source);

 private:
  metrics::Counter accepted_, duplicates_, parked_, stale_, unmapped_, grown_, records_;
  metrics::Gauge up_;
  integration::SourceCounts shown_;
};

class ExportMetrics {
 public:
  ExportMetrics(metrics::Registry& registry, const std::string& adapter);
  void show(const integration::Exporter& exporter);

 private:
  metrics::Counter changes_, intents_, parked_;
  metrics::Gauge revision_;
  integration::ExporterCounts shown_;
};

class LaneMetrics {
 public:
  LaneMetrics(metrics::Registry& registry, const std::string& adapter, std::size_t lane);
  ~LaneMetrics();  // nothing waits here any more
  LaneMetrics(const LaneMetrics&) = delete;
  LaneMetrics& operator=(const LaneMetrics&) = delete;
  void show(const integration::Lane& lane);

 private:
  metrics::Counter calls_, lookups_, acknowledged_, found_, transient_, unknown_, parked_;
  metrics::Gauge waiting_, oldest_, breaker_;
  integration::LaneCounts shown_;
};

// Of every reconciliation of the adapter, as the last run left it.
void show_reconciliations(metrics::Registry& registry, const record::StateReader& view,
                          const std::string& adapter);

// The age of the newest heartbeat that came through each path of the adapter, and its delay.
void show_paths_of(metrics::Registry& registry, const record::StateReader& view,
                   const std::string& adapter, WallTime now);

}  // namespace mainstay::adapter_host
