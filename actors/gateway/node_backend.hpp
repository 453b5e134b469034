// The node as the HTTP API sees it (runtime/api/backend.hpp): thread-safe, never blocks. Writes and
// reads go to the gateway through its inbox, administration and metrics to their actors; the
// cluster view is read from what the replica and the storage publish.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/gateway/gateway_api.hpp"
#include "actors/metrics/metrics_api.hpp"
#include "actors/replica/replica_api.hpp"
#include "actors/storage/storage_api.hpp"
#include "runtime/api/backend.hpp"
#include "runtime/metrics/node_metrics.hpp"
#include "runtime/store/node_store.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::gateway {

// What the node tells the backend about itself.
struct NodeState {
  std::atomic<bool> formed{false};  // the node belongs to a cluster: requests wait for its replica
  std::atomic<bool> draining{false};  // no new requests
  // when the API's certificate ends, Unix time in seconds; 0: none
  std::atomic<std::int64_t> api_certificate_expires{0};
};

struct BackendParts {
  NodeId node;
  BootId boot;
  std::shared_ptr<Inbox> inbox;
  std::shared_ptr<Admission> admission;
  std::shared_ptr<const NodeState> state;
  std::shared_ptr<const replica::Published<replica::View>> view;
  std::shared_ptr<const storage::Board> board;
  std::shared_ptr<const replica::Published<metrics::Overview>> overview;
  std::string release;
  store::NodeStore* store = nullptr;        // outlives the backend
  metrics::NodeMetrics* metrics = nullptr;  // outlives the backend
  const sys::Clock* clock = nullptr;        // outlives the backend
  std::function<void(api::AdminCommand, MonotonicTime, std::function<void(Result<std::string>)>)>
      administer;
  std::function<void(MonotonicTime, std::function<void(Result<std::string>)>)> metrics_text;
};

class NodeBackend final : public api::Backend {
 public:
  explicit NodeBackend(BackendParts parts) : parts_{std::move(parts)} {}

  void submit(record::Command command, MonotonicTime deadline,
              std::function<void(Result<record::Outcome>)> done) override;
  void read_barrier(api::ReadNeed need, MonotonicTime deadline,
                    std::function<void(Result<void>)> done) override;
  void wait_revision(record::Revision after, MonotonicTime deadline,
                     std::function<void(Result<record::Revision>)> done) override;
  Result<std::shared_ptr<const record::StateReader>> view() override;
  record::Revision revision() override;
  void administer(api::AdminCommand command, MonotonicTime deadline,
                  std::function<void(Result<std::string>)> done) override;
  api::ClusterView cluster() override;
  std::vector<api::Check> liveness() override;
  std::vector<api::Check> readiness() override;
  bool started() override;
  void metrics(MonotonicTime deadline, std::function<void(Result<std::string>)> done) override;
  std::string make_operation_id() override;

 private:
  Result<void> may_serve() const;
  Result<void> may_write(const record::Command& command) const;

  const BackendParts parts_;
  std::atomic<std::uint64_t> next_operation_{1};
};

}  // namespace mainstay::gateway
