// A node with nothing but Links, for tests over real sockets. Waiting is for events, with a long
// deadline that only a failure reaches.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <caf/all.hpp>
#include <gtest/gtest.h>
#include <poll.h>

#include "actors/kit/actor_system.hpp"
#include "actors/peer_link/peer_link.hpp"
#include "tests/actor/peer_link/certificates.hpp"

namespace mainstay::peer_link {

using namespace std::chrono_literals;

inline constexpr auto patience = 30s;

// What a subscriber was told.
struct Seen {
  std::vector<PeerUp> ups;
  std::vector<PeerDown> downs;
  std::vector<bool> congestions;
  std::vector<std::uint64_t> indexes;  // of StateHashReports
  std::size_t bytes = 0;               // in SnapshotChunks
  std::size_t goodbyes = 0;
};

// Collects events on an actor, for the test's thread to wait for.
class Events {
 public:
  caf::actor spawn(caf::actor_system& system) {
    return system.spawn<caf::detached>([this](caf::event_based_actor*) {
      return caf::behavior{
          [this](const PeerUp& up) { add([&] { seen_.ups.push_back(up); }); },
          [this](const PeerDown& down) { add([&] { seen_.downs.push_back(down); }); },
          [this](const PeerCongested& state) {
            add([&] { seen_.congestions.push_back(state.congested); });
          },
          [this](const FrameReceived& received) { add([&] { note(received.frame.body); }); }};
    });
  }

  bool wait_for(const std::function<bool(const Seen&)>& condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return condition(seen_); });
  }
  std::vector<PeerUp> ups() { return copy(seen_.ups); }
  std::vector<PeerDown> downs() { return copy(seen_.downs); }
  std::vector<std::uint64_t> indexes() { return copy(seen_.indexes); }
  std::size_t bytes() { return copy(seen_.bytes); }

 private:
  template <class T>
  T copy(const T& what) {
    const std::lock_guard lock{mutex_};
    return what;
  }
  template <class Action>
  void add(Action action) {
    const std::lock_guard lock{mutex_};
    action();
    changed_.notify_all();
  }
  void note(const wire::Body& body) {
    if (const auto* report = std::get_if<wire::StateHashReport>(&body))
      seen_.indexes.push_back(report->index);
    if (const auto* chunk = std::get_if<wire::SnapshotChunk>(&body))
      seen_.bytes += chunk->data.size();
    if (std::holds_alternative<wire::GoAway>(body)) ++seen_.goodbyes;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;  // guarded by mutex_
};

class TestNode {
 public:
  explicit TestNode(NodeId node, const std::function<void(LinksConfig&)>& change = {},
                    const kit::SystemOptions& options = {})
      : system_config_{options} {
    static std::atomic<std::uint64_t> lives{100};
    config.cluster_name = "plant";
    config.node = node;
    config.incarnation = Incarnation{node.value * 10};
    config.boot = BootId{++lives};
    config.release = "test " + to_string(node);
    config.listen = "127.0.0.1:0";
    config.peer_address = "peer " + to_string(node);
    config.api_address = "api " + to_string(node);
    config.files = Certificates::shared().files("plant", node);
    config.seed = node.value;
    config.hello_ms = 1'000ms;
    config.backoff_ms_max = 200ms;
    if (change) change(config);
    system = std::make_unique<caf::actor_system>(system_config_);
    subscriber_ = events.spawn(*system);
    start_links();
  }
  ~TestNode() {
    stop_links();
    caf::anon_send_exit(subscriber_, caf::exit_reason::kill);
    subscriber_ = nullptr;
    system.reset();
  }
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  void restart_links() {
    config.listen = address();  // the same port again
    stop_links();
    start_links();
  }

  void set_peers(const std::vector<TestNode*>& nodes) {
    SetPeers peers;
    for (TestNode* node : nodes) peers.peers.push_back({node->config.node, node->address()});
    caf::anon_send(links, std::move(peers));
  }

  LinkStatus status() {
    LinkStatus status;
    caf::scoped_actor self{*system};
    self->request(links, std::chrono::seconds{20}, GetLinkStatus{})
        .receive([&status](const LinkStatus& given) { status = given; },
                 [](const caf::error&) { ADD_FAILURE() << "no status"; });
    return status;
  }
  std::string address() { return "127.0.0.1:" + std::to_string(status().port); }

  void send_report(NodeId to, std::uint64_t index) {
    caf::anon_send(links, SendFrame{to, {}, first_group, wire::StateHashReport{index, {}}});
  }
  void send_bytes(NodeId to, std::size_t count) {
    wire::SnapshotChunk chunk;
    chunk.data = Bytes{std::string(count, 'x')};
    caf::anon_send(links, SendFrame{to, {}, first_group, std::move(chunk)});
  }

  // Every connection that this node has accepted dies at both ends, as by a network fault.
  void cut_accepted() {
    const std::uint16_t port = status().port;
    for (int fd = 3; fd < 1024; ++fd)
      if (!is_listening(fd) && (port_of(fd) == port || peer_port_of(fd) == port)) cut(fd);
  }

  bool wait_until(const std::function<bool()>& condition) {
    const auto deadline = sys::system_clock().monotonic() + patience;
    while (!condition()) {
      if (sys::system_clock().monotonic() > deadline) return false;
      ::poll(nullptr, 0, 1);
    }
    return true;
  }
  bool wait_for_refusal(Refusal reason) {
    return wait_until([&] { return status().refused.at(static_cast<std::size_t>(reason)) > 0; });
  }

  LinksConfig config;
  Events events;
  std::unique_ptr<caf::actor_system> system;
  caf::actor links;

 private:
  static bool is_listening(int fd) {
    int listening = 0;
    ::socklen_t size = sizeof listening;
    return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening != 0;
  }
  static std::uint16_t peer_port_of(int fd) {
    ::sockaddr_in other{};
    ::socklen_t size = sizeof other;
    if (::getpeername(fd, reinterpret_cast<::sockaddr*>(&other), &size) != 0) return 0;
    return other.sin_family == AF_INET ? ntohs(other.sin_port) : std::uint16_t{0};
  }

  void start_links() {
    auto spawned = spawn_links(*system, config);
    ASSERT_TRUE(spawned) << spawned.error().message;
    links = *spawned;
    caf::anon_send(links, Subscribe{subscriber_,
                                    {kind_of<wire::StateHashReport>(),
                                     kind_of<wire::SnapshotChunk>(), kind_of<wire::GoAway>()}});
  }
  void stop_links() {
    caf::scoped_actor self{*system};
    self->send_exit(links, caf::exit_reason::user_shutdown);
    self->wait_for(links);
    links = nullptr;
  }

  kit::ActorSystemConfig system_config_;
  caf::actor subscriber_;
};

// Lists each in the other and waits until both have seen `ups` links come up.
inline void connect(TestNode& a, TestNode& b, std::size_t ups = 1) {
  b.set_peers({&a});
  a.set_peers({&b});
  EXPECT_TRUE(a.events.wait_for([ups](const Seen& seen) { return seen.ups.size() >= ups; }));
  EXPECT_TRUE(b.events.wait_for([](const Seen& seen) { return !seen.ups.empty(); }));
}

// A TCP client that knows no TLS, connected.
inline UniqueFd plain_client(TestNode& node) {
  const auto where = split_address(node.address());
  auto socket = begin_connect(numeric_addresses(*where).front());
  EXPECT_TRUE(socket);
  ::pollfd writable{socket->get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&writable, 1, 20'000), 1);
  return std::move(*socket);
}

}  // namespace mainstay::peer_link
