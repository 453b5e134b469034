#include "actors/adapter_host/jobs.hpp"

#include <algorithm>
#include <utility>

#include "actors/adapter_host/adapter_metrics.hpp"
#include "actors/adapter_host/cluster_port.hpp"
#include "runtime/integration/exporter.hpp"
#include "runtime/integration/lane.hpp"
#include "runtime/integration/reconcile.hpp"
#include "runtime/integration/source.hpp"

namespace mainstay::adapter_host {

namespace {

using integration::Adapter;
using integration::Step;

Result<std::unique_ptr<Adapter>> make_adapter(const JobParts& parts) {
  integration::AdapterContext context;
  context.name = parts.definition->name;
  context.settings = parts.definition->settings;
  context.call_timeout = parts.definition->effects.call_timeout;
  context.directory = parts.definition->directory;
  return parts.kinds->make(parts.definition->kind, context);
}

class SourceJob final : public Job {
 public:
  SourceJob(const JobParts& parts, std::unique_ptr<Adapter> adapter)
      : parts_{parts},
        adapter_{std::move(adapter)},
        port_{*parts.backend, *parts.clock, parts.stopping},
        source_{*parts_.definition, parts.tenure, *adapter_, port_, *parts.random},
        metrics_{*parts.registry, parts.definition->name} {}
  Result<Step> step() override { return source_.step(); }
  void show() override { metrics_.show(source_); }
  Millis pause() const override { return source_.pause(); }
  bool follows_records() const override { return false; }

 private:
  const JobParts parts_;
  const std::unique_ptr<Adapter> adapter_;
  ClusterPort port_;
  integration::Source source_;
  SourceMetrics metrics_;
};

class ExportJob final : public Job {
 public:
  explicit ExportJob(const JobParts& parts)
      : parts_{parts},
        port_{*parts.backend, *parts.clock, parts.stopping},
        exporter_{*parts_.definition, parts.tenure, port_},
        metrics_{*parts.registry, parts.definition->name} {}
  Result<Step> step() override { return exporter_.step(); }
  void show() override { metrics_.show(exporter_); }
  Millis pause() const override { return Millis{1'000}; }
  bool follows_records() const override { return true; }

 private:
  const JobParts parts_;
  ClusterPort port_;
  integration::Exporter exporter_;
  ExportMetrics metrics_;
};

class LaneJob final : public Job {
 public:
  LaneJob(const JobParts& parts, std::size_t number, std::unique_ptr<Adapter> adapter)
      : parts_{parts},
        adapter_{std::move(adapter)},
        port_{*parts.backend, *parts.clock, parts.stopping},
        lane_{*parts_.definition, parts.tenure, number, *adapter_, port_, *parts.random},
        metrics_{*parts.registry, parts.definition->name, number} {}
  Result<Step> step() override { return lane_.step(); }
  void show() override { metrics_.show(lane_); }
  Millis pause() const override { return lane_.pause(); }
  bool follows_records() const override { return true; }

 private:
  const JobParts parts_;
  const std::unique_ptr<Adapter> adapter_;
  ClusterPort port_;
  integration::Lane lane_;
  LaneMetrics metrics_;
};

class ReconcileJob final : public Job {
 public:
  ReconcileJob(const JobParts& parts, std::unique_ptr<Adapter> adapter)
      : parts_{parts},
        adapter_{std::move(adapter)},
        port_{*parts.backend, *parts.clock, parts.stopping},
        reconciler_{*parts_.definition, parts.tenure, *adapter_, port_} {}
  Result<Step> step() override { return reconciler_.step(); }
  void show() override {
    if (const auto view = port_.view())
      show_reconciliations(*parts_.registry, **view, parts_.definition->name);
  }
  Millis pause() const override { return std::min(reconciler_.pause(), look_for_requests); }
  bool follows_records() const override { return false; }

 private:
  // For what people ask for.
  static constexpr Millis look_for_requests{500};

  const JobParts parts_;
  const std::unique_ptr<Adapter> adapter_;
  ClusterPort port_;
  integration::Reconciler reconciler_;
};

}  // namespace

std::vector<NamedJob> jobs_of(const JobParts& parts) {
  const integration::AdapterDefinition& definition = *parts.definition;
  std::vector<NamedJob> jobs;
  if (definition.source)
    jobs.push_back({definition.name + "/source", [parts]() -> Result<std::unique_ptr<Job>> {
                      TRY_ASSIGN(auto adapter, make_adapter(parts));
                      return std::make_unique<SourceJob>(parts, std::move(adapter));
                    }});
  if (!definition.reconciles.empty())
    jobs.push_back({definition.name + "/reconcile", [parts]() -> Result<std::unique_ptr<Job>> {
                      TRY_ASSIGN(auto adapter, make_adapter(parts));
                      return std::make_unique<ReconcileJob>(parts, std::move(adapter));
                    }});
  if (definition.exports.empty()) return jobs;
  jobs.push_back({definition.name + "/export", [parts]() -> Result<std::unique_ptr<Job>> {
                    return std::make_unique<ExportJob>(parts);
                  }});
  for (std::size_t number = 0; number < definition.effects.lanes; ++number)
    jobs.push_back({definition.name + "/lane-" + std::to_string(number),
                    [parts, number]() -> Result<std::unique_ptr<Job>> {
                      TRY_ASSIGN(auto adapter, make_adapter(parts));
                      return std::make_unique<LaneJob>(parts, number, std::move(adapter));
                    }});
  return jobs;
}

}  // namespace mainstay::adapter_host
