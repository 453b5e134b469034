#include "runtime/consensus/formation.hpp"

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

std::vector<Member> listed() {
  std::vector<Member> members = voters(3).members;
  for (Member& one : members) one.incarnation = Incarnation{};
  std::swap(members[0], members[2]);  // in any order
  return members;
}

TEST(FormationTest, TheLowestFormsOnceItHeardEveryone) {
  SeededRandom random{1};
  Formation first{member(1), listed()};
  EXPECT_FALSE(first.on_hello(node(2), Incarnation{102}, false, random));
  EXPECT_FALSE(first.on_hello(node(2), Incarnation{102}, false, random));
  const auto formed = first.on_hello(node(3), Incarnation{103}, false, random);
  ASSERT_TRUE(formed);
  EXPECT_TRUE(static_cast<bool>(formed->cluster));
  EXPECT_EQ(formed->initial, voters(3));
  EXPECT_FALSE(first.on_hello(node(3), Incarnation{103}, false, random)) << "at most once";
}

TEST(FormationTest, OthersOnlyAdoptWhatListsTheirOwnDisk) {
  SeededRandom random{1};
  Formation first{member(1), listed()};
  first.on_hello(node(2), Incarnation{102}, false, random);
  const auto formed = first.on_hello(node(3), Incarnation{103}, false, random);
  ASSERT_TRUE(formed);
  Formation second{member(2), listed()};
  EXPECT_FALSE(second.on_hello(node(1), Incarnation{101}, false, random));
  EXPECT_FALSE(second.on_hello(node(3), Incarnation{103}, false, random)) << "not the coordinator";
  EXPECT_TRUE(second.accepts(*formed));
  Member fresh = member(2);
  fresh.incarnation = Incarnation{999};
  Formation replaced{fresh, listed()};
  EXPECT_FALSE(replaced.accepts(*formed)) << "this node lost its disk";
  replaced.on_hello(node(1), Incarnation{101}, true, random);
  EXPECT_TRUE(replaced.should_join());
}

TEST(FormationTest, NobodyFormsASecondCluster) {
  SeededRandom random{1};
  Formation first{member(1), listed()};  // the coordinator, whose disk was lost
  first.on_hello(node(2), Incarnation{102}, true, random);
  EXPECT_FALSE(first.on_hello(node(2), Incarnation{102}, false, random));
  EXPECT_FALSE(first.on_hello(node(3), Incarnation{103}, false, random));
  EXPECT_TRUE(first.should_join());
}

TEST(FormationTest, ThePeersNewestIncarnationCounts) {
  SeededRandom random{1};
  Formation first{member(1), listed()};
  first.on_hello(node(2), Incarnation{555}, false, random);
  first.on_hello(node(2), Incarnation{102}, false, random);
  const auto formed = first.on_hello(node(3), Incarnation{103}, false, random);
  ASSERT_TRUE(formed);
  EXPECT_EQ(formed->initial, voters(3));
}

TEST(FormationTest, StrangersDoNotComplete) {
  SeededRandom random{1};
  Formation first{member(1), listed()};
  EXPECT_FALSE(first.on_hello(node(8), Incarnation{1}, false, random));
  EXPECT_FALSE(first.on_hello(node(9), Incarnation{1}, false, random));
}

TEST(FormationTest, AloneFormsAlone) {
  SeededRandom random{1};
  Formation alone{member(1), voters(1).members};
  const auto formed = alone.form_alone(random);
  ASSERT_TRUE(formed);
  EXPECT_EQ(formed->initial, voters(1));
  EXPECT_FALSE(alone.form_alone(random));
  Formation one_of_three{member(1), listed()};
  EXPECT_FALSE(one_of_three.form_alone(random));
}

}  // namespace
}  // namespace mainstay::consensus::testing
