#include "actors/replica/membership_change.hpp"

#include <gtest/gtest.h>

namespace mainstay::replica {
namespace {

using consensus::Member;
using consensus::MemberRole;
using consensus::Membership;
using Kind = wire::AdminRequest::Kind;

Member member(std::uint64_t id, MemberRole role = MemberRole::voter) {
  Member made;
  made.id = NodeId{id};
  made.incarnation = Incarnation{id * 11};
  made.role = role;
  made.peer_address = "host:1";
  return made;
}

const Membership two{{member(1), member(3)}};

wire::AdminRequest request(Kind kind, Member whom) {
  wire::AdminRequest made;
  made.kind = kind;
  made.member = std::move(whom);
  return made;
}

TEST(MembershipChangeTest, AnAddedNodeIsALearnerInItsPlace) {
  const auto next = plan_change(two, request(Kind::add_member, member(2)));
  ASSERT_TRUE(next && *next);
  ASSERT_EQ((*next)->members.size(), 3u);
  EXPECT_EQ((*next)->members[1].id, NodeId{2});
  EXPECT_EQ((*next)->members[1].role, MemberRole::learner);
  EXPECT_TRUE((*next)->members[1].auto_promote);
}

TEST(MembershipChangeTest, AddingAMemberAgainChangesNothing) {
  const auto next = plan_change(two, request(Kind::add_member, member(3)));
  ASSERT_TRUE(next);
  EXPECT_FALSE(*next);
}

TEST(MembershipChangeTest, AddingNeedsIdAddressAndIncarnation) {
  Member unborn = member(2);
  unborn.incarnation = {};
  EXPECT_EQ(plan_change(two, request(Kind::add_member, unborn)).error().code,
            Errc::invalid_argument);
  Member nowhere = member(2);
  nowhere.peer_address.clear();
  EXPECT_EQ(plan_change(two, request(Kind::add_member, nowhere)).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(plan_change(two, request(Kind::add_member, Member{})).error().code,
            Errc::invalid_argument);
}

TEST(MembershipChangeTest, RemovingLeavesTheOthersButNeverNobody) {
  const auto next = plan_change(two, request(Kind::remove_member, member(1)));
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->members, std::vector<Member>{member(3)});
  EXPECT_EQ(plan_change(**next, request(Kind::remove_member, member(3))).error().code,
            Errc::conflict);
  EXPECT_FALSE(*plan_change(two, request(Kind::remove_member, member(9))));
}

TEST(MembershipChangeTest, PromotionMakesAVoterOfALearner) {
  const Membership one{{member(1), member(2, MemberRole::learner)}};
  const auto next = plan_change(one, request(Kind::promote_member, member(2)));
  ASSERT_TRUE(next && *next);
  EXPECT_TRUE((*next)->is_voter(NodeId{2}));
  EXPECT_FALSE(*plan_change(one, request(Kind::promote_member, member(1))));
  EXPECT_EQ(plan_change(one, request(Kind::promote_member, member(9))).error().code,
            Errc::not_found);
}

TEST(MembershipChangeTest, AJoinerMustBeListedAndComesAsALearner) {
  Member again = member(3);
  again.incarnation = Incarnation{777};
  EXPECT_EQ(plan_join(two, again, true).error().code, Errc::conflict) << "the old one answers";
  const auto next = plan_join(two, again, false);
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->find(NodeId{3})->incarnation, Incarnation{777});
  EXPECT_FALSE((*next)->is_voter(NodeId{3}));
  EXPECT_EQ(plan_join(two, member(9), false).error().code, Errc::not_found);
}

TEST(MembershipChangeTest, AVoterThatDoesNotKnowItIsToldOnce) {
  const auto next = plan_join(two, member(3), true);
  ASSERT_TRUE(next && *next);
  EXPECT_TRUE((*next)->is_voter(NodeId{3}));
  EXPECT_EQ((*next)->find(NodeId{3})->incarnation, member(3).incarnation);
  EXPECT_FALSE(*plan_join(**next, member(3), true));
}

}  // namespace
}  // namespace mainstay::replica
