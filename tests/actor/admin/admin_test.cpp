#include "actors/admin/admin.hpp"

#include <gtest/gtest.h>

#include "tests/actor/kit/actor_fixture.hpp"

namespace mainstay::admin {
namespace {

using namespace std::chrono_literals;

// The admin actor of node 1 between a test's requests and the replicas they go to.
class AdminTest : public testing::ActorTest {
 protected:
  AdminTest() {
    auto ports = std::make_shared<Ports>();
    ports->replica = [this](replica::Administer ask) { local.push_back(ask.request); };
    ports->send = [this](NodeId to, Incarnation, wire::Body body) {
      remote.emplace_back(to, std::get<wire::AdminRequest>(std::move(body)));
    };
    actor = spawn<Admin>(NodeId{1}, view, ports);
  }

  void lead(std::uint64_t node) {
    replica::View shown;
    shown.status.leader = NodeId{node};
    view->set(std::make_shared<const replica::View>(shown));
  }

  void ask(std::chrono::milliseconds within = 10s) {
    RunAdminRequest request;
    request.request.kind = wire::AdminRequest::Kind::remove_member;
    request.request.member.id = NodeId{3};
    request.deadline = now() + within;
    request.done = [this](Result<std::string> result) {
      ended.push_back(result ? *result : std::string{to_string(result.error().code)});
    };
    tell(actor, std::move(request));
    settle();
  }

  void answer(const wire::AdminReply& reply) {
    wire::Frame frame;
    frame.from = NodeId{2};
    frame.body = reply;
    tell(actor, peer_link::FrameReceived{frame});
    settle();
  }

  std::shared_ptr<replica::Published<replica::View>> view =
      std::make_shared<replica::Published<replica::View>>();
  caf::actor actor;
  std::vector<wire::AdminRequest> local;
  std::vector<std::pair<NodeId, wire::AdminRequest>> remote;
  std::vector<std::string> ended;
};

TEST_F(AdminTest, ALeaderAsksItsOwnReplica) {
  lead(1);
  ask();
  ASSERT_EQ(local.size(), 1u);
  EXPECT_TRUE(remote.empty());
  tell(actor, replica::AdministerReply{{local[0].id, true, Errc::not_leader, ""}});
  settle();
  EXPECT_EQ(ended, std::vector<std::string>{"node 3 is not a member"});
}

TEST_F(AdminTest, OthersAskTheLeaderAndItsSuccessorWhenItIsNoneAnyMore) {
  lead(2);
  ask();
  ASSERT_EQ(remote.size(), 1u);
  EXPECT_EQ(remote[0].first, NodeId{2});
  answer({remote[0].second.id, false, Errc::not_leader, "ask another"});
  lead(3);
  run_for(100ms);
  ASSERT_EQ(remote.size(), 2u);
  EXPECT_EQ(remote[1].first, NodeId{3});
  EXPECT_EQ(remote[1].second.id, remote[0].second.id);
  answer({remote[1].second.id, true, Errc::not_leader, ""});
  EXPECT_EQ(ended, std::vector<std::string>{"node 3 is not a member"});
}

TEST_F(AdminTest, WithoutALeaderItWaitsAndThenSaysThatNothingIsKnown) {
  ask(500ms);
  run_for(400ms);
  EXPECT_TRUE(ended.empty());
  EXPECT_TRUE(remote.empty());
  run_for(200ms);
  EXPECT_EQ(ended, std::vector<std::string>{"outcome_unknown"});
}

TEST_F(AdminTest, ARefusalThatTimeDoesNotCureIsTheAnswer) {
  lead(2);
  ask();
  answer({remote.at(0).second.id, false, Errc::not_found, "there is no node 3"});
  EXPECT_EQ(ended, std::vector<std::string>{"not_found"});
}

TEST_F(AdminTest, WhoeverWaitsWhenItEndsIsAnswered) {
  lead(2);
  ask();
  stop(actor);
  EXPECT_EQ(ended, std::vector<std::string>{"not_ready"});
}

}  // namespace
}  // namespace mainstay::admin
