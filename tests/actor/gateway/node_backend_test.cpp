#include "actors/gateway/node_backend.hpp"

#include <gtest/gtest.h>

#include "tests/actor/storage/storage_fixture.hpp"

namespace mainstay::gateway {
namespace {

class StillClock final : public sys::Clock {
 public:
  MonotonicTime monotonic() const override { return MonotonicTime{Millis{1}}; }
  WallTime wall() const override { return WallTime{Millis{1000}}; }
};

// The backend in front of an inbox that nobody empties.
class NodeBackendTest : public ::testing::Test {
 protected:
  NodeBackendTest() {
    state->formed = true;
    BackendParts parts;
    parts.node = NodeId{1};
    parts.boot = BootId{7};
    parts.inbox = inbox;
    parts.admission = admission;
    parts.state = state;
    parts.view = view;
    parts.board = board;
    parts.overview = overview;
    parts.release = "0.5.0";
    parts.store = &*store;
    parts.metrics = &metrics;
    parts.clock = &clock;
    backend.emplace(std::move(parts));
  }

  std::string barrier(api::ReadNeed need) {
    std::string ended = "waits";
    backend->read_barrier(need, deadline, [&ended](Result<void> result) {
      ended = result ? "done" : std::string{to_string(result.error().code)};
    });
    return ended;
  }
  std::string wait(record::Revision after) {
    std::string ended = "waits";
    backend->wait_revision(after, deadline, [&ended](Result<record::Revision> revision) {
      ended = revision ? std::to_string(*revision) : std::string{to_string(revision.error().code)};
    });
    return ended;
  }
  std::string submit(record::Command command) {
    std::string ended = "waits";
    backend->submit(std::move(command), deadline, [&ended](Result<record::Outcome> outcome) {
      ended = outcome ? "done" : std::string{to_string(outcome.error().code)};
    });
    return ended;
  }
  static record::Command command_of(record::ActionKind kind, const std::string& collection) {
    return record::single({kind, collection, "key", Bytes{std::string{"{}"}}});
  }

  storage::TestStore store{1};
  StillClock clock;
  metrics::NodeMetrics metrics{"test"};
  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>([] {});
  std::shared_ptr<Admission> admission = std::make_shared<Admission>();
  std::shared_ptr<NodeState> state = std::make_shared<NodeState>();
  std::shared_ptr<replica::Published<replica::View>> view =
      std::make_shared<replica::Published<replica::View>>();
  std::shared_ptr<replica::Published<metrics::Overview>> overview =
      std::make_shared<replica::Published<metrics::Overview>>();
  std::shared_ptr<storage::Board> board = std::make_shared<storage::Board>();
  const MonotonicTime deadline{Millis{100}};
  std::optional<NodeBackend> backend;
};

TEST_F(NodeBackendTest, ASessionReadWaitsOnlyForWhatIsNotAppliedHere) {
  board->revision = 5;
  EXPECT_EQ(barrier({api::ReadLevel::session, 0}), "done");
  EXPECT_EQ(barrier({api::ReadLevel::session, 5}), "done");
  EXPECT_EQ(admission->requests(), 0u);
  EXPECT_EQ(barrier({api::ReadLevel::session, 6}), "waits");
  const Inbox::Items items = inbox->take();
  ASSERT_EQ(items.revisions.size(), 1u);
  EXPECT_EQ(items.revisions[0].after, 5u);
  EXPECT_FALSE(items.revisions[0].feed);
  EXPECT_EQ(items.revisions[0].deadline, deadline);
  EXPECT_EQ(admission->requests(), 1u) << "a read is a request, and a drain waits for it";
}

TEST_F(NodeBackendTest, ALocalReadWaitsForNothingAndALinearizableOneForARound) {
  EXPECT_EQ(barrier({api::ReadLevel::local, 0}), "done");
  EXPECT_EQ(barrier({api::ReadLevel::linearizable, 0}), "waits");
  EXPECT_EQ(inbox->take().reads.size(), 1u);
}

TEST_F(NodeBackendTest, AFeedWaitsForWhatIsNewAndEndsWhenTheNodeStops) {
  board->revision = 5;
  EXPECT_EQ(wait(4), "5");
  EXPECT_EQ(wait(5), "waits");
  EXPECT_TRUE(inbox->take().revisions.at(0).feed);
  EXPECT_EQ(admission->requests(), 0u) << "a drain does not wait for feeds";
  EXPECT_EQ(admission->feeds(), 1u);
  state->draining = true;
  EXPECT_EQ(wait(5), "not_ready");
}

TEST_F(NodeBackendTest, FeedsAreBounded) {
  for (std::size_t i = 0; i < limits::gateway_feeds_max; ++i) ASSERT_TRUE(admission->enter_feed());
  EXPECT_EQ(wait(5), "busy");
  EXPECT_EQ(admission->feeds(), limits::gateway_feeds_max);
}

TEST_F(NodeBackendTest, OnAFullDiskOnlyWhatNeedsNoSpaceGoesOn) {
  board->disk_low = true;
  EXPECT_EQ(submit(command_of(record::ActionKind::put, "orders")), "storage_full");
  EXPECT_EQ(submit(command_of(record::ActionKind::post, "stock")), "storage_full");
  EXPECT_EQ(submit(command_of(record::ActionKind::remove, "orders")), "waits");
  EXPECT_EQ(submit(command_of(record::ActionKind::put, "_audit")), "waits");
  record::Command both = command_of(record::ActionKind::remove, "orders");
  both.actions.push_back({record::ActionKind::patch, "orders", "other", Bytes{std::string{"{}"}}});
  EXPECT_EQ(submit(both), "storage_full");
  record::Command fence;
  fence.kind = record::CommandKind::fence;
  fence.operation = "op";
  EXPECT_EQ(submit(fence), "waits");
}

TEST_F(NodeBackendTest, WaitingCommandsCountWithEverythingTheyHold) {
  record::Command command = command_of(record::ActionKind::put, "orders");
  command.actions[0].value = Bytes{std::string(1000, ' ')};
  record::RecordCheck& check = command.checks.emplace_back();
  check.condition.fields.push_back({"/a", Bytes{std::string(500, ' ')}});
  ASSERT_EQ(submit(command), "waits");
  EXPECT_GE(admission->bytes(), 1500u);
  EXPECT_LT(admission->bytes(), 2500u);
}

TEST_F(NodeBackendTest, ANodeNeverShowsLessCommittedThanApplied) {
  replica::View shown;
  shown.status.commit = 10;
  view->set(std::make_shared<const replica::View>(shown));
  board->applied = 12;
  EXPECT_EQ(backend->cluster().commit, 12u);
  EXPECT_EQ(backend->cluster().apply_lag, 0u);
}

TEST_F(NodeBackendTest, TheClusterViewTellsOfEachMemberWhatItsLinkKnows) {
  replica::View shown;
  for (const std::uint64_t id : {1, 2, 3}) {
    consensus::Member member;
    member.id = NodeId{id};
    shown.status.membership.members.push_back(member);
  }
  view->set(std::make_shared<const replica::View>(shown));
  metrics::Overview seen;
  peer_link::LinkReport link;
  link.node = NodeId{3};
  link.release = "0.6.0";
  link.protocol = 1;
  link.clock_offset_ms = -250;
  seen.links.links.push_back(link);
  seen.links.certificate_expires_unix = 77;
  seen.actors.push_back({"gateway", kit::ChildState::running, false, 2, 9, "it failed"});
  seen.fsync_ms = 1.5;
  overview->set(std::make_shared<const metrics::Overview>(seen));
  state->api_certificate_expires = 88;
  const api::ClusterView cluster = backend->cluster();
  ASSERT_EQ(cluster.members.size(), 3u);
  EXPECT_EQ(cluster.members[0].release, "0.5.0") << "this node itself";
  EXPECT_EQ(cluster.members[0].protocol, wire::protocol_version_max);
  EXPECT_EQ(cluster.members[1].release, "") << "never linked";
  EXPECT_EQ(cluster.members[2].release, "0.6.0");
  EXPECT_EQ(cluster.members[2].clock_offset_ms, -250);
  EXPECT_EQ(cluster.release, "0.5.0");
  EXPECT_EQ(cluster.peer_certificate_expires, 77);
  EXPECT_EQ(cluster.api_certificate_expires, 88);
  EXPECT_EQ(cluster.fsync_ms, 1.5);
  ASSERT_EQ(cluster.actors.size(), 1u);
  EXPECT_EQ(cluster.actors[0].name, "gateway");
  EXPECT_EQ(cluster.actors[0].state, "running");
  EXPECT_EQ(cluster.actors[0].restarts, 2u);
}

}  // namespace
}  // namespace mainstay::gateway
