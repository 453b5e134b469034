// The replica actor: the shell around Driver. On the network thread, which nothing that blocks may
// enter, with a ticker of its own; writes to no disk, and reads it only for entries of the log that
// are not in memory any more. A failure stops the process (promise P7).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/kit/network_actor.hpp"
#include "actors/kit/ticker.hpp"
#include "actors/peer_link/peer_link_api.hpp"
#include "actors/replica/driver.hpp"
#include "actors/replica/wall_bound.hpp"
#include "actors/storage/storage_api.hpp"
#include "runtime/metrics/node_metrics.hpp"
#include "runtime/sys/clock.hpp"
#include "runtime/sys/crash_dump.hpp"

namespace mainstay::replica {

// Where the replica's effects end. Set by the node; called from the replica's thread; must not
// block.
struct Ports {
  std::function<void(storage::WritePersist)> log_writer;
  std::function<void(storage::ApplyEntries)> applier;
  std::function<void(storage::InstallSnapshot)> installer;
  std::function<void(storage::PullSnapshot)> snapshots;
  std::function<void(NodeId, Incarnation, wire::Body)> send;
  std::function<void(BatchAnswered)> batch_answered;
  std::function<void(ReadPoints)> read_points;
  std::function<void(LeaderChanged)> leader_changed;
  std::function<void(AdministerReply)> administered;
  std::function<void(Quarantined)> quarantined;
  // The core's last inputs, when this actor ends by an exception: evidence, for the simulator. May
  // block: nothing follows.
  std::function<void(const std::string&)> last_inputs;
};

struct ReplicaOptions {
  DriverOptions driver;
  consensus::InitialState initial;
  bool own_ticker = true;  // false: a test sends kit::Tick
  // Where the core's last inputs go when the process dies of a signal; empty: nowhere.
  std::string crash_dump;
};

class Replica final : public kit::NetworkActor, private Effects {
 public:
  // `log`, `random`, `clock`, `metrics` must outlive the actor.
  Replica(caf::actor_config& config, ReplicaOptions options, const consensus::LogReader& log,
          Random& random, const sys::Clock& clock, metrics::NodeMetrics& metrics,
          std::shared_ptr<Published<View>> view, std::shared_ptr<storage::Board> board,
          std::shared_ptr<const Ports> ports);

  caf::behavior make_behavior() override;
  const char* name() const override { return "replica"; }
  void on_exit() override;

 private:
  void on_tick(kit::Tick& tick);
  void on_frame(peer_link::FrameReceived& received);
  void on_propose_batch(ProposeBatch& batch);
  bool no_space() const;
  void on_propose_request(NodeId from, const wire::ProposeRequest& request);
  void on_run_effects();
  std::uint64_t time_to_propose();
  void soon();
  void publish();
  void measure(const View& view);

  void persist(consensus::Persist persist) override;
  void apply(std::vector<consensus::Entry> entries) override;
  void install(const consensus::SnapshotMeta& snapshot) override;
  void pull(const consensus::SnapshotMeta& snapshot, NodeId source) override;
  void send(NodeId to, Incarnation incarnation, wire::Body body) override;
  void batch_answered(const wire::ProposeReply& reply) override;
  void read_points(std::vector<consensus::ReadState> points) override;
  void administered(const wire::AdminReply& reply) override;
  void leader_changed(const LeaderChanged& change) override;
  void quarantined(const std::string& evidence) override;

  const ReplicaOptions options_;
  const sys::Clock& clock_;
  metrics::NodeMetrics& metrics_;
  const std::shared_ptr<Published<View>> view_;
  const std::shared_ptr<storage::Board> board_;
  const std::shared_ptr<const Ports> ports_;
  Driver driver_;
  std::optional<sys::CrashDump> crash_dump_;
  WallBound wall_;
  std::optional<kit::Ticker> ticker_;
  bool scheduled_ = false;
  std::uint32_t ticks_since_publish_ = 0;
  MonotonicTime leader_contact_{};
  std::uint64_t strangers_ = 0;
};

}  // namespace mainstay::replica
