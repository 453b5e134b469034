// Links over real TLS and BASP: several actor systems in this process, talking through the
// loopback.
#include "actors/peer_link/peer_link.hpp"

#include <future>

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include "actors/kit/actor_system.hpp"
#include "actors/kit/errors.hpp"
#include "actors/peer_link/parcel.hpp"
#include "actors/peer_link/tls_scribe.hpp"
#include "runtime/sys/clock.hpp"
#include "tests/actor/peer_link/certificates.hpp"
#include "tests/actor/peer_link/node_fixture.hpp"

namespace mainstay::peer_link {
namespace {

TEST(Links, two_nodes_introduce_themselves) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  const auto seen = one.events.ups().back();
  EXPECT_EQ(seen.node, NodeId{2});
  EXPECT_EQ(seen.incarnation, two.config.incarnation);
  EXPECT_EQ(seen.boot, two.config.boot);
  EXPECT_EQ(seen.hello.release, "test 2");
  EXPECT_EQ(seen.hello.peer_address, "peer 2");
  EXPECT_EQ(two.events.ups().back().incarnation, one.config.incarnation);
  const auto report = one.status().links.at(0);
  EXPECT_EQ(report.state, LinkState::up);
  EXPECT_TRUE(report.dials);
  EXPECT_EQ(report.connects, 1u);
  EXPECT_FALSE(two.status().links.at(0).dials);
}

TEST(Links, each_knows_the_release_and_the_clock_of_the_other) {
  TestNode one{NodeId{1}, [](LinksConfig& config) { config.wall_millis = [] { return 50'000u; }; }};
  TestNode two{NodeId{2}, [](LinksConfig& config) { config.wall_millis = [] { return 57'000u; }; }};
  connect(one, two);
  ASSERT_TRUE(one.wait_until([&] { return one.status().links.at(0).clock_offset_ms != 0; }));
  ASSERT_TRUE(two.wait_until([&] { return two.status().links.at(0).clock_offset_ms != 0; }));
  const auto report = one.status().links.at(0);
  EXPECT_EQ(report.clock_offset_ms, 7'000);
  EXPECT_EQ(report.release, "test 2");
  EXPECT_EQ(report.protocol, wire::protocol_version_max);
  EXPECT_EQ(two.status().links.at(0).clock_offset_ms, -7'000);
}

TEST(Links, ten_thousand_frames_arrive_in_order_in_both_directions) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  constexpr std::uint64_t count = 10'000;
  for (std::uint64_t i = 1; i <= count; ++i) {
    one.send_report(NodeId{2}, i);
    two.send_report(NodeId{1}, i);
  }
  ASSERT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.indexes.size() >= count; }));
  ASSERT_TRUE(one.events.wait_for([](const Seen& seen) { return seen.indexes.size() >= count; }));
  for (TestNode* node : {&one, &two}) {
    const auto indexes = node->events.indexes();
    ASSERT_EQ(indexes.size(), count);
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(indexes[i], i + 1);
  }
  const auto report = one.status().links.at(0);
  EXPECT_EQ(report.dropped_congested + report.dropped_down + report.dropped_received, 0u);
}

TEST(Links, a_link_that_was_cut_comes_back_and_both_sides_are_told) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  for (std::size_t round = 1; round <= 5; ++round) {
    two.cut_accepted();
    ASSERT_TRUE(one.events.wait_for([=](const Seen& seen) {
      return seen.downs.size() >= round && seen.ups.size() >= round + 1;
    }));
    ASSERT_TRUE(two.events.wait_for([=](const Seen& seen) {
      return seen.downs.size() >= round && seen.ups.size() >= round + 1;
    }));
  }
  one.send_report(NodeId{2}, 77);
  EXPECT_TRUE(two.events.wait_for([](const Seen& seen) { return !seen.indexes.empty(); }));
}

TEST(Links, a_node_that_ends_is_seen_down_and_its_next_life_is_another_boot) {
  TestNode one{NodeId{1}};
  auto two = std::make_unique<TestNode>(NodeId{2});
  connect(one, *two);
  const auto first_boot = two->config.boot;
  two.reset();
  ASSERT_TRUE(one.events.wait_for([](const Seen& seen) { return seen.downs.size() == 1; }));
  EXPECT_EQ(one.events.downs().back().boot, first_boot);
  TestNode again{NodeId{2}};
  connect(one, again, 2);
  EXPECT_NE(one.events.ups().back().boot, first_boot);
}

TEST(Links, three_nodes_form_a_mesh) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  TestNode three{NodeId{3}};
  std::vector<TestNode*> all{&one, &two, &three};
  for (TestNode* node : all) node->set_peers(all);
  for (TestNode* node : all)
    EXPECT_TRUE(node->events.wait_for([](const Seen& seen) { return seen.ups.size() == 2; }));
  one.send_report(NodeId{3}, 13);
  two.send_report(NodeId{3}, 23);
  EXPECT_TRUE(three.events.wait_for([](const Seen& seen) { return seen.indexes.size() == 2; }));
}

TEST(Links, a_node_that_is_no_peer_is_refused_until_it_is_listed) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  one.set_peers({&two});
  ASSERT_TRUE(two.wait_for_refusal(Refusal::wrong_node));
  EXPECT_TRUE(two.events.ups().empty());
  two.set_peers({&one});
  EXPECT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.ups.size() == 1; }));
}

TEST(Links, a_peer_that_is_taken_off_the_list_is_cut) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  two.set_peers({});
  EXPECT_TRUE(one.events.wait_for([](const Seen& seen) { return seen.downs.size() == 1; }));
  EXPECT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.downs.size() == 1; }));
}

TEST(Links, a_stranger_with_the_right_names_is_refused) {
  TestNode stranger{NodeId{1}, [](LinksConfig& config) {
                      config.files = Certificates::shared().files("foreign", NodeId{1});
                    }};
  TestNode two{NodeId{2}};
  stranger.set_peers({&two});
  two.set_peers({&stranger});
  ASSERT_TRUE(stranger.wait_for_refusal(Refusal::stranger));
  EXPECT_TRUE(two.events.ups().empty());
  EXPECT_TRUE(stranger.events.ups().empty());
}

TEST(Links, nodes_of_two_formed_clusters_refuse_each_other) {
  TestNode one{NodeId{1}, [](LinksConfig& config) { config.cluster = ClusterId{{1, 1}}; }};
  TestNode two{NodeId{2}, [](LinksConfig& config) { config.cluster = ClusterId{{2, 2}}; }};
  one.set_peers({&two});
  two.set_peers({&one});
  ASSERT_TRUE(two.wait_for_refusal(Refusal::wrong_cluster));
  EXPECT_TRUE(two.events.ups().empty());
}

TEST(Links, an_empty_node_is_taken_and_told_when_the_other_is_formed) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  EXPECT_FALSE(two.events.ups().back().hello.formed);
  const ClusterId cluster{{5, 5}};
  caf::anon_send(one.links, SetCluster{cluster});
  ASSERT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.ups.size() == 2; }));
  EXPECT_TRUE(two.events.ups().back().hello.formed);
  EXPECT_EQ(two.events.ups().back().cluster, cluster);
  EXPECT_EQ(two.events.ups().back().boot, one.config.boot);
  // Becoming part of another cluster ends the link.
  caf::anon_send(two.links, SetCluster{ClusterId{{6, 6}}});
  EXPECT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.downs.size() == 1; }));
}

TEST(Links, garbage_and_silence_beside_it_do_not_hurt_a_healthy_link) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(plain_client(two));
    const UniqueFd noisy = plain_client(two);
    const std::string garbage(100, static_cast<char>(i * 13));
    ASSERT_EQ(::write(noisy.get(), garbage.data(), garbage.size()), 100);
    one.send_report(NodeId{2}, static_cast<std::uint64_t>(i) + 1);
  }
  ASSERT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.indexes.size() == 20; }));
  EXPECT_TRUE(two.wait_for_refusal(Refusal::handshake));
  EXPECT_TRUE(one.events.downs().empty());
  EXPECT_TRUE(two.events.downs().empty());
}

TEST(Links, a_frame_that_is_too_large_is_not_sent) {
  TestNode one{NodeId{1}, [](LinksConfig& config) { config.frame_bytes_max = 10'000; }};
  TestNode two{NodeId{2}};
  connect(one, two);
  one.send_bytes(NodeId{2}, 20'000);
  one.send_report(NodeId{2}, 1);
  ASSERT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.indexes.size() == 1; }));
  EXPECT_EQ(one.status().links.at(0).dropped_oversize, 1u);
  EXPECT_EQ(two.events.bytes(), 0u);
}

TEST(Links, a_peer_that_announces_too_much_is_cut_before_it_is_read) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}, [](LinksConfig& config) { config.frame_bytes_max = 100'000; }};
  connect(one, two);
  one.send_bytes(NodeId{2}, 1'000'000);
  EXPECT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.downs.size() == 1; }));
  EXPECT_EQ(two.events.bytes(), 0u);
}

TEST(Links, a_receiver_that_does_not_take_frames_holds_the_sender_to_its_credit) {
  constexpr std::size_t credit = 1'000'000;
  constexpr std::size_t piece = 100'000;
  TestNode one{NodeId{1}, [](LinksConfig& config) { config.credit_bytes = credit; }};
  // The reader gives credit back by its own, far larger, measure: in effect never.
  TestNode two{NodeId{2}, [](LinksConfig& config) { config.credit_bytes = 1000 * credit; }};
  connect(one, two);
  for (int i = 0; i < 50; ++i) one.send_bytes(NodeId{2}, piece);
  ASSERT_TRUE(one.events.wait_for(
      [](const Seen& seen) { return !seen.congestions.empty() && seen.congestions.back(); }));
  const auto report = one.status().links.at(0);
  EXPECT_LE(report.bytes_in_flight, credit);
  EXPECT_GE(report.dropped_congested, 40u);
  EXPECT_LE(report.bytes_sent, credit);
  // Its own frames tell what it has taken: the sender may go on.
  ASSERT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.bytes >= 9 * piece; }));
  two.send_report(NodeId{1}, 1);
  EXPECT_TRUE(one.events.wait_for([](const Seen& seen) { return !seen.congestions.back(); }));
}

TEST(Links, credit_returns_by_itself_when_traffic_goes_one_way) {
  constexpr std::size_t credit = 1'000'000;
  const auto small = [](LinksConfig& config) { config.credit_bytes = credit; };
  TestNode one{NodeId{1}, small};
  TestNode two{NodeId{2}, small};
  connect(one, two);
  constexpr std::size_t piece = credit / 40;
  std::size_t sent = 0;
  for (int i = 0; i < 120; ++i) {  // three times the credit in all
    one.send_bytes(NodeId{2}, piece);
    sent += piece;
    ASSERT_TRUE(two.events.wait_for([sent](const Seen& seen) { return seen.bytes >= sent; })) << i;
  }
  EXPECT_EQ(one.status().links.at(0).dropped_congested, 0u);
}

TEST(Links, a_peer_that_never_introduces_itself_is_given_up_and_tried_again) {
  TestNode one{NodeId{1}};
  // Speaks TLS and then nothing more: what a stopped process looks like.
  auto contexts = tls::ContextSource::open(Certificates::shared().files("plant", NodeId{2}),
                                           {"plant", NodeId{2}});
  ASSERT_TRUE(contexts);
  auto listener = listen_on("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const auto port = port_of(listener->get());
  std::vector<std::shared_ptr<Connection>> kept;
  std::mutex mutex;
  ConnectorEvents events;
  events.established = [&](std::shared_ptr<Connection> connection) {
    const std::lock_guard lock{mutex};
    kept.push_back(std::move(connection));
  };
  events.dial_failed = [](NodeId, const std::string&) {};
  events.refused = [](Refusal, const std::string&) {};
  events.alarm = [] {};
  Connector hung{std::move(*listener), std::move(*contexts), {}, events};
  caf::anon_send(one.links, SetPeers{{{NodeId{2}, "127.0.0.1:" + std::to_string(port)}}});
  // It never introduces itself: each try ends at the Hello deadline and another follows.
  EXPECT_TRUE(one.wait_until([&] {
    const std::lock_guard lock{mutex};
    return kept.size() >= 2;
  }));
  EXPECT_TRUE(one.events.ups().empty());
}

// True when the other end closed or cut the connection; gives up after a long time.
bool ends(const Connection& connection) {
  std::array<char, 4096> buffer{};
  const auto deadline = sys::system_clock().monotonic() + patience;
  while (sys::system_clock().monotonic() < deadline) {
    const auto got = connection.stream->read(buffer.data(), buffer.size());
    if (got.progress == tls::Progress::failed) return true;
    if (got.progress == tls::Progress::done && got.count == 0) return true;
    ::pollfd readable{connection.socket.get(), POLLIN, 0};
    ::poll(&readable, 1, 100);
  }
  return false;
}

TEST(Links, a_peer_that_dials_again_over_a_dead_connection_replaces_it) {
  // Node 2 takes long to notice by itself that the first connection is dead.
  TestNode two{NodeId{2}, [](LinksConfig& config) { config.hello_ms = 60'000ms; }};
  caf::anon_send(two.links, SetPeers{{{NodeId{1}, "127.0.0.1:1"}}});
  auto contexts = tls::ContextSource::open(Certificates::shared().files("plant", NodeId{1}),
                                           {"plant", NodeId{1}});
  ASSERT_TRUE(contexts);
  auto listener = listen_on("127.0.0.1:0");
  ASSERT_TRUE(listener);
  std::mutex mutex;
  std::vector<std::shared_ptr<Connection>> made;
  ConnectorEvents events;
  events.established = [&](std::shared_ptr<Connection> connection) {
    const std::lock_guard lock{mutex};
    made.push_back(std::move(connection));
  };
  events.dial_failed = [](NodeId, const std::string&) {};
  events.refused = [](Refusal, const std::string&) {};
  events.alarm = [] {};
  Connector one{std::move(*listener), std::move(*contexts), {}, events};
  for (std::size_t count = 1; count <= 2; ++count) {
    one.dial(NodeId{2}, two.address());
    ASSERT_TRUE(two.wait_until([&] {
      const std::lock_guard lock{mutex};
      return made.size() == count;
    }));
    ASSERT_TRUE(
        two.wait_until([&] { return two.status().links.at(0).state == LinkState::joining; }));
  }
  EXPECT_TRUE(ends(*made[0]));
  // The second one was handed to BASP, which speaks first.
  std::array<char, 4096> buffer{};
  EXPECT_TRUE(two.wait_until(
      [&] { return made[1]->stream->read(buffer.data(), buffer.size()).count > 0; }));
}

TEST(Links, a_peer_that_falls_silent_is_down_after_the_heartbeat_timeout_and_comes_back) {
  kit::SystemOptions quick;
  quick.heartbeat = 50ms;
  quick.silence_max = 500ms;
  TestNode one{NodeId{1}, {}, quick};
  TestNode two{NodeId{2}, {}, quick};
  connect(one, two);
  // Node 2's network thread stands still, as in a stopped process: nothing is closed, nothing
  // answers.
  std::promise<void> go_on;
  two.system->middleman().backend().post([&go_on] { go_on.get_future().wait_for(patience); });
  ASSERT_TRUE(one.events.wait_for([](const Seen& seen) { return seen.downs.size() == 1; }));
  go_on.set_value();
  EXPECT_TRUE(one.events.wait_for([](const Seen& seen) { return seen.ups.size() == 2; }));
  one.send_report(NodeId{2}, 5);
  EXPECT_TRUE(two.events.wait_for([](const Seen& seen) { return !seen.indexes.empty(); }));
}

TEST(Links, frames_without_a_receiver_or_to_a_link_that_is_down_are_counted) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  one.set_peers({&two});
  one.send_report(NodeId{2}, 1);  // node 2 does not list node 1: never up
  EXPECT_TRUE(one.wait_until([&] { return one.status().links.at(0).dropped_down == 1; }));
  two.set_peers({&one});
  ASSERT_TRUE(one.events.wait_for([](const Seen& seen) { return seen.ups.size() == 1; }));
  caf::anon_send(one.links, SendFrame{NodeId{2}, {}, first_group, wire::JoinRequest{}});
  EXPECT_TRUE(two.wait_until([&] { return two.status().links.at(0).dropped_received == 1; }));
}

TEST(Links, frames_for_another_life_of_the_node_are_dropped) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  caf::anon_send(one.links,
                 SendFrame{NodeId{2}, Incarnation{999}, first_group, wire::StateHashReport{1, {}}});
  one.send_report(NodeId{2}, 2);
  ASSERT_TRUE(two.events.wait_for([](const Seen& seen) { return !seen.indexes.empty(); }));
  EXPECT_THAT(two.events.indexes(), ::testing::ElementsAre(2));
  EXPECT_EQ(two.status().links.at(0).dropped_received, 1u);
}

TEST(Links, a_goodbye_reaches_every_peer) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  caf::anon_send(one.links, SendGoAway{});
  EXPECT_TRUE(two.events.wait_for([](const Seen& seen) { return seen.goodbyes == 1; }));
}

TEST(Links, a_frame_with_the_wrong_token_is_not_heard) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  // Someone inside a peer's process who sends to Links past the link, with everything right but the
  // token.
  wire::Frame frame;
  frame.from = NodeId{1};
  frame.from_incarnation = one.config.incarnation;
  frame.from_boot = one.config.boot;
  frame.to = NodeId{2};
  frame.body = wire::StateHashReport{666, {}};
  caf::anon_send(two.links, kit::WireFrame{seal_parcel(wire::encode(frame), 12345, 0)});
  caf::anon_send(two.links, kit::WireFrame{"short"});
  one.send_report(NodeId{2}, 1);
  ASSERT_TRUE(two.events.wait_for([](const Seen& seen) { return !seen.indexes.empty(); }));
  EXPECT_THAT(two.events.indexes(), ::testing::ElementsAre(1));
}

TEST(Links, a_late_subscriber_hears_of_the_links_that_are_up) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  Events late;
  const auto who = late.spawn(*one.system);
  caf::anon_send(one.links, Subscribe{who, {}});
  EXPECT_TRUE(late.wait_for([](const Seen& seen) { return seen.ups.size() == 1; }));
  caf::anon_send_exit(who, caf::exit_reason::kill);
}

TEST(Links, bad_certificates_and_a_taken_port_are_errors_at_the_start) {
  TestNode one{NodeId{1}};
  LinksConfig bad = one.config;
  bad.files.key = "/nowhere";
  EXPECT_EQ(spawn_links(*one.system, bad).error().code, Errc::not_found);
  LinksConfig taken = one.config;
  taken.listen = one.address();
  EXPECT_EQ(spawn_links(*one.system, taken).error().code, Errc::io_error);
}

TEST(Links, links_that_end_leave_the_port_and_are_replaced) {
  TestNode one{NodeId{1}};
  TestNode two{NodeId{2}};
  connect(one, two);
  two.restart_links();
  two.set_peers({&one});
  ASSERT_TRUE(one.events.wait_for(
      [](const Seen& seen) { return seen.downs.size() == 1 && seen.ups.size() == 2; }));
  one.send_report(NodeId{2}, 5);
  EXPECT_TRUE(two.events.wait_for([](const Seen& seen) { return !seen.indexes.empty(); }));
}

TEST(Links, the_death_of_the_network_broker_is_reported) {
  std::atomic<bool> broken{false};
  TestNode one{NodeId{1}, [&broken](LinksConfig& config) {
                 config.on_broken = [&broken](const auto&) { broken = true; };
               }};
  caf::anon_send_exit(basp_broker_of(*one.system), caf::exit_reason::kill);
  EXPECT_TRUE(one.wait_until([&] { return broken.load(); }));
}

}  // namespace
}  // namespace mainstay::peer_link
