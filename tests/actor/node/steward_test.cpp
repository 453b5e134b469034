#include "actors/node/steward.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "tests/actor/kit/actor_fixture.hpp"

namespace mainstay::node {
namespace {

using namespace std::chrono_literals;

consensus::Member listed(std::uint64_t id) {
  consensus::Member member;
  member.id = NodeId{id};
  member.peer_address = "node" + std::to_string(id) + ":1";
  return member;
}

peer_link::PeerUp up(std::uint64_t id, std::uint64_t incarnation, ClusterId cluster = {}) {
  peer_link::PeerUp event;
  event.node = NodeId{id};
  event.incarnation = Incarnation{incarnation};
  event.boot = BootId{id};
  event.cluster = cluster;
  event.hello.formed = static_cast<bool>(cluster);
  return event;
}

// The steward of one node over a real data directory.
class StewardTest : public testing::ActorTest {
 protected:
  StewardTest() {
    char pattern[] = "/tmp/mainstay-steward-XXXXXX";
    directory = ::mkdtemp(pattern);
    ports->send = [this](NodeId to, wire::Body body) { sent.emplace_back(to, std::move(body)); };
    ports->set_peers = [this](peer_link::SetPeers peers) { linked = std::move(peers.peers); };
    ports->formed = [this](ClusterId cluster) { formed.push_back(cluster); };
    ports->restart = [this](const std::string& why) { restarts.push_back(why); };
  }
  ~StewardTest() override {
    store.reset();
    std::filesystem::remove_all(directory);
  }

  void open(std::uint64_t node) {
    store::StoreOptions options;
    options.directory = directory;
    options.node = NodeId{node};
    options.log_map_bytes = options.record_map_bytes = 64ULL << 20;
    options.journal_bytes = 1 << 20;
    options.background = false;
    store = std::move(*store::NodeStore::open(options, random));
  }

  void start(std::uint64_t node, std::uint64_t of) {
    if (!store) open(node);
    StewardOptions options;
    options.self = listed(node);
    options.self.incarnation = store->identity().incarnation;
    for (std::uint64_t id = 1; id <= of; ++id) options.listed.push_back(listed(id));
    steward = spawn<Steward>(options, *store, random, view, ports);
    settle();
  }

  template <class T>
  std::vector<NodeId> receivers_of() const {
    std::vector<NodeId> nodes;
    for (const auto& [to, body] : sent)
      if (std::holds_alternative<T>(body)) nodes.push_back(to);
    return nodes;
  }

  void offer(ClusterId cluster, std::uint64_t own_incarnation) {
    wire::FormationOffer made;
    made.cluster = cluster;
    made.initial.members = {listed(1), listed(2)};
    made.initial.members[1].incarnation = Incarnation{own_incarnation};
    wire::Frame frame;
    frame.from = NodeId{1};
    frame.body = made;
    tell(steward, peer_link::FrameReceived{frame});
    settle();
  }

  std::filesystem::path directory;
  SeededRandom random{5};
  std::unique_ptr<store::NodeStore> store;
  std::shared_ptr<replica::Published<replica::View>> view =
      std::make_shared<replica::Published<replica::View>>();
  std::shared_ptr<StewardPorts> ports = std::make_shared<StewardPorts>();
  caf::actor steward;
  std::vector<std::pair<NodeId, wire::Body>> sent;
  std::vector<peer_link::Peer> linked;
  std::vector<ClusterId> formed;
  std::vector<std::string> restarts;
};

constexpr ClusterId cluster{{3, 4}};

TEST_F(StewardTest, ANodeAloneFormsAtOnce) {
  start(1, 1);
  ASSERT_EQ(formed.size(), 1u);
  EXPECT_EQ(store->identity().cluster, formed[0]);
  EXPECT_EQ(store->initial_state().membership.voters(), std::vector<NodeId>{NodeId{1}});
}

TEST_F(StewardTest, TheSmallestNodeFormsWhenAllAreThereAndOffersIt) {
  start(1, 3);
  EXPECT_EQ(linked.size(), 2u);
  tell(steward, up(2, 22));
  settle();
  EXPECT_TRUE(formed.empty());
  tell(steward, up(3, 33));
  settle();
  ASSERT_EQ(formed.size(), 1u);
  EXPECT_EQ(receivers_of<wire::FormationOffer>(), (std::vector<NodeId>{NodeId{2}, NodeId{3}}));
  EXPECT_EQ(store->initial_state().membership.find(NodeId{3})->incarnation, Incarnation{33});
}

TEST_F(StewardTest, AnOfferForThisLifeIsAdopted) {
  start(2, 2);
  offer(cluster, 999);
  EXPECT_TRUE(formed.empty());
  offer(cluster, store->identity().incarnation.value);
  ASSERT_EQ(formed.size(), 1u);
  EXPECT_EQ(store->identity().cluster, cluster);
}

TEST_F(StewardTest, AnEmptyNodeJoinsAClusterThatExists) {
  start(2, 2);
  tell(steward, up(1, 11, cluster));
  run_for(1900ms);
  EXPECT_TRUE(formed.empty()) << "it waits for an offer first";
  run_for(600ms);
  ASSERT_EQ(formed.size(), 1u);
  EXPECT_EQ(formed[0], cluster);
  EXPECT_TRUE(store->initial_state().membership.members.empty());
  // Its replica runs, and is no member.
  replica::View stranger;
  stranger.published = now();
  view->set(std::make_shared<const replica::View>(stranger));
  run_for(300ms);
  ASSERT_FALSE(receivers_of<wire::JoinRequest>().empty());
  const auto& request = std::get<wire::JoinRequest>(sent.back().second);
  EXPECT_EQ(request.member.incarnation, store->identity().incarnation);
}

TEST_F(StewardTest, AFormedNodeRepeatsItsOfferToTheSameLifeOnly) {
  start(1, 2);
  tell(steward, up(2, 22));
  settle();
  sent.clear();
  tell(steward, up(2, 22));
  settle();
  EXPECT_EQ(receivers_of<wire::FormationOffer>().size(), 1u);
  sent.clear();
  tell(steward, up(2, 77));  // it lost its disk
  run_for(1s);
  EXPECT_TRUE(receivers_of<wire::FormationOffer>().empty());
}

TEST_F(StewardTest, ARestartedNodeKnowsItsCluster) {
  start(1, 1);
  const ClusterId before = formed.at(0);
  stop(steward);
  store.reset();
  open(1);
  start(1, 1);
  ASSERT_EQ(formed.size(), 2u);
  EXPECT_EQ(formed[1], before);
}

TEST_F(StewardTest, LinksFollowTheMembership) {
  start(1, 3);
  ASSERT_EQ(linked.size(), 2u);
  tell(steward, up(2, 22));
  tell(steward, up(3, 33));
  settle();
  replica::View now_shown;
  now_shown.published = now();
  now_shown.member = true;
  now_shown.status.membership.members = {listed(1), listed(4)};
  view->set(std::make_shared<const replica::View>(now_shown));
  run_for(300ms);
  ASSERT_EQ(linked.size(), 1u);
  EXPECT_EQ(linked[0].id, NodeId{4});
  EXPECT_EQ(linked[0].address, "node4:1");
}

TEST_F(StewardTest, AQuarantinedNodeStartsOver) {
  start(1, 1);
  const Incarnation before = store->identity().incarnation;
  tell(steward, replica::Quarantined{"differs"});
  settle();
  EXPECT_EQ(restarts, std::vector<std::string>{"differs"});
  stop(steward);
  store.reset();
  open(1);
  EXPECT_NE(store->identity().incarnation, before);
}

TEST_F(StewardTest, WithoutItsMarkAQuarantinedNodeStaysAsItIs) {
  start(1, 1);
  std::filesystem::remove_all(directory);  // nothing can be written there
  tell(steward, replica::Quarantined{"differs"});
  settle();
  EXPECT_TRUE(restarts.empty());
}

}  // namespace
}  // namespace mainstay::node
