#include "runtime/consensus/invariants.hpp"

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

Status healthy() {
  Status status;
  status.id = node(1);
  status.term = 3;
  status.vote = node(1);
  status.first = 1;
  status.last = status.stored = 9;
  status.commit = 8;
  status.applied = 7;
  status.membership = voters(3);
  return status;
}

TEST(InvariantsTest, AHealthyStatusHasNoViolation) {
  EXPECT_EQ(violation(healthy()), "");
  EXPECT_EQ(violation(healthy(), healthy()), "");
  EXPECT_EQ(violation(std::vector<Status>{healthy(), healthy()}), "");
}

TEST(InvariantsTest, EachRuleIsSeen) {
  const std::vector<std::function<void(Status&)>> damages{
      [](Status& s) { s.applied = 9; },
      [](Status& s) { s.stored = 6; },
      [](Status& s) { s.commit = 10; },
      [](Status& s) { s.stored = 10; },
      [](Status& s) { s.role = CoreRole::candidate, s.last = 10; },
      [](Status& s) { s.role = CoreRole::pre_candidate, s.installing_snapshot = true; },
      [](Status& s) { s.role = CoreRole::pre_candidate, s.leader = node(2); },
      [](Status& s) { s.role = CoreRole::candidate, s.vote = node(2); },
      [](Status& s) { s.membership.members[0].id = node(9); },
      [](Status& s) { s.role = CoreRole::leader; },
      [](Status& s) { s.role = CoreRole::leader, s.leader = node(1), s.vote = node(2); },
      [](Status& s) {
        s.role = CoreRole::leader, s.leader = node(1);
        s.members.push_back({node(2), 10, 11, 0, ProgressState::probe, true});
      },
      [](Status& s) {
        s.role = CoreRole::leader, s.leader = node(1);
        s.members.push_back({node(2), 5, 5, 0, ProgressState::probe, true});
      },
      [](Status& s) {
        s.role = CoreRole::leader, s.leader = node(1), s.last = 10;
        s.members.push_back({node(1), 10, 11, 0, ProgressState::probe, true});
      },
  };
  for (std::size_t i = 0; i < damages.size(); ++i) {
    Status status = healthy();
    damages[i](status);
    EXPECT_NE(violation(status), "") << "damage " << i;
  }
}

TEST(InvariantsTest, StepsBackAreSeen) {
  const std::vector<std::function<void(Status&)>> damages{
      [](Status& s) { s.term = 2; },        [](Status& s) { s.vote = node(2); },
      [](Status& s) { s.vote = NodeId{}; }, [](Status& s) { s.commit = 7; },
      [](Status& s) { s.applied = 6; },
  };
  for (std::size_t i = 0; i < damages.size(); ++i) {
    Status after = healthy();
    damages[i](after);
    EXPECT_NE(violation(healthy(), after), "") << "damage " << i;
  }
  Status before = healthy();
  before.role = CoreRole::leader;
  Status after = before;
  after.last = 8;
  EXPECT_NE(violation(before, after), "") << "a leader only appends";
  before.leader = node(2);
  after = before;
  after.leader = node(3);
  EXPECT_NE(violation(before, after), "") << "two leaders in a term";
}

TEST(InvariantsTest, TwoLeadersOfATermAreSeen) {
  std::vector<Status> group{healthy(), healthy()};
  group[1].id = node(2);
  group[0].role = group[1].role = CoreRole::leader;
  EXPECT_NE(violation(group), "");
  group[1].term = 4;
  EXPECT_EQ(violation(group), "");
}

}  // namespace
}  // namespace mainstay::consensus::testing
