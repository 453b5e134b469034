#include "actors/peer_link/introduction.hpp"

#include <gtest/gtest.h>

namespace mainstay::peer_link {
namespace {

const ClusterId plant{{1, 1}};
const ClusterId other{{2, 2}};
const Party self{NodeId{2}, Incarnation{20}, BootId{200}, plant};
const Party peer{NodeId{1}, Incarnation{10}, BootId{100}, plant};

wire::Frame frame_of(const Party& from) {
  wire::Frame frame;
  frame.cluster = from.cluster;
  frame.from = from.node;
  frame.from_incarnation = from.incarnation;
  frame.from_boot = from.boot;
  frame.to = self.node;
  return frame;
}

Refusal refusal_of(const wire::Frame& frame, wire::Hello hello = {}) {
  const auto refused = check_hello(self, peer.node, frame, hello);
  EXPECT_TRUE(refused);
  return refused ? refused->reason : Refusal::handshake;
}

TEST(CheckHello, a_peer_of_the_same_cluster_is_taken) {
  EXPECT_FALSE(check_hello(self, peer.node, frame_of(peer), {}));
}

TEST(CheckHello, the_sender_must_be_the_node_of_its_certificate) {
  EXPECT_TRUE(check_hello(self, NodeId{3}, frame_of(peer), {}));
  Party liar = peer;
  liar.node = NodeId{3};
  EXPECT_EQ(refusal_of(frame_of(liar)), Refusal::wrong_node);
}

TEST(CheckHello, it_must_be_meant_for_this_life_of_this_node) {
  auto frame = frame_of(peer);
  frame.to = NodeId{3};
  EXPECT_EQ(refusal_of(frame), Refusal::wrong_node);
  frame.to = self.node;
  frame.to_incarnation = Incarnation{21};
  EXPECT_EQ(refusal_of(frame), Refusal::wrong_node);
  frame.to_incarnation = self.incarnation;
  EXPECT_FALSE(check_hello(self, peer.node, frame, {}));
}

TEST(CheckHello, it_must_say_which_life_it_is) {
  auto frame = frame_of(peer);
  frame.from_boot = BootId{};
  EXPECT_EQ(refusal_of(frame), Refusal::wrong_node);
  frame = frame_of(peer);
  frame.from_incarnation = Incarnation{};
  EXPECT_EQ(refusal_of(frame), Refusal::wrong_node);
}

TEST(CheckHello, nodes_that_are_not_formed_yet_are_taken_and_other_clusters_are_not) {
  auto frame = frame_of(peer);
  frame.cluster = ClusterId{};
  EXPECT_FALSE(check_hello(self, peer.node, frame, {}));
  frame.cluster = other;
  EXPECT_EQ(refusal_of(frame), Refusal::wrong_cluster);
  Party empty = self;
  empty.cluster = ClusterId{};
  EXPECT_FALSE(check_hello(empty, peer.node, frame, {}));
}

TEST(CheckHello, a_protocol_version_in_common_is_needed) {
  wire::Hello hello;
  hello.version_min = wire::protocol_version_max + 1;
  hello.version_max = wire::protocol_version_max + 2;
  EXPECT_EQ(refusal_of(frame_of(peer), hello), Refusal::wrong_version);
  hello.version_min = wire::protocol_version_max;
  EXPECT_FALSE(check_hello(self, peer.node, frame_of(peer), hello));
  EXPECT_EQ(common_version(hello), wire::protocol_version_max);
}

TEST(CheckFrame, only_the_node_that_introduced_itself_is_heard) {
  EXPECT_FALSE(check_frame(self, peer, frame_of(peer)));
  for (int what = 0; what < 3; ++what) {
    Party changed = peer;
    if (what == 0) changed.node = NodeId{3};
    if (what == 1) changed.incarnation = Incarnation{11};
    if (what == 2) changed.boot = BootId{101};
    EXPECT_TRUE(check_frame(self, peer, frame_of(changed))) << what;
  }
}

TEST(CheckFrame, only_what_is_for_this_life_of_this_node_and_cluster_is_taken) {
  auto frame = frame_of(peer);
  frame.to = NodeId{3};
  EXPECT_TRUE(check_frame(self, peer, frame));
  frame = frame_of(peer);
  frame.to_incarnation = Incarnation{21};
  EXPECT_TRUE(check_frame(self, peer, frame));
  frame.to_incarnation = self.incarnation;
  EXPECT_FALSE(check_frame(self, peer, frame));
  frame.cluster = other;
  EXPECT_TRUE(check_frame(self, peer, frame));
}

}  // namespace
}  // namespace mainstay::peer_link
