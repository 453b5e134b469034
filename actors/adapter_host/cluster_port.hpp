// The cluster as the kit's workers see it: blocking calls over the node's backend, for threads that
// may block. A wait ends early when the node stops.
#pragma once

#include <atomic>
#include <memory>

#include "runtime/api/backend.hpp"
#include "runtime/integration/hub_port.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapter_host {

class ClusterPort final : public integration::HubPort {
 public:
  // All must outlive it.
  ClusterPort(api::Backend& backend, const sys::Clock& clock,
              std::shared_ptr<const std::atomic<bool>> stopping)
      : backend_{backend}, clock_{clock}, stopping_{std::move(stopping)} {}

  Result<record::Outcome> commit(record::Command command) override;
  // What this node has applied. The placement that lets a worker act is there with everything that
  // was committed before it, and commits answer after their own apply.
  Result<std::shared_ptr<const record::StateReader>> view() override { return backend_.view(); }
  Result<record::Revision> wait(record::Revision after, Millis most) override;
  WallTime wall() const override { return clock_.wall(); }
  MonotonicTime monotonic() const override { return clock_.monotonic(); }

 private:
  api::Backend& backend_;
  const sys::Clock& clock_;
  const std::shared_ptr<const std::atomic<bool>> stopping_;
};

}  // namespace mainstay::adapter_host
