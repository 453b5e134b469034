// The jobs of an adapter, each with the parts it owns: its own instance of the adapter, its own
// door to the cluster.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/adapter_host/worker.hpp"
#include "runtime/api/backend.hpp"
#include "runtime/base/random.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/integration/definition.hpp"
#include "runtime/metrics/registry.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapter_host {

// What all jobs of one tenure share. The pointers outlive them.
struct JobParts {
  std::shared_ptr<const integration::AdapterDefinition> definition;
  std::shared_ptr<const integration::AdapterKinds> kinds;
  integration::Tenure tenure;
  api::Backend* backend = nullptr;
  const sys::Clock* clock = nullptr;
  Random* random = nullptr;  // thread-safe
  metrics::Registry* registry = nullptr;
  std::shared_ptr<const std::atomic<bool>> stopping;
};

struct NamedJob {
  std::string name;  // "erp/source", "erp/lane-0"
  Worker::MakeJob make;
};

// The jobs that a definition asks for.
std::vector<NamedJob> jobs_of(const JobParts& parts);

}  // namespace mainstay::adapter_host
