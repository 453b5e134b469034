#include "runtime/http/agent_check.hpp"

#include "tests/unit/http/server_fixture.hpp"

namespace mainstay::http {
namespace {

using State = AgentReport::State;

class AgentCheckTest : public ServerTest {
 protected:
  void start_with_agent() {
    options_.agent_listen = {"127.0.0.1", 0};
    options_.agent_check = [this] {
      ++asked_;
      return AgentReport{state_, weight_};
    };
    start();
  }
  std::string ask() {
    Socket socket{server_->agent_endpoint()};
    EXPECT_TRUE(socket.hear_end());
    return socket.heard();
  }

  std::atomic<State> state_ = State::ready;
  std::atomic<unsigned> weight_ = 75;
  std::atomic<int> asked_ = 0;
};

TEST_F(AgentCheckTest, EachConnectionGetsOneLineOfTheMoment) {
  start_with_agent();
  EXPECT_EQ(ask(), "ready up 75%\n");
  weight_ = 3;
  EXPECT_EQ(ask(), "ready up 3%\n");
  state_ = State::drain;
  EXPECT_EQ(ask(), "drain\n");
  state_ = State::down;
  EXPECT_EQ(ask(), "down\n");
  EXPECT_EQ(asked_, 4);
  EXPECT_EQ(server_->counts().connections_accepted, 0U) << "no connections of the API";
}

TEST_F(AgentCheckTest, WhatTheLoadBalancerSaysIsDropped) {
  start_with_agent();
  Socket socket{server_->agent_endpoint()};
  socket.say("agent-send of haproxy\n");
  socket.hear("\n");
  EXPECT_EQ(socket.heard(), "ready up 75%\n");
}

TEST_F(AgentCheckTest, ConnectionsThatStayAreBoundedAndEnd) {
  start_with_agent();
  std::vector<std::unique_ptr<Socket>> all;
  all.reserve(200);
  for (int i = 0; i < 200; ++i) all.push_back(std::make_unique<Socket>(server_->agent_endpoint()));
  for (const auto& socket : all) EXPECT_TRUE(socket->hear_end());
  const auto answered = std::count_if(all.begin(), all.end(),
                                      [](const auto& socket) { return !socket->heard().empty(); });
  EXPECT_EQ(asked_, answered);
  EXPECT_GT(answered, 0);
  EXPECT_LT(answered, 200);
  EXPECT_TRUE(eventually([&] { return ask() == "ready up 75%\n"; }));
}

TEST_F(AgentCheckTest, StopsWithTheServerAtOnce) {
  start_with_agent();
  const config::Endpoint agent = server_->agent_endpoint();
  Socket open{agent};
  open.hear("\n");
  server_->stop(Millis{0});
  EXPECT_TRUE(open.hear_end());
}

TEST_F(AgentCheckTest, ATakenPortIsAnError) {
  start_with_agent();
  ServerOptions taken = options_;
  taken.agent_listen = server_->agent_endpoint();
  EXPECT_FALSE(Server::start(taken, clock_, [](const Request&, const Responder&) {}));
  taken.agent_listen = {"no.such.host.invalid", 1};
  auto unknown = Server::start(taken, clock_, [](const Request&, const Responder&) {});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, ::testing::HasSubstr("api.agent_listen"));
}

TEST(AgentLine, TheExampleOfALoadBalancerIsGood) {
  // ./check unpacks haproxy into build/tools where it is not installed.
  FILE* pipe =
      popen("PATH=$PATH:/usr/sbin:build/tools haproxy -c -q -f config/examples/haproxy.cfg", "w");
  ASSERT_NE(pipe, nullptr);
  EXPECT_EQ(pclose(pipe), 0);
}

TEST(AgentLine, AWeightIsNeverZero) {
  EXPECT_EQ(agent_line({State::ready, 0}), "ready up 1%\n");
  EXPECT_EQ(agent_line({State::ready, 1000}), "ready up 100%\n");
}

TEST(AgentWeight, TheWorstOfQueueLagAndDiskDecides) {
  EXPECT_EQ(weight_percent_of({}), 100U);
  EXPECT_EQ(weight_percent_of({0.25, 0, Millis{0}}), 75U);
  EXPECT_EQ(weight_percent_of({0.25, 4'000, Millis{20}}), 50U);
  EXPECT_EQ(weight_percent_of({0.25, 4'000, Millis{200}}), 10U);
  EXPECT_EQ(weight_percent_of({1.5, 0, Millis{0}}), 1U);
  EXPECT_EQ(weight_percent_of({-1, ~0ULL, Millis{1}}), 1U);
}

}  // namespace
}  // namespace mainstay::http
