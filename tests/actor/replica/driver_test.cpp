#include "actors/replica/driver.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/wire/codec.hpp"
#include "tests/actor/replica/memory_log.hpp"

namespace mainstay::replica {
namespace {

using consensus::CoreRole;

consensus::Membership members_of(std::uint64_t count) {
  consensus::Membership membership;
  for (std::uint64_t id = 1; id <= count; ++id) {
    consensus::Member member;
    member.id = NodeId{id};
    member.incarnation = Incarnation{id * 11};
    member.peer_address = "node" + std::to_string(id);
    membership.members.push_back(member);
  }
  return membership;
}

// One node: a driver whose effects are recorded and, unless held back, answered at once.
class TestNode final : public Effects {
 public:
  TestNode(std::uint64_t id, const consensus::Membership& membership) : random{id} {
    DriverOptions options;
    options.core.id = NodeId{id};
    options.core.incarnation = Incarnation{id * 11};
    consensus::InitialState initial;
    initial.membership = membership;
    driver = std::make_unique<Driver>(options, initial, log, random, *this);
  }

  void persist(consensus::Persist persist) override {
    trace.push_back("persist");
    persists.push_back(std::move(persist));
  }
  void apply(std::vector<consensus::Entry> entries) override {
    trace.push_back("apply");
    for (consensus::Entry& entry : entries) applied.push_back(std::move(entry));
  }
  void install(const consensus::SnapshotMeta&) override { trace.push_back("install"); }
  void pull(const consensus::SnapshotMeta&, NodeId) override { trace.push_back("pull"); }
  void send(NodeId to, Incarnation, wire::Body body) override {
    trace.push_back("send");
    sent.emplace_back(to, std::move(body));
  }
  void batch_answered(const wire::ProposeReply& reply) override { answers.push_back(reply); }
  void read_points(std::vector<consensus::ReadState> points) override {
    reads.insert(reads.end(), points.begin(), points.end());
  }
  void administered(const wire::AdminReply& reply) override { admin.push_back(reply); }
  void leader_changed(const LeaderChanged& change) override { leaders.push_back(change.leader); }
  void quarantined(const std::string& why) override { evidence.push_back(why); }

  // Makes durable and applied what waits.
  void catch_up() {
    while (!persists.empty() || told_applied < applied.size()) {
      for (; !persists.empty(); persists.pop_front()) {
        log.write(persists.front());
        driver->stored(persists.front().mark.sequence);
      }
      if (told_applied < applied.size()) {
        told_applied = applied.size();
        driver->applied(applied.back().index, {});
      }
      driver->run(1000);
    }
  }

  void elect() {
    for (int i = 0; i < 100 && driver->core().role() != CoreRole::leader; ++i) {
      driver->tick(1);
      driver->run(1000);
      catch_up();
    }
  }

  void propose(std::uint64_t id, NodeId from = NodeId{}) {
    record::Batch batch;
    batch.origin = NodeId{1};
    batch.sequence = id;
    batch.commands.emplace_back();
    driver->propose(Proposal{from, id, Bytes{wire::encode(batch)}, 1});
  }

  // Batches in the applied entry at this place.
  std::vector<std::uint64_t> batches_in(const consensus::Entry& entry) {
    std::vector<std::uint64_t> sequences;
    const auto decoded = wire::decode_log_batch(entry.payload);
    for (const record::Batch& batch : decoded->batches) sequences.push_back(batch.sequence);
    return sequences;
  }

  MemoryLog log;
  SeededRandom random;
  std::deque<consensus::Persist> persists;
  std::vector<consensus::Entry> applied;
  std::size_t told_applied = 0;
  std::vector<std::pair<NodeId, wire::Body>> sent;
  std::vector<wire::ProposeReply> answers;
  std::vector<consensus::ReadState> reads;
  std::vector<wire::AdminReply> admin;
  std::vector<NodeId> leaders;
  std::vector<std::string> evidence;
  std::vector<std::string> trace;
  std::unique_ptr<Driver> driver;
};

// Nodes in one room: run() delivers until nothing moves.
class Room {
 public:
  explicit Room(std::uint64_t count) {
    for (std::uint64_t id = 1; id <= count; ++id)
      nodes.push_back(std::make_unique<TestNode>(id, members_of(count)));
  }

  TestNode& at(NodeId id) { return *nodes[id.value - 1]; }

  void run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& node : nodes) {
        node->driver->run(1000);
        node->catch_up();
        auto sent = std::exchange(node->sent, {});
        for (auto& [to, body] : sent) {
          const NodeId from = node->driver->core().status().id;
          if (from == gone || to == gone) continue;
          moved = true;
          deliver(NodeId{node->driver->core().status().id}, at(to), std::move(body));
        }
      }
    }
  }

  void tick() {
    for (auto& node : nodes) node->driver->tick(1);
    run();
  }

  TestNode* leader() {
    for (auto& node : nodes)
      if (node->driver->core().role() == CoreRole::leader) return node.get();
    return nullptr;
  }

  TestNode& elect() {
    for (int i = 0; i < 200 && leader() == nullptr; ++i) tick();
    return *leader();
  }

  std::vector<std::unique_ptr<TestNode>> nodes;
  NodeId gone;  // this one neither hears nor is heard

 private:
  static void deliver(NodeId from, TestNode& to, wire::Body body) {
    if (auto* messages = std::get_if<wire::ConsensusMessages>(&body))
      to.driver->step(std::move(messages->messages));
    if (auto* report = std::get_if<wire::StateHashReport>(&body))
      to.driver->state_hash(from, report->index, report->hash);
  }
};

TEST(DriverTest, AloneItLeadsStoresAppliesAndAnswers) {
  TestNode node{1, members_of(1)};
  node.elect();
  ASSERT_EQ(node.driver->core().role(), CoreRole::leader);
  EXPECT_EQ(node.leaders.back(), NodeId{1});
  node.propose(7);
  node.driver->run(1000);
  ASSERT_EQ(node.answers.size(), 1u);
  EXPECT_TRUE(node.answers[0].accepted);
  const std::size_t before = node.applied.size();
  node.catch_up();
  ASSERT_EQ(node.applied.size(), before + 1);
  EXPECT_EQ(node.applied.back().index, node.answers[0].index);
  EXPECT_EQ(node.batches_in(node.applied.back()), std::vector<std::uint64_t>{7});
}

TEST(DriverTest, NothingIsAppliedBeforeItIsStored) {
  TestNode node{1, members_of(1)};
  node.elect();
  node.propose(7);
  const std::size_t before = node.applied.size();
  node.driver->run(1000);
  node.driver->run(1000);
  EXPECT_EQ(node.applied.size(), before);
  ASSERT_EQ(node.persists.size(), 1u);
}

TEST(DriverTest, BatchesGatherWhileTheDiskIsBusy) {
  TestNode node{1, members_of(1)};
  node.elect();
  for (std::uint64_t id = 1; id <= 5; ++id) {
    node.propose(id);
    node.driver->run(1000);
  }
  // Two entries are on their way to the disk, the rest waits for one of them.
  EXPECT_EQ(node.persists.size(), 2u);
  EXPECT_EQ(node.driver->proposals_waiting(), 3u);
  node.applied.clear();
  node.told_applied = 0;
  node.catch_up();
  ASSERT_EQ(node.applied.size(), 3u);
  EXPECT_EQ(node.batches_in(node.applied[2]), (std::vector<std::uint64_t>{3, 4, 5}));
}

TEST(DriverTest, AFollowerRefusesProposals) {
  TestNode node{1, members_of(3)};
  node.propose(7);
  node.driver->run(1000);
  ASSERT_EQ(node.answers.size(), 1u);
  EXPECT_FALSE(node.answers[0].accepted);
  EXPECT_EQ(node.answers[0].refused, Errc::not_leader);
}

TEST(DriverTest, AVoteIsSentOnlyOnceItIsDurable) {
  TestNode node{2, members_of(3)};
  consensus::Message vote;
  vote.type = consensus::MessageType::vote;
  vote.from = NodeId{1};
  vote.from_incarnation = Incarnation{11};
  vote.to = NodeId{2};
  vote.to_incarnation = Incarnation{22};
  vote.term = 1;
  vote.forced = true;
  node.driver->step({vote});
  node.driver->run(1000);
  EXPECT_EQ(node.trace, std::vector<std::string>{"persist"});
  node.catch_up();
  ASSERT_FALSE(node.sent.empty());
  EXPECT_EQ(std::get<wire::ConsensusMessages>(node.sent[0].second).messages[0].type,
            consensus::MessageType::vote_reply);
}

TEST(DriverTest, ThreeNodesCommitAndAnswerTheProposer) {
  Room room{3};
  TestNode& leader = room.elect();
  leader.propose(7);
  room.run();
  room.tick();
  for (int i = 0; i < 10; ++i) room.tick();
  for (auto& node : room.nodes) {
    ASSERT_FALSE(node->applied.empty());
    EXPECT_EQ(node->applied.back().index, leader.answers[0].index);
  }
}

TEST(DriverTest, AReadPointIsConfirmedByTheMajority) {
  Room room{3};
  TestNode& leader = room.elect();
  leader.driver->ask_read_point(99);
  room.run();
  ASSERT_EQ(leader.reads.size(), 1u);
  EXPECT_EQ(leader.reads[0].context, 99u);
  EXPECT_GT(leader.reads[0].index, 0u);
}

consensus::Message offer_of(consensus::Index index, consensus::Term term, const char* id) {
  consensus::Message offer;
  offer.type = consensus::MessageType::snapshot;
  offer.from = NodeId{1};
  offer.from_incarnation = Incarnation{11};
  offer.to = NodeId{2};
  offer.to_incarnation = Incarnation{22};
  offer.term = term;
  offer.snapshot.index = index;
  offer.snapshot.term = term;
  offer.snapshot.id = id;
  offer.snapshot.membership = members_of(3);
  return offer;
}

TEST(DriverTest, NoSecondSnapshotIsPulledWhileOneIsBeingInstalled) {
  TestNode node{2, members_of(3)};
  const auto pulls = [&node] { return std::count(node.trace.begin(), node.trace.end(), "pull"); };
  node.driver->step({offer_of(100, 1, "first")});
  node.driver->run(1000);
  ASSERT_EQ(pulls(), 1);
  node.driver->snapshot_received(offer_of(100, 1, "first").snapshot, true);
  node.driver->run(1000);
  while (!node.persists.empty()) {
    node.driver->stored(node.persists.front().mark.sequence);
    node.persists.pop_front();
  }
  node.driver->run(1000);
  ASSERT_EQ(std::count(node.trace.begin(), node.trace.end(), "install"), 1);
  node.driver->step({offer_of(200, 1, "second")});
  node.driver->run(1000);
  EXPECT_EQ(pulls(), 1);
  ASSERT_FALSE(node.sent.empty());
  EXPECT_TRUE(std::get<wire::ConsensusMessages>(node.sent.back().second).messages.back().reject);
  node.driver->applied(100, {});
  node.driver->step({offer_of(200, 1, "second")});
  node.driver->run(1000);
  EXPECT_EQ(pulls(), 2);
}

TEST(DriverTest, AFrameHoldsNoMoreMessagesThanItsReaderTakes) {
  TestNode node{2, members_of(3)};
  consensus::Message ask;
  ask.type = consensus::MessageType::pre_vote;
  ask.from = NodeId{1};
  ask.from_incarnation = Incarnation{11};
  ask.to = NodeId{2};
  ask.to_incarnation = Incarnation{22};
  ask.term = 1;
  const std::size_t many = limits::frame_messages_max + 5;
  node.driver->step(std::vector<consensus::Message>(many, ask));
  node.driver->run(1000);
  node.catch_up();
  std::size_t messages = 0;
  for (const auto& [to, body] : node.sent) {
    const std::size_t count = std::get<wire::ConsensusMessages>(body).messages.size();
    EXPECT_LE(count, limits::frame_messages_max);
    messages += count;
  }
  EXPECT_EQ(messages, many);
}

TEST(DriverTest, AMembershipChangeIsAnsweredOnceItIsApplied) {
  Room room{3};
  TestNode& leader = room.elect();
  for (int i = 0; i < 10; ++i) room.tick();
  wire::AdminRequest request;
  request.id = 5;
  request.kind = wire::AdminRequest::Kind::remove_member;
  request.member.id = leader.driver->core().status().id == NodeId{3} ? NodeId{2} : NodeId{3};
  leader.driver->administer(NodeId{}, request);
  EXPECT_TRUE(leader.admin.empty());
  room.run();
  ASSERT_EQ(leader.admin.size(), 1u);
  EXPECT_TRUE(leader.admin[0].done);
  EXPECT_EQ(leader.driver->core().membership().members.size(), 2u);
}

TEST(DriverTest, ATransferIsAnsweredWhenTheOtherLeads) {
  Room room{3};
  TestNode& leader = room.elect();
  for (int i = 0; i < 10; ++i) room.tick();
  wire::AdminRequest request;
  request.id = 5;
  request.kind = wire::AdminRequest::Kind::transfer;
  leader.driver->administer(NodeId{}, request);
  room.run();
  ASSERT_EQ(leader.admin.size(), 1u);
  EXPECT_TRUE(leader.admin[0].done);
  EXPECT_NE(leader.driver->core().role(), CoreRole::leader);
}

TEST(DriverTest, ANodeThatLostItsDiskIsTakenInAsALearner) {
  Room room{3};
  TestNode& leader = room.elect();
  for (int i = 0; i < 10; ++i) room.tick();
  consensus::Member again = leader.driver->core().membership().members[0];
  if (again.id == leader.driver->core().status().id)
    again = leader.driver->core().membership().members[1];
  again.incarnation = Incarnation{777};
  leader.driver->join(NodeId{99}, again);  // someone else asks for it: no
  room.run();
  EXPECT_TRUE(leader.driver->core().membership().is_voter(again.id));
  leader.driver->join(again.id, again);
  room.run();
  EXPECT_TRUE(leader.driver->core().membership().is_voter(again.id)) << "the old one answers";
  room.gone = again.id;
  for (int i = 0; i < 200; ++i) room.tick();
  leader.driver->join(again.id, again);
  room.run();
  const consensus::Member* member = leader.driver->core().membership().find(again.id);
  EXPECT_EQ(member->incarnation, Incarnation{777});
  EXPECT_EQ(member->role, consensus::MemberRole::learner);
  EXPECT_TRUE(member->auto_promote);
}

TEST(DriverTest, ANodeThatDiffersFromTheMajorityTakesItselfOut) {
  TestNode node{1, members_of(3)};
  node.driver->applied(0, {{10, Hash128{1, 1}}});
  node.driver->state_hash(NodeId{2}, 10, Hash128{2, 2});
  EXPECT_TRUE(node.evidence.empty());
  node.driver->state_hash(NodeId{3}, 10, Hash128{2, 2});
  EXPECT_EQ(node.evidence.size(), 1u);
  const View view = node.driver->view();
  EXPECT_TRUE(view.quarantined);
  EXPECT_FALSE(view.hashes_agree);
}

TEST(DriverTest, AnotherNodeThatDiffersIsSeenButChangesNothingHere) {
  TestNode node{1, members_of(3)};
  node.driver->applied(0, {{10, Hash128{1, 1}}});
  node.driver->state_hash(NodeId{2}, 10, Hash128{1, 1});
  node.driver->state_hash(NodeId{3}, 10, Hash128{2, 2});
  EXPECT_TRUE(node.evidence.empty());
  EXPECT_FALSE(node.driver->view().hashes_agree);
  EXPECT_EQ(node.driver->view().checked_index, 10u);
}

TEST(DriverTest, AHashIsReportedToAllOtherMembers) {
  TestNode node{1, members_of(3)};
  node.driver->applied(0, {{10, Hash128{1, 1}}});
  ASSERT_EQ(node.sent.size(), 2u);
  EXPECT_EQ(node.sent[0].first, NodeId{2});
  EXPECT_EQ(node.sent[1].first, NodeId{3});
}

TEST(DriverTest, ADumpHoldsTheLastInputs) {
  TestNode node{1, members_of(1)};
  node.elect();
  node.propose(7);
  node.driver->run(1000);
  node.catch_up();
  const auto recording = consensus::decode_recording(node.driver->dump());
  ASSERT_TRUE(recording);
  std::set<consensus::Input::Kind> kinds;
  for (const consensus::Input& input : recording->inputs) kinds.insert(input.kind);
  using Kind = consensus::Input::Kind;
  EXPECT_EQ(kinds, (std::set<Kind>{Kind::tick, Kind::propose, Kind::stored, Kind::applied}));
}

TEST(DriverTest, ALeaderProposesACheckOnceASecondIfSomethingChanged) {
  TestNode node{1, members_of(1)};
  node.elect();
  for (int i = 0; i < 300; ++i) {
    node.driver->tick(1);
    node.driver->run(1000);
    node.catch_up();
  }
  const auto checks = [&node] {
    return std::count_if(
        node.applied.begin(), node.applied.end(),
        [](const consensus::Entry& entry) { return entry.kind == consensus::EntryKind::check; });
  };
  EXPECT_EQ(checks(), 1);
  node.propose(1);
  for (int i = 0; i < 300; ++i) {
    node.driver->tick(1);
    node.driver->run(1000);
    node.catch_up();
  }
  EXPECT_EQ(checks(), 2);
}

}  // namespace
}  // namespace mainstay::replica
