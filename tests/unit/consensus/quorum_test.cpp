// Properties of majorities, against the plainest definitions there are.
#include "runtime/consensus/quorum.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::consensus {
namespace {

struct Voters {
  VoterSets sets;
  std::map<NodeId, Index> match;
};

// Any subset of nodes 1 to 9.
std::vector<NodeId> some_voters() {
  const auto mask = *rc::gen::inRange<std::uint64_t>(0, 512);
  std::vector<NodeId> voters;
  for (std::uint64_t id = 1; id < 10; ++id)
    if ((mask >> (id - 1) & 1) != 0) voters.push_back(NodeId{id});
  return voters;
}

Voters some_sets() {
  Voters voters;
  const auto count = *rc::gen::inRange(1, 3);
  for (int i = 0; i < count; ++i) voters.sets.push_back(some_voters());
  for (std::uint64_t id = 1; id < 10; ++id)
    voters.match[NodeId{id}] = *rc::gen::inRange<std::uint64_t>(0, 12);
  return voters;
}

std::size_t count_if(const std::vector<NodeId>& voters, const std::function<bool(NodeId)>& holds) {
  return static_cast<std::size_t>(std::count_if(voters.begin(), voters.end(), holds));
}

// The definition: the largest index that more than half of every set has reached.
Index slow_committed(const Voters& voters) {
  Index best = 0;
  for (Index index = 1; index < 20; ++index) {
    const bool reached =
        std::all_of(voters.sets.begin(), voters.sets.end(), [&](const std::vector<NodeId>& set) {
          return 2 * count_if(set, [&](NodeId id) { return voters.match.at(id) >= index; }) >
                 set.size();
        });
    if (reached) best = index;
  }
  return best;
}

TEST(QuorumTest, CommittedIndexIsTheLargestThatAMajorityOfEverySetReached) {
  EXPECT_TRUE(rc::check([] {
    const Voters voters = some_sets();
    const auto match_of = [&voters](NodeId id) { return voters.match.at(id); };
    RC_ASSERT(committed_index(voters.sets, match_of) == slow_committed(voters));
  }));
}

TEST(QuorumTest, CommittedIndexNeverShrinksWhenAMatchGrows) {
  EXPECT_TRUE(rc::check([] {
    Voters voters = some_sets();
    const auto match_of = [&voters](NodeId id) { return voters.match.at(id); };
    const Index before = committed_index(voters.sets, match_of);
    voters.match[NodeId{*rc::gen::inRange<std::uint64_t>(1, 10)}] += 3;
    RC_ASSERT(committed_index(voters.sets, match_of) >= before);
  }));
}

TEST(QuorumTest, VotesAreWonLostOrOpenByCounting) {
  EXPECT_TRUE(rc::check([] {
    const Voters voters = some_sets();
    std::map<NodeId, bool> granted;
    for (std::uint64_t id = 1; id < 10; ++id)
      if (*rc::gen::arbitrary<bool>()) granted[NodeId{id}] = *rc::gen::arbitrary<bool>();
    bool won = true;
    bool lost = false;
    for (const auto& set : voters.sets) {
      const auto yes =
          count_if(set, [&](NodeId id) { return granted.count(id) != 0 && granted.at(id); });
      const auto no =
          count_if(set, [&](NodeId id) { return granted.count(id) != 0 && !granted.at(id); });
      won = won && 2 * yes > set.size();
      lost = lost || 2 * (set.size() - no) <= set.size();
    }
    const VoteResult expected =
        won ? VoteResult::won : (lost ? VoteResult::lost : VoteResult::pending);
    RC_ASSERT(tally(voters.sets, granted) == expected);
  }));
}

TEST(QuorumTest, TwoQuorumsShareAMember) {
  EXPECT_TRUE(rc::check([] {
    auto set = some_voters();
    RC_PRE(!set.empty());
    const auto pick = [&set] {
      std::vector<NodeId> picked;
      for (NodeId id : set)
        if (*rc::gen::arbitrary<bool>()) picked.push_back(id);
      return picked;
    };
    const auto first = pick();
    const auto second = pick();
    const auto in = [](const std::vector<NodeId>& some) {
      return [&some](NodeId id) { return std::count(some.begin(), some.end(), id) != 0; };
    };
    RC_PRE(has_quorum({set}, in(first)) && has_quorum({set}, in(second)));
    RC_ASSERT(std::any_of(first.begin(), first.end(), in(second)));
  }));
}

TEST(QuorumTest, ChangesOfOneMemberKeepQuorumsOverlapping) {
  EXPECT_TRUE(rc::check([] {
    const auto before = some_voters();
    auto after = before;
    after.push_back(NodeId{50});
    std::vector<NodeId> first;
    std::vector<NodeId> second;
    for (NodeId id : after) {
      if (*rc::gen::arbitrary<bool>()) first.push_back(id);
      if (*rc::gen::arbitrary<bool>()) second.push_back(id);
    }
    const auto in = [](const std::vector<NodeId>& some) {
      return [&some](NodeId id) { return std::count(some.begin(), some.end(), id) != 0; };
    };
    RC_PRE(has_quorum({before}, in(first)) && has_quorum({after}, in(second)));
    RC_ASSERT(std::any_of(first.begin(), first.end(), in(second)));
  }));
}

TEST(QuorumTest, NobodyDecidesNothing) {
  const auto all = [](NodeId) { return true; };
  const auto far = [](NodeId) { return Index{9}; };
  EXPECT_EQ(committed_index({}, far), 0U);
  EXPECT_EQ(committed_index({{}}, far), 0U);
  EXPECT_EQ(tally({}, {}), VoteResult::lost);
  EXPECT_EQ(tally({{}}, {}), VoteResult::lost);
  EXPECT_FALSE(has_quorum({}, all));
  EXPECT_FALSE(has_quorum({{}}, all));
}

}  // namespace
}  // namespace mainstay::consensus
