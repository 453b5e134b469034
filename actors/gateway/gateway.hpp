// The gateway actor: requests from the HTTP threads meet the replica here, on the network thread. A
// shell around PendingOperations, ReadBatcher and RevisionWaiters. Restarts alone: the requests it
// held are answered outcome_unknown (writes) or not_ready (the others), those still in the inbox
// wait for the next one.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "actors/gateway/gateway_api.hpp"
#include "actors/gateway/pending_operations.hpp"
#include "actors/gateway/read_batcher.hpp"
#include "actors/gateway/revision_waiters.hpp"
#include "actors/kit/network_actor.hpp"
#include "actors/peer_link/peer_link_api.hpp"
#include "actors/replica/replica_api.hpp"
#include "actors/storage/storage_api.hpp"
#include "runtime/metrics/ledger.hpp"
#include "runtime/metrics/node_metrics.hpp"

namespace mainstay::gateway {

// Where the gateway's effects end. Set by the node; must not block.
struct Ports {
  std::function<void(replica::ProposeBatch)> propose;         // to this node's replica
  std::function<void(replica::AskReadPoint)> ask_read_point;  // to this node's replica
  std::function<void(NodeId, Incarnation, wire::Body)> send;  // to a peer
};

struct GatewayOptions {
  NodeId node;
  BootId boot;
  Millis tick{10};
  Millis wait_tick{20};  // how late a wait for a revision may end
};

class Gateway final : public kit::NetworkActor {
 public:
  // `metrics` must outlive the actor.
  Gateway(caf::actor_config& config, const GatewayOptions& options, std::shared_ptr<Inbox> inbox,
          std::shared_ptr<Admission> admission,
          std::shared_ptr<const replica::Published<replica::View>> view,
          std::shared_ptr<const storage::Board> board, metrics::NodeMetrics& metrics,
          std::shared_ptr<const Ports> ports);

  caf::behavior make_behavior() override;
  const char* name() const override { return "gateway"; }
  void on_exit() override;

 private:
  void on_inbox_filled();
  void on_batch_answered(const wire::ProposeReply& reply);
  void on_leader_changed(const replica::LeaderChanged& change);
  void on_own_outcomes(const storage::OwnOutcomes& event);
  void on_read_points(const replica::ReadPoints& event);
  void on_peer_down(const peer_link::PeerDown& down);
  void on_gateway_tick();
  void on_wait_tick();

  void look_who_leads();
  void take(WriteRequest request);
  void take(ReadRequest request);
  void take(RevisionRequest request);
  void pump();
  void propose(OutgoingBatch batch);
  void keep_ticking();
  void measure();

  const GatewayOptions options_;
  const std::shared_ptr<Inbox> inbox_;
  const std::shared_ptr<Admission> admission_;
  const std::shared_ptr<const replica::Published<replica::View>> view_;
  const std::shared_ptr<const storage::Board> board_;
  metrics::NodeMetrics& metrics_;
  const std::shared_ptr<const Ports> ports_;
  std::optional<PendingOperations> operations_;
  std::optional<ReadBatcher> reads_;
  std::optional<RevisionWaiters> revisions_;
  metrics::Ledger ledger_;
  replica::LeaderChanged leader_;
  bool ticking_ = false;
  bool wait_ticking_ = false;
  std::uint64_t rounds_ = 0;
  std::uint64_t repeated_ = 0;
};

}  // namespace mainstay::gateway
