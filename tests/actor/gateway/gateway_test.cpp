#include "actors/gateway/gateway.hpp"

#include <gtest/gtest.h>

#include "actors/gateway/command_bytes.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/actor/kit/actor_fixture.hpp"

namespace mainstay::gateway {
namespace {

using namespace std::chrono_literals;

// The gateway between a test's requests and what it asks of replica and peers.
class GatewayTest : public testing::ActorTest {
 protected:
  GatewayTest() {
    auto ports = std::make_shared<Ports>();
    ports->propose = [this](replica::ProposeBatch batch) { proposed.push_back(std::move(batch)); };
    ports->ask_read_point = [this](replica::AskReadPoint ask) { asked.push_back(ask.context); };
    ports->send = [this](NodeId to, Incarnation, wire::Body body) {
      sent.emplace_back(to, std::get<wire::ProposeRequest>(std::move(body)));
    };
    inbox = std::make_shared<Inbox>([this] { tell(gateway, InboxFilled{}); });
    gateway = spawn<Gateway>(GatewayOptions{NodeId{1}, BootId{7}, 10ms}, inbox, admission, view,
                             board, metrics, ports);
    settle();
  }

  void write(const std::string& operation, std::chrono::milliseconds within = 10s) {
    record::Command command = record::single({record::ActionKind::put, "orders", "A-1", {}});
    command.operation = operation;
    ASSERT_TRUE(admission->enter(bytes_of(command)));
    inbox->push(WriteRequest{
        command, now(), now() + within, [this](Result<record::Outcome> result) {
          outcomes.push_back(result ? "done" : std::string{to_string(result.error().code)});
        }});
    settle();
  }

  // A feed that waits for something new, or a session read.
  void wait(record::Revision after, bool feed, std::chrono::milliseconds within = 10s) {
    ASSERT_TRUE(feed ? admission->enter_feed() : admission->enter(0));
    inbox->push(RevisionRequest{
        after, feed, now(), now() + within, [this](Result<record::Revision> revision) {
          outcomes.push_back(revision ? std::to_string(*revision)
                                      : std::string{to_string(revision.error().code)});
        }});
    settle();
  }

  // What the applier does: the board first, then the event.
  void show(record::Revision revision) {
    board->revision = revision;
    tell(gateway, storage::OwnOutcomes{revision, 3, {}, false});
    settle();
  }

  void lead(std::uint64_t node, std::uint64_t term) {
    tell(gateway, replica::LeaderChanged{NodeId{node}, Incarnation{9}, term});
    settle();
  }

  // What the replica published; its LeaderChanged went to a gateway that is gone.
  void show_leader(std::uint64_t node, std::uint64_t term) {
    replica::View shown;
    shown.status.leader = NodeId{node};
    shown.status.term = term;
    view->set(std::make_shared<const replica::View>(shown));
  }

  void apply(std::uint64_t index, std::uint64_t term, std::uint64_t sequence) {
    record::BatchOutcome outcome;
    outcome.sequence = sequence;
    outcome.outcomes.resize(1);
    tell(gateway, storage::OwnOutcomes{index, term, {outcome}, false});
    settle();
  }

  std::shared_ptr<Admission> admission = std::make_shared<Admission>();
  std::shared_ptr<replica::Published<replica::View>> view =
      std::make_shared<replica::Published<replica::View>>();
  std::shared_ptr<storage::Board> board = std::make_shared<storage::Board>();
  metrics::NodeMetrics metrics{"test"};
  std::shared_ptr<Inbox> inbox;
  caf::actor gateway;
  std::vector<replica::ProposeBatch> proposed;
  std::vector<std::pair<NodeId, wire::ProposeRequest>> sent;
  std::vector<std::uint64_t> asked;
  std::vector<std::string> outcomes;
};

TEST_F(GatewayTest, WritesWaitForALeaderAndGoToTheLocalReplica) {
  write("a");
  EXPECT_TRUE(proposed.empty());
  lead(1, 3);
  ASSERT_EQ(proposed.size(), 1u);
  EXPECT_EQ(wire::decode_batch(proposed[0].batch)->commands[0].operation, "a");
  EXPECT_EQ(admission->requests(), 1u);
  apply(5, 3, proposed[0].id);
  EXPECT_EQ(outcomes, std::vector<std::string>{"done"});
  EXPECT_EQ(admission->requests(), 0u);
  EXPECT_EQ(admission->bytes(), 0u);
}

TEST_F(GatewayTest, ThroughAnElectionTheSameOperationGoesToTheNextLeader) {
  lead(2, 3);
  write("a");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, NodeId{2});
  lead(0, 3);
  lead(3, 4);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].first, NodeId{3});
  EXPECT_EQ(wire::decode_batch(sent[1].second.batch)->commands[0].operation, "a");
  apply(9, 4, sent[1].second.id);
  EXPECT_EQ(outcomes, std::vector<std::string>{"done"});
}

TEST_F(GatewayTest, ALostReplyIsRepeatedUntilTheDeadline) {
  lead(2, 3);
  write("a", 2500ms);
  run_for(1900ms);
  EXPECT_EQ(sent.size(), 1u) << "a slow leader gets no copies";
  run_for(200ms);
  EXPECT_EQ(sent.size(), 2u);
  run_for(500ms);
  EXPECT_EQ(outcomes, std::vector<std::string>{"outcome_unknown"});
  EXPECT_EQ(admission->requests(), 0u);
}

TEST_F(GatewayTest, ALeaderOfWhichNoMessageToldIsSeenWhenItWakesUp) {
  write("a");
  EXPECT_TRUE(sent.empty());
  show_leader(2, 3);
  tell(gateway, InboxFilled{});  // the node sends it once the gateway is in its place
  settle();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, NodeId{2});
}

TEST_F(GatewayTest, ARefusalMakesItLookWhoLeads) {
  lead(2, 3);
  write("a");
  ASSERT_EQ(sent.size(), 1u);
  show_leader(3, 4);
  wire::Frame frame;
  frame.from = NodeId{2};
  frame.body = wire::ProposeReply{sent[0].second.id, false, Errc::not_leader};
  tell(gateway, peer_link::FrameReceived{frame});
  settle();
  run_for(20ms);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].first, NodeId{3});
}

TEST_F(GatewayTest, ReadsWaitForAReadPointAndForTheApply) {
  lead(2, 3);
  ASSERT_TRUE(admission->enter(0));
  bool done = false;
  inbox->push(
      ReadRequest{now(), now() + 10s, [&done](Result<void> result) { done = result.has_value(); }});
  settle();
  ASSERT_EQ(asked.size(), 1u);
  tell(gateway, replica::ReadPoints{{{asked[0], 7}}});
  settle();
  EXPECT_FALSE(done);
  apply(7, 3, 0);
  EXPECT_TRUE(done);
  EXPECT_EQ(admission->requests(), 0u);
}

TEST_F(GatewayTest, AFeedIsWokenByTheApplyThatBringsSomethingNew) {
  show(4);
  wait(4, true);
  wait(4, false);
  EXPECT_TRUE(outcomes.empty());
  show(5);
  EXPECT_EQ(outcomes, (std::vector<std::string>{"5", "5"}));
  EXPECT_EQ(admission->feeds(), 0u);
  EXPECT_EQ(admission->requests(), 0u);
}

TEST_F(GatewayTest, WhatWasAppliedWhileAWaiterWasOnItsWayIsNotMissed) {
  board->revision = 5;  // the event came before the request
  wait(4, true);
  EXPECT_EQ(outcomes, std::vector<std::string>{"5"});
}

TEST_F(GatewayTest, AWaitForARevisionEndsAtItsDeadline) {
  show(4);
  wait(1'000'000, false, 100ms);
  wait(4, true, 100ms);
  run_for(90ms);
  EXPECT_TRUE(outcomes.empty());
  run_for(40ms);
  EXPECT_EQ(outcomes, (std::vector<std::string>{"deadline_exceeded", "4"}));
}

TEST_F(GatewayTest, ANodeThatStopsSendsItsFeedsElsewhere) {
  wait(4, true);
  tell(gateway, EndFeeds{});
  settle();
  EXPECT_EQ(outcomes, std::vector<std::string>{"not_ready"});
  EXPECT_EQ(admission->feeds(), 0u);
}

TEST_F(GatewayTest, ARestartAnswersWhatItHeldAndTakesWhatCameMeanwhile) {
  lead(1, 3);
  write("a");
  stop(gateway);
  EXPECT_EQ(outcomes, std::vector<std::string>{"outcome_unknown"});
}

}  // namespace
}  // namespace mainstay::gateway
