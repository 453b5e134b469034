#include "runtime/record/state_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/state_hash.hpp"
#include "tests/unit/record/commands.hpp"

namespace mainstay::record {
namespace {

// Revision 1 is the declaration of the collection, so that the commands of a test begin with 2.
Outcome done(Version version, Revision revision, bool created) {
  Outcome outcome;
  outcome.results = {{version, created, true}};
  outcome.revision = revision + 1;
  return outcome;
}

Outcome refused(Errc code, Version found = 0) {
  Outcome outcome;
  outcome.refused = code;
  outcome.found_version = found;
  return outcome;
}

Outcome bare(Outcome outcome) {
  outcome.detail.clear();
  outcome.part = Part::whole;
  outcome.position = 0;
  return outcome;
}

// Without the words for people.
struct Plain : Orders {
  Outcome one(std::uint64_t wall_millis, Command command) {
    return bare(Orders::one(wall_millis, std::move(command)));
  }
};

Outcome replay_of(Outcome outcome) {
  outcome.replayed = true;
  return outcome;
}

TEST(StateMachine, PutCreatesThenReplaces) {
  Plain replica;
  EXPECT_EQ(replica.one(10, put("a", "k", "1")), done(1, 1, true));
  EXPECT_EQ(replica.one(11, put("b", "k", "2")), done(2, 2, false));
  const Record record = replica.state.find_record("orders", "k").value();
  EXPECT_EQ(record.value.view(), "2");
  EXPECT_EQ(record.version, 2u);
  EXPECT_EQ(record.revision, 3u);
  EXPECT_EQ(record.created_revision, 2u);
  EXPECT_EQ(replica.state.counters().live_records, 2u);
}

TEST(StateMachine, VersionGoesOnOverATombstone) {
  Plain replica;
  replica.one(10, put("a", "k", "1"));
  EXPECT_EQ(replica.one(10, removal("b", "k")), done(2, 2, false));
  EXPECT_TRUE(replica.state.find_record("orders", "k")->tombstone);
  EXPECT_TRUE(replica.state.find_record("orders", "k")->value.empty());
  EXPECT_EQ(replica.one(10, put("c", "k", "3")), done(3, 3, true));
  EXPECT_EQ(replica.state.find_record("orders", "k")->created_revision, 4u);
  EXPECT_EQ(replica.state.counters().tombstones, 0u);
  EXPECT_EQ(replica.state.counters().live_records, 2u);
}

TEST(StateMachine, RemovingWhatIsNotThereIsRefused) {
  Plain replica;
  EXPECT_EQ(replica.one(10, removal("a", "k")), refused(Errc::not_found));
  replica.one(10, put("b", "k", "1"));
  replica.one(10, removal("c", "k"));
  EXPECT_EQ(replica.one(10, removal("d", "k")), refused(Errc::not_found));
  EXPECT_EQ(replica.state.counters().revision, 3u);
}

TEST(StateMachine, RepetitionAnswersAsTheFirstTimeAndChangesNothing) {
  Plain replica;
  const Outcome first = replica.one(10, put("a", "k", "1"));
  replica.one(11, put("b", "k", "2"));
  EXPECT_EQ(replica.one(12, put("a", "k", "1")), replay_of(first));
  EXPECT_EQ(replica.state.find_record("orders", "k")->value.view(), "2");
  EXPECT_EQ(replica.state.counters().revision, 3u);
  EXPECT_EQ(replica.state.counters().operations, 3u);
}

TEST(StateMachine, RepetitionWithinOneEntryRunsOnce) {
  Plain replica;
  const auto outcomes = replica.entry(10, {put("a", "k", "1"), put("a", "k", "1")});
  EXPECT_EQ(outcomes[1], replay_of(outcomes[0]));
  EXPECT_EQ(replica.state.find_record("orders", "k")->version, 1u);
}

TEST(StateMachine, RefusalIsAnsweredAgainEvenWhenItWouldSucceedNow) {
  Plain replica;
  const Command command = put("a", "k", "1", version_is(1));
  const Outcome first = replica.one(10, command);
  EXPECT_EQ(first, refused(Errc::precondition_failed));
  replica.one(10, put("b", "k", "x"));
  EXPECT_EQ(replica.one(10, command), replay_of(first));
  EXPECT_EQ(replica.state.find_record("orders", "k")->value.view(), "x");
}

TEST(StateMachine, SameOperationIdWithAnotherRequestIsRefusedAndNotRecorded) {
  Plain replica;
  const Outcome first = replica.one(10, put("a", "k", "1"));
  EXPECT_EQ(replica.one(10, put("a", "k", "2")), refused(Errc::operation_reused));
  EXPECT_EQ(replica.one(10, put("a", "k", "1")), replay_of(first));
}

TEST(StateMachine, VersionIsMustBeThatOfALiveRecord) {
  Plain replica;
  EXPECT_EQ(replica.one(10, put("a", "k", "1", version_is(0))), refused(Errc::precondition_failed));
  replica.one(10, put("b", "k", "1"));
  EXPECT_EQ(replica.one(10, put("c", "k", "2", version_is(7))),
            refused(Errc::precondition_failed, 1));
  EXPECT_EQ(replica.one(10, put("d", "k", "2", version_is(1))), done(2, 2, false));
  replica.one(10, removal("e", "k"));
  EXPECT_EQ(replica.one(10, put("f", "k", "3", version_is(3))), refused(Errc::precondition_failed));
}

TEST(StateMachine, VersionIsNotExcludesLiveVersionsOnly) {
  Plain replica;
  Condition condition;
  condition.version_is_not = {1, 2};
  EXPECT_EQ(replica.one(10, put("a", "k", "1", condition)), done(1, 1, true));
  EXPECT_EQ(replica.one(10, put("b", "k", "2", condition)), refused(Errc::precondition_failed, 1));
  replica.one(10, removal("c", "k"));
  EXPECT_EQ(replica.one(10, put("d", "k", "3", condition)), done(3, 3, true));
}

TEST(StateMachine, ExistenceConditions) {
  Plain replica;
  Condition must_exist;
  must_exist.must_exist = true;
  Condition must_be_absent;
  must_be_absent.must_be_absent = true;
  EXPECT_EQ(replica.one(10, put("a", "k", "1", must_exist)), refused(Errc::precondition_failed));
  EXPECT_EQ(replica.one(10, put("b", "k", "1", must_be_absent)), done(1, 1, true));
  EXPECT_EQ(replica.one(10, put("c", "k", "2", must_be_absent)),
            refused(Errc::precondition_failed, 1));
  EXPECT_EQ(replica.one(10, put("d", "k", "2", must_exist)), done(2, 2, false));
  EXPECT_EQ(replica.one(10, removal("e", "k", must_exist)), done(3, 3, false));
  EXPECT_EQ(replica.one(10, removal("f", "k", must_exist)), refused(Errc::precondition_failed));
}

TEST(StateMachine, EveryChangeHasItsOwnStampAndTimeNeverGoesBack) {
  Plain replica;
  replica.entry(100, {put("a", "k", "1"), put("b", "l", "1")});
  const HlcStamp first = replica.state.find_record("orders", "k")->stamp;
  const HlcStamp second = replica.state.find_record("orders", "l")->stamp;
  EXPECT_EQ(first.millis, 100u);
  EXPECT_LT(first, second);
  replica.one(50, put("c", "m", "1"));
  const HlcStamp third = replica.state.find_record("orders", "m")->stamp;
  EXPECT_EQ(third.millis, 100u);
  EXPECT_LT(second, third);
}

TEST(StateMachine, OperationIsForgottenAfterItsRetention) {
  Plain replica;
  replica.one(10, put("a", "k", "1"));
  EXPECT_TRUE(replica.one(9 + retention, put("a", "k", "1")).replayed);
  replica.one(10 + retention, put("b", "l", "1"));
  // Later than promised: no trace is left, so it runs again.
  EXPECT_EQ(replica.one(10 + retention, put("a", "k", "1")), done(2, 3, false));
  EXPECT_EQ(replica.state.counters().operations, 2u);
}

TEST(StateMachine, ARepetitionInTheEntryThatBringsAJumpOfTimeIsKnown) {
  Plain replica;
  const Outcome first = replica.one(10, put("a", "k", "1"));
  EXPECT_EQ(replica.one(10 + 50 * retention, put("a", "k", "1")), replay_of(first));
  EXPECT_EQ(replica.state.counters().operations, 0u);
}

TEST(StateMachine, WallClockThatStepsBackForgetsNothingEarly) {
  Plain replica;
  replica.one(5000, put("a", "k", "1"));
  replica.one(1, put("b", "l", "1"));
  EXPECT_TRUE(replica.one(5000 + retention - 1, put("b", "l", "1")).replayed);
  EXPECT_EQ(replica.state.find_operation("b")->recorded_millis, 5000u);
}

TEST(StateMachine, TombstoneIsRemovedAfterItsRetention) {
  Plain replica;
  replica.one(10, put("a", "k", "1"));
  replica.one(20, removal("b", "k"));
  replica.one(19 + retention, put("c", "other", "1"));
  EXPECT_TRUE(replica.state.find_record("orders", "k"));
  replica.one(20 + retention, put("d", "other", "1"));
  EXPECT_FALSE(replica.state.find_record("orders", "k"));
  EXPECT_EQ(replica.state.counters().tombstones, 0u);
}

TEST(StateMachine, TombstoneOfARecordThatWasWrittenAgainIsNotRemoved) {
  Plain replica;
  replica.one(10, put("a", "k", "1"));
  replica.entry(20, {removal("b", "k"), put("c", "k", "2")});
  replica.one(20 + retention, put("d", "other", "1"));
  EXPECT_EQ(replica.state.find_record("orders", "k")->value.view(), "2");
  // The second deletion has its own time.
  replica.one(20 + retention, removal("e", "k"));
  replica.one(30 + retention, put("f", "other", "1"));
  EXPECT_TRUE(replica.state.find_record("orders", "k"));
}

TEST(StateMachine, TwoDeletionsInOneMillisecondLeaveNoTombstoneForEver) {
  Plain replica;
  replica.entry(20, {put("a", "k", "1"), removal("b", "k"), put("c", "k", "2"), removal("d", "k")});
  replica.one(20 + retention, put("e", "other", "1"));
  EXPECT_FALSE(replica.state.find_record("orders", "k"));
}

TEST(StateMachine, OneEntryForgetsABoundedNumberOfRows) {
  Plain replica;
  constexpr std::size_t rows = 3;  // a commit, its change and the version that it superseded
  const std::size_t many = limits::expire_rows_min / rows + 10;
  for (std::size_t i = 0; i < many; ++i) replica.one(10, put("op-" + std::to_string(i), "k", "1"));
  replica.one(10 + retention, put("x", "k", "1"));
  EXPECT_EQ(replica.state.counters().operations, 11u);  // the first two superseded nothing
  replica.one(10 + retention, put("y", "k", "1"));
  EXPECT_EQ(replica.state.counters().operations, 2u);
}

TEST(StateMachine, HashFollowsEveryKindOfChange) {
  Plain replica;
  const auto expect_sum = [&replica](const char* when) {
    EXPECT_EQ(replica.state.counters().hash, full_hash(replica.state)) << when;
  };
  replica.one(10, put("a", "k", "1"));
  expect_sum("created");
  replica.one(10, put("b", "k", "2"));
  expect_sum("replaced");
  replica.one(10, removal("c", "k"));
  expect_sum("deleted");
  replica.one(10, put("d", "k", "3"));
  expect_sum("created again");
  replica.one(10, removal("e", "absent"));
  expect_sum("refused");
  replica.one(10, removal("f", "k"));
  replica.one(20 + retention, put("g", "l", "1"));
  expect_sum("expired");
}

TEST(StateMachine, EntryWithoutCommandsMovesTheIndexOnly) {
  Plain replica;
  replica.one(10, put("a", "k", "1"));
  Counters expected = replica.state.counters();
  expected.applied_index += 1;
  expected.applied_term = 7;
  apply_nothing(replica.state, replica.declarations, expected.applied_index, 7, replica.options);
  EXPECT_EQ(replica.state.counters(), expected);
}

TEST(StateMachine, OutcomesGoBackToTheBatchTheyCameFrom) {
  Plain replica;
  const LogBatch entry{10,
                       {{NodeId{1}, BootId{11}, 5, {put("a", "k", "1"), put("b", "k", "2")}},
                        {NodeId{2}, BootId{22}, 6, {put("c", "k", "3")}}}};
  const auto results = apply(replica.state, replica.declarations, 2, 1, entry, {retention});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].origin, NodeId{1});
  EXPECT_EQ(results[0].origin_boot, BootId{11});
  EXPECT_EQ(results[0].sequence, 5u);
  EXPECT_THAT(results[0].operations, testing::ElementsAre("a", "b"));
  EXPECT_THAT(results[0].outcomes, testing::ElementsAre(done(1, 1, true), done(2, 2, false)));
  EXPECT_EQ(results[1].origin, NodeId{2});
  EXPECT_THAT(results[1].operations, testing::ElementsAre("c"));
  EXPECT_THAT(results[1].outcomes, testing::ElementsAre(done(3, 3, false)));
}

TEST(StateMachine, CommandThatNoTableCouldHoldIsRefusedWithoutATrace) {
  Plain replica;
  EXPECT_EQ(replica.one(10, put("", "k", "1")), refused(Errc::invalid_argument));
  EXPECT_EQ(replica.one(10, put("a", "", "1")), refused(Errc::invalid_argument));
  EXPECT_EQ(replica.one(10, put("a", std::string("k\0x", 3), "1")),
            refused(Errc::invalid_argument));
  EXPECT_EQ(replica.state.counters().operations, 1u);
  EXPECT_EQ(replica.state.counters().live_records, 1u);
}

TEST(StateMachineDeathTest, EntriesOutOfOrderStopTheProcess) {
  MemoryState state;
  Declarations declarations;
  EXPECT_DEATH(apply_nothing(state, declarations, 2, 1, {}), "in order");
}

}  // namespace
}  // namespace mainstay::record
