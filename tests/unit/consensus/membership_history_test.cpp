#include "runtime/consensus/membership_history.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

MembershipPtr shared(const Membership& membership) {
  return std::make_shared<const Membership>(membership);
}

TEST(MembershipHistoryTest, TheLatestCountsUntilItIsTruncated) {
  MembershipHistory history{voters(3), 0, {}};
  history.append(5, shared(voters(4)));
  history.append(9, shared(voters(5)));
  EXPECT_EQ(history.current(), voters(5));
  EXPECT_EQ(history.current_index(), 9U);
  EXPECT_FALSE(history.truncate(10));
  EXPECT_TRUE(history.truncate(9));
  EXPECT_EQ(history.current(), voters(4));
  EXPECT_TRUE(history.truncate(1));
  EXPECT_EQ(history.current(), voters(3));
}

TEST(MembershipHistoryTest, ARestartReadsAllEntriesCommittedOrNot) {
  Entry entry;
  entry.index = 7;
  entry.kind = EntryKind::membership;
  entry.membership = shared(voters(4));
  const MembershipHistory history{voters(3), 2, {entry}};
  EXPECT_EQ(history.current(), voters(4));
  EXPECT_EQ(history.current_index(), 7U);
}

TEST(MembershipHistoryTest, WhatIsCommittedIsNotRolledBack) {
  MembershipHistory history{voters(3), 0, {}};
  history.append(5, shared(voters(4)));
  history.committed(5);
  history.append(9, shared(voters(5)));
  history.truncate(6);
  EXPECT_EQ(history.current(), voters(4));
}

TEST(MembershipHistoryTest, AgreesWithALogOfMemberships) {
  EXPECT_TRUE(rc::check([] {
    MembershipHistory history{voters(1), 0, {}};
    std::map<Index, Membership> model{{0, voters(1)}};
    Index last = 0;
    Index committed = 0;
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5));
    for (int step : steps) {
      if (step < 2) {
        ++last;
        const auto size = *rc::gen::inRange<std::uint64_t>(1, 9);
        history.append(last, shared(voters(size)));
        model[last] = voters(size);
      } else if (step == 2) {
        ++last;
      } else if (step == 3 && last > committed) {
        const auto from = *rc::gen::inRange<Index>(committed + 1, last + 1);
        history.truncate(from);
        model.erase(model.lower_bound(from), model.end());
        last = from - 1;
      } else if (last > committed) {
        committed = *rc::gen::inRange<Index>(committed, last + 1);
        history.committed(committed);
      }
      RC_ASSERT(history.current() == model.rbegin()->second);
      RC_ASSERT(history.current_index() == model.rbegin()->first);
    }
  }));
}

TEST(MembershipHistoryTest, AVoterOfAnUnsettledPastMayStillVote) {
  MembershipHistory history{voters(2), 0, {}};
  Membership demoted = voters(2);
  demoted.members[0].role = MemberRole::learner;
  history.append(5, shared(demoted));
  EXPECT_TRUE(history.may_be_voter(node(1), Incarnation{101}));
  EXPECT_FALSE(history.may_be_voter(node(1), Incarnation{999}));
  history.committed(5);
  EXPECT_FALSE(history.may_be_voter(node(1), Incarnation{101}));
  EXPECT_TRUE(history.may_be_voter(node(2), Incarnation{102}));
}

TEST(MembershipHistoryTest, ChangesConcernOneMember) {
  Membership next = voters(4);
  EXPECT_TRUE(validate_change(voters(3), next));
  EXPECT_TRUE(validate_change(voters(4), voters(3)));
  EXPECT_FALSE(validate_change(voters(3), voters(3)));
  EXPECT_FALSE(validate_change(voters(3), voters(5)));
  EXPECT_FALSE(validate_change(voters(1), Membership{}));
  next.members[0].role = MemberRole::learner;
  EXPECT_TRUE(validate_change(voters(4), next));
  EXPECT_FALSE(validate_change(voters(3), next)) << "one added, one demoted";
}

TEST(MembershipHistoryTest, ANewIncarnationComesBackAsALearner) {
  Membership next = voters(3);
  next.members[2].incarnation = Incarnation{999};
  EXPECT_FALSE(validate_change(voters(3), next));
  next.members[2].role = MemberRole::learner;
  EXPECT_TRUE(validate_change(voters(3), next));
}

TEST(MembershipHistoryTest, MalformedMembershipsAreRefused) {
  Membership unsorted{{member(2), member(1)}};
  EXPECT_FALSE(validate(unsorted));
  Membership twice{{member(1), member(1)}};
  EXPECT_FALSE(validate(twice));
  Membership nobody{{member(1, MemberRole::learner)}};
  EXPECT_FALSE(validate(nobody));
  Membership unnamed{{member(1)}};
  unnamed.members[0].incarnation = Incarnation{};
  EXPECT_FALSE(validate(unnamed));
  EXPECT_FALSE(validate(voters(17)));
  EXPECT_TRUE(validate(voters(16)));
}

}  // namespace
}  // namespace mainstay::consensus::testing
