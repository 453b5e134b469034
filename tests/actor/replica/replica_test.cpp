#include "actors/replica/replica.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/base/assert.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/actor/kit/actor_fixture.hpp"
#include "tests/actor/replica/memory_log.hpp"

namespace mainstay::replica {
namespace {

class StillClock final : public sys::Clock {
 public:
  MonotonicTime monotonic() const override { return MonotonicTime{Millis{1}}; }
  WallTime wall() const override { return WallTime{Millis{1000}}; }
};

// The replica actor of a node alone, with a storage that answers at once.
class ReplicaTest : public testing::ActorTest {
 protected:
  ReplicaTest() {
    auto ports = std::make_shared<Ports>();
    ports->log_writer = [this](storage::WritePersist request) {
      ++persists;
      log.write(request.persist);
      tell(replica, storage::PersistDone{request.persist.mark.sequence});
    };
    ports->applier = [this](storage::ApplyEntries request) {
      tell(replica, storage::AppliedUpTo{request.entries.back().index, {}});
    };
    ports->send = [this](NodeId to, Incarnation, wire::Body body) {
      ASSERT(!wrong);
      if (failing) throw std::runtime_error{"out of memory, say"};
      sent.emplace_back(to, std::move(body));
    };
    ports->batch_answered = [this](BatchAnswered event) { answers.push_back(event.reply); };
    ports->last_inputs = [this](const std::string& dump) { last_inputs = dump; };
    ports->read_points = [this](ReadPoints event) { reads += event.points.size(); };
    ports->leader_changed = [this](LeaderChanged event) { leader = event.leader; };
    ReplicaOptions options;
    options.own_ticker = false;
    options.crash_dump = crash_dump;
    options.driver.core.id = NodeId{1};
    options.driver.core.incarnation = Incarnation{11};
    consensus::Member self;
    self.id = NodeId{1};
    self.incarnation = Incarnation{11};
    options.initial.membership.members.push_back(self);
    replica = spawn<Replica>(options, log, random, clock, metrics, view, board, ports);
    for (int i = 0; i < 60; ++i) {
      tell(replica, kit::Tick{});
      settle();
    }
  }

  MemoryLog log;
  SeededRandom random{1};
  StillClock clock;
  metrics::NodeMetrics metrics{"test"};
  std::shared_ptr<Published<View>> view = std::make_shared<Published<View>>();
  std::shared_ptr<storage::Board> board = std::make_shared<storage::Board>();
  caf::actor replica;
  int persists = 0;
  bool failing = false;
  bool wrong = false;
  const std::string crash_dump =
      (std::filesystem::temp_directory_path() / ("replica-" + std::to_string(getpid()) + ".dump"))
          .string();
  std::string last_inputs;
  std::size_t reads = 0;
  NodeId leader;
  std::vector<wire::ProposeReply> answers;
  std::vector<std::pair<NodeId, wire::Body>> sent;
};

Bytes batch_of(std::uint64_t origin) {
  record::Batch batch;
  batch.origin = NodeId{origin};
  batch.commands.push_back(record::single({record::ActionKind::put, "orders", "A-1", {}}));
  return Bytes{wire::encode(batch)};
}

peer_link::FrameReceived frame(std::uint64_t from, wire::Body body) {
  wire::Frame made;
  made.from = NodeId{from};
  made.body = std::move(body);
  return {made};
}

TEST_F(ReplicaTest, LeadsAndPublishesIt) {
  EXPECT_EQ(leader, NodeId{1});
  EXPECT_EQ(view->get()->status.role, consensus::CoreRole::leader);
  EXPECT_TRUE(view->get()->member);
  EXPECT_EQ(metrics.leader.value(), 1);
}

TEST_F(ReplicaTest, WhatComesAtOnceGoesIntoOnePersist) {
  const int before = persists;
  for (std::uint64_t id = 1; id <= 10; ++id) tell(replica, ProposeBatch{id, batch_of(1), 1});
  settle();
  EXPECT_EQ(answers.size(), 10u);
  EXPECT_EQ(persists, before + 1);
}

TEST_F(ReplicaTest, APeersBatchIsAnsweredToIt) {
  tell(replica, frame(2, wire::ProposeRequest{7, batch_of(2)}));
  settle();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, NodeId{2});
  EXPECT_TRUE(std::get<wire::ProposeReply>(sent[0].second).accepted);
}

TEST_F(ReplicaTest, WhatIsNoBatchNeverEntersTheLog) {
  tell(replica, frame(2, wire::ProposeRequest{7, Bytes{std::string("nonsense")}}));
  tell(replica, frame(2, wire::ProposeRequest{8, batch_of(3)}));  // of another node
  settle();
  ASSERT_EQ(sent.size(), 2u);
  for (const auto& [to, body] : sent)
    EXPECT_EQ(std::get<wire::ProposeReply>(body).refused, Errc::invalid_argument);
}

TEST_F(ReplicaTest, ALeaderWithoutDiskSpaceTakesNoInserts) {
  board->disk_low = true;
  tell(replica, ProposeBatch{1, batch_of(1), 1, true});
  tell(replica, ProposeBatch{2, batch_of(1), 1, false});
  tell(replica, frame(2, wire::ProposeRequest{3, batch_of(2)}));  // a put
  settle();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].refused, Errc::storage_full);
  EXPECT_TRUE(answers[1].accepted);
  EXPECT_EQ(std::get<wire::ProposeReply>(sent.at(0).second).refused, Errc::storage_full);
}

TEST_F(ReplicaTest, AnExceptionLeavesTheLastInputsForTheSimulator) {
  failing = true;
  tell(replica, frame(2, wire::ProposeRequest{7, batch_of(3)}));
  settle();
  EXPECT_FALSE(alive(replica));
  EXPECT_TRUE(consensus::decode_recording(last_inputs)) << "they can be replayed";
}

TEST_F(ReplicaTest, AFailedAssertLeavesTheLastInputsForTheSimulator) {
  wrong = true;
  const auto propose = [this] {
    tell(replica, frame(2, wire::ProposeRequest{7, batch_of(2)}));
    settle();
  };
  EXPECT_EXIT(propose(), ::testing::KilledBySignal(SIGABRT), "!wrong");
  const auto bytes = sys::read_file(crash_dump, 1 << 20);
  ASSERT_TRUE(bytes);
  const auto recording = consensus::decode_recording(*bytes);
  ASSERT_TRUE(recording) << recording.error().message;
  // All the ticks until it led, and the proposal that it died of.
  EXPECT_EQ(recording->inputs.front().kind, consensus::Input::Kind::tick);
  const auto is_proposal = [](const auto& input) {
    return input.kind == consensus::Input::Kind::propose;
  };
  EXPECT_EQ(std::count_if(recording->inputs.begin(), recording->inputs.end(), is_proposal), 1);
  std::filesystem::remove(crash_dump);
}

TEST_F(ReplicaTest, AReadPointIsAnswered) {
  tell(replica, AskReadPoint{5});
  settle();
  EXPECT_EQ(reads, 1u);
}

}  // namespace
}  // namespace mainstay::replica
