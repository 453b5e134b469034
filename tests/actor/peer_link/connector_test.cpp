#include "actors/peer_link/connector.hpp"

#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include "tests/actor/peer_link/certificates.hpp"

namespace mainstay::peer_link {
namespace {

using namespace std::chrono_literals;

// A connector and what it reported.
class Door {
 public:
  explicit Door(const tls::Files& files, NodeId node, ConnectorLimits limits = {}) {
    auto contexts = tls::ContextSource::open(files, {"plant", node});
    EXPECT_TRUE(contexts);
    auto listener = listen_on("127.0.0.1:0");
    EXPECT_TRUE(listener);
    ConnectorEvents events;
    events.established = [this](std::shared_ptr<Connection> connection) {
      add([&] { established.push_back(std::move(connection)); });
    };
    events.dial_failed = [this](NodeId, std::string why) {
      add([&] { failed.push_back(std::move(why)); });
    };
    events.refused = [this](Refusal reason, std::string) {
      add([&] { refused.push_back(reason); });
    };
    events.alarm = [this] { add([&] { ++alarms; }); };
    connector_ = std::make_unique<Connector>(std::move(*listener), std::move(*contexts), limits,
                                             std::move(events));
  }

  void dial(NodeId node, const Door& other) { connector_->dial(node, other.address()); }
  void dial(NodeId node, const std::string& address) { connector_->dial(node, address); }
  void set_alarm(MonotonicTime at) { connector_->set_alarm(at); }
  std::string address() const { return "127.0.0.1:" + std::to_string(connector_->port()); }

  // Waits until `condition` holds over what was reported; false after a long time.
  template <class Condition>
  bool wait_for(Condition condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 20s, condition);
  }

  std::vector<std::shared_ptr<Connection>> established;
  std::vector<std::string> failed;
  std::vector<Refusal> refused;
  int alarms = 0;

 private:
  template <class Action>
  void add(Action action) {
    const std::lock_guard lock{mutex_};
    action();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<Connector> connector_;
};

// A plain TCP client that knows no TLS.
UniqueFd plain_client(const Door& door) {
  const auto where = split_address(door.address());
  auto socket = begin_connect(numeric_addresses(*where).front());
  EXPECT_TRUE(socket);
  return std::move(*socket);
}

const auto& certificates() {
  return Certificates::shared();
}

TEST(Connector, makes_an_authenticated_connection_with_one_token) {
  Door one{certificates().files("plant", NodeId{1}), NodeId{1}};
  Door two{certificates().files("plant", NodeId{2}), NodeId{2}};
  one.dial(NodeId{2}, two);
  ASSERT_TRUE(one.wait_for([&] { return !one.established.empty(); }));
  ASSERT_TRUE(two.wait_for([&] { return !two.established.empty(); }));
  EXPECT_EQ(one.established[0]->peer, NodeId{2});
  EXPECT_EQ(two.established[0]->peer, NodeId{1});
  EXPECT_EQ(one.established[0]->role, tls::Role::dialler);
  EXPECT_EQ(one.established[0]->token, two.established[0]->token);
  EXPECT_NE(one.established[0]->token, 0u);
}

TEST(Connector, a_stranger_is_refused_at_both_ends) {
  Door stranger{certificates().files("foreign", NodeId{1}), NodeId{1}};
  Door two{certificates().files("plant", NodeId{2}), NodeId{2}};
  stranger.dial(NodeId{2}, two);
  ASSERT_TRUE(stranger.wait_for([&] { return !stranger.failed.empty(); }));
  EXPECT_EQ(stranger.refused, std::vector{Refusal::stranger});
  ASSERT_TRUE(two.wait_for([&] { return !two.refused.empty(); }));
  EXPECT_TRUE(two.established.empty());
}

TEST(Connector, an_expired_certificate_is_refused) {
  Door old{certificates().files("plant", NodeId{7}), NodeId{7}};
  Door two{certificates().files("plant", NodeId{2}), NodeId{2}};
  old.dial(NodeId{2}, two);
  ASSERT_TRUE(two.wait_for([&] { return !two.refused.empty(); }));
  EXPECT_EQ(two.refused[0], Refusal::stranger);
}

TEST(Connector, a_node_that_answers_at_anothers_address_is_refused) {
  Door one{certificates().files("plant", NodeId{1}), NodeId{1}};
  Door two{certificates().files("plant", NodeId{2}), NodeId{2}};
  one.dial(NodeId{3}, two);
  ASSERT_TRUE(one.wait_for([&] { return !one.failed.empty(); }));
  EXPECT_EQ(one.refused, std::vector{Refusal::wrong_node});
  EXPECT_TRUE(one.established.empty());
}

TEST(Connector, garbage_is_refused_at_once) {
  Door two{certificates().files("plant", NodeId{2}), NodeId{2}};
  const UniqueFd client = plain_client(two);
  ::pollfd writable{client.get(), POLLOUT, 0};
  ASSERT_EQ(::poll(&writable, 1, 20'000), 1);
  ASSERT_EQ(::write(client.get(), "GET / HTTP/1.1\r\n\r\n", 18), 18);
  ASSERT_TRUE(two.wait_for([&] { return !two.refused.empty(); }));
  EXPECT_EQ(two.refused[0], Refusal::handshake);
}

TEST(Connector, silence_ends_at_the_deadline_and_holds_up_nobody) {
  ConnectorLimits limits;
  limits.handshake_ms = 1500ms;
  Door two{certificates().files("plant", NodeId{2}), NodeId{2}, limits};
  const UniqueFd silent = plain_client(two);
  Door one{certificates().files("plant", NodeId{1}), NodeId{1}};
  one.dial(NodeId{2}, two);
  ASSERT_TRUE(two.wait_for([&] { return !two.established.empty(); }));
  EXPECT_TRUE(two.refused.empty());
  ASSERT_TRUE(two.wait_for([&] { return !two.refused.empty(); }));
  EXPECT_EQ(two.refused[0], Refusal::handshake);
}

TEST(Connector, many_silent_connections_push_each_other_out_not_a_node) {
  ConnectorLimits limits;
  limits.handshakes_max = 4;
  limits.handshake_ms = 60'000ms;
  Door two{certificates().files("plant", NodeId{2}), NodeId{2}, limits};
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 10; ++i) silent.push_back(plain_client(two));
  ASSERT_TRUE(two.wait_for([&] { return two.refused.size() == 6; }));
  EXPECT_THAT(two.refused, ::testing::Each(Refusal::overload));
  Door one{certificates().files("plant", NodeId{1}), NodeId{1}};
  one.dial(NodeId{2}, two);
  EXPECT_TRUE(two.wait_for([&] { return !two.established.empty(); }));
}

TEST(Connector, a_dial_to_nobody_fails_with_the_reason) {
  Door one{certificates().files("plant", NodeId{1}), NodeId{1}};
  std::string address;
  {
    Door gone{certificates().files("plant", NodeId{2}), NodeId{2}};
    address = gone.address();
  }
  one.dial(NodeId{2}, address);
  ASSERT_TRUE(one.wait_for([&] { return !one.failed.empty(); }));
  EXPECT_NE(one.failed[0].find("refused"), std::string::npos) << one.failed[0];
  one.dial(NodeId{2}, "no port");
  ASSERT_TRUE(one.wait_for([&] { return one.failed.size() == 2; }));
}

TEST(Connector, a_dial_to_a_silent_host_fails_at_the_deadline) {
  ConnectorLimits limits;
  limits.handshake_ms = 200ms;
  Door one{certificates().files("plant", NodeId{1}), NodeId{1}, limits};
  const auto silent = listen_on("127.0.0.1:0");  // accepts in the kernel only
  ASSERT_TRUE(silent);
  one.dial(NodeId{2}, "127.0.0.1:" + std::to_string(port_of(silent->get())));
  ASSERT_TRUE(one.wait_for([&] { return !one.failed.empty(); }));
  EXPECT_NE(one.failed[0].find("within its time"), std::string::npos) << one.failed[0];
}

TEST(Connector, rings_once_at_the_earliest_alarm) {
  Door door{certificates().files("plant", NodeId{1}), NodeId{1}};
  const MonotonicTime now = sys::system_clock().monotonic();
  door.set_alarm(now + 1h);
  door.set_alarm(now + 20ms);
  ASSERT_TRUE(door.wait_for([&] { return door.alarms == 1; }));
  EXPECT_GE(sys::system_clock().monotonic(), now + 20ms);
  door.set_alarm(now);
  EXPECT_TRUE(door.wait_for([&] { return door.alarms == 2; }));
}

}  // namespace
}  // namespace mainstay::peer_link
