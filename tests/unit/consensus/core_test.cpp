// Whole small clusters: elect, replicate, commit, restart, read.
#include "runtime/consensus/core.hpp"

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

using Values = std::vector<std::string>;

TEST(CoreTest, SingleVoterElectsItselfAndCommits) {
  Cluster cluster{1};
  ASSERT_EQ(cluster.await_leader(), 1U);
  cluster.put(1, "a");
  EXPECT_EQ(cluster[1].values(), (Values{"a"}));
}

TEST(CoreTest, ThreeNodesElectReplicateAndCommit) {
  Cluster cluster{3};
  const auto leader = cluster.await_leader();
  ASSERT_NE(leader, 0U);
  cluster.put(leader, "a");
  cluster.put(leader, "b");
  for (std::uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(cluster[id].values(), (Values{"a", "b"})) << id;
    EXPECT_EQ(cluster[id].core->leader(), node(leader));
  }
}

TEST(CoreTest, EveryClusterSizeElectsUnderEverySeed) {
  for (std::uint64_t size : {1, 2, 3, 4, 5, 7})
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      Cluster cluster{size, seed};
      EXPECT_NE(cluster.await_leader(), 0U) << size << " nodes, seed " << seed;
    }
}

TEST(CoreTest, LeaderDiesAndAnotherGoesOn) {
  Cluster cluster{3};
  const auto first = cluster.await_leader();
  cluster.put(first, "a");
  cluster.stop(first);
  const auto second = cluster.await_leader();
  ASSERT_NE(second, 0U);
  ASSERT_NE(second, first);
  cluster.put(second, "b");
  cluster.restart(first);
  cluster.run(50);
  for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(cluster[id].values().back(), "b") << id;
}

TEST(CoreTest, RestartKeepsTermVoteAndLogAndDoesNotApplyTwice) {
  Cluster cluster{3};
  const auto leader = cluster.await_leader();
  cluster.put(leader, "a");
  const auto follower = leader == 1 ? 2 : 1;
  const Status before = cluster[follower].status();
  cluster.restart(follower);
  const Status after = cluster[follower].status();
  EXPECT_EQ(after.term, before.term);
  EXPECT_EQ(after.vote, before.vote);
  EXPECT_EQ(after.last, before.last);
  EXPECT_EQ(after.commit, before.applied);
  cluster.put(leader, "b");
  cluster.run(10);
  EXPECT_EQ(cluster[follower].values(), (Values{"a", "b"}));
}

TEST(CoreTest, ReadsAtLeaderAndFollower) {
  Cluster cluster{3};
  const auto leader = cluster.await_leader();
  const Index index = cluster.put(leader, "a");
  for (std::uint64_t id = 1; id <= 3; ++id) {
    cluster[id].core->read_index(40 + id);
    cluster.settle();
    ASSERT_EQ(cluster[id].reads.size(), 1U) << id;
    EXPECT_EQ(cluster[id].reads[0].context, 40 + id);
    EXPECT_EQ(cluster[id].reads[0].index, index);
  }
}

TEST(CoreTest, SlowFollowerCatchesUpThroughASnapshot) {
  Cluster cluster{3};
  cluster[1].options.recent_bytes_max = 0;
  cluster.restart(1);
  cluster.elect(1);
  cluster.isolate(3);
  for (int i = 0; i < 20; ++i) cluster.put(1, std::to_string(i));
  SnapshotMeta snapshot;
  snapshot.index = 15;
  snapshot.term = *cluster[1].disk.term(15);
  snapshot.membership = voters(3);
  snapshot.id = "s15";
  cluster[1].disk.publish_snapshot(snapshot);
  cluster[1].disk.compact(12);
  cluster.heal();
  cluster.run(100);
  EXPECT_EQ(cluster[3].offers.size(), 1U);
  EXPECT_EQ(cluster[3].status().last, cluster[1].status().last);
  EXPECT_EQ(cluster[3].status().applied, cluster[1].status().applied);
  EXPECT_EQ(cluster[3].applied.size(),
            1U + cluster[3].status().applied - 15);  // before the cut, and after the snapshot
}

TEST(CoreTest, TransferMovesLeadershipWithoutATimeout) {
  Cluster cluster{3};
  cluster.elect(1);
  ASSERT_TRUE(cluster[1].core->transfer(node(3)));
  cluster.settle();
  EXPECT_EQ(cluster[3].core->role(), CoreRole::leader);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::follower);
}

}  // namespace
}  // namespace mainstay::consensus::testing
