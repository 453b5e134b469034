#include "actors/gateway/pending_operations.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"

namespace mainstay::gateway {
namespace {

MonotonicTime at(int millis) {
  return MonotonicTime{Millis{millis}};
}

class PendingOperationsTest : public ::testing::Test {
 protected:
  void remove(const std::string& operation) {
    add(operation, 0, 10'000, record::ActionKind::remove);
  }

  void add(const std::string& operation, int now = 0, int deadline = 10'000,
           record::ActionKind kind = record::ActionKind::put) {
    record::Command command = record::single({kind, "orders", operation, {}});
    command.operation = operation;
    operations.add(std::move(command), at(now), at(deadline), handler(operation));
  }

  void fence(const std::string& operation, int now = 0) {
    record::Command command;
    command.kind = record::CommandKind::fence;
    command.operation = operation;
    operations.add(std::move(command), at(now), at(10'000), handler("fence " + operation));
  }

  OutcomeHandler handler(const std::string& name) {
    return [this, name](Result<record::Outcome> result) {
      std::string text =
          "!" + std::string{to_string(result ? result->refused.value_or(Errc::internal)
                                             : result.error().code)};
      if (result && !result->refused) text = "=" + std::to_string(result->revision);
      ended.push_back(name + text);
    };
  }

  // What this node's applier says of a batch: the n-th command gets revision n.
  static record::BatchOutcome outcome_of(const OutgoingBatch& out) {
    record::BatchOutcome outcome;
    outcome.sequence = out.sequence;
    for (std::size_t i = 0; i < out.batch.commands.size(); ++i) {
      outcome.operations.push_back(out.batch.commands[i].operation);
      record::Outcome one;
      one.revision = i + 1;
      outcome.outcomes.push_back(one);
    }
    return outcome;
  }

  static std::vector<std::string> names(const OutgoingBatch& out) {
    std::vector<std::string> names;
    for (const record::Command& command : out.batch.commands) names.push_back(command.operation);
    return names;
  }

  using Names = std::vector<std::string>;
  PendingOptions options{NodeId{1},   BootId{7},  1,           2,
                         Millis{300}, Millis{10}, Millis{200}, Millis{2000}};
  std::vector<std::string> ended;  // before `operations`: its destructor still answers
  PendingOperations operations{options};
};

TEST_F(PendingOperationsTest, EverythingThatWaitsGoesIntoOneBatch) {
  add("a");
  add("b");
  const auto out = operations.next_batch(at(0));
  ASSERT_TRUE(out);
  EXPECT_EQ(names(*out), (Names{"a", "b"}));
  EXPECT_EQ(out->batch.origin, NodeId{1});
  EXPECT_EQ(out->batch.origin_boot, BootId{7});
  EXPECT_FALSE(out->resent);
  EXPECT_FALSE(operations.next_batch(at(0)));
  operations.accepted(out->sequence, 3, 10, at(1));
  EXPECT_EQ(operations.applied(10, 3, {outcome_of(*out)}, false, at(2)), 2u);
  EXPECT_EQ(ended, (Names{"a=1", "b=2"}));
  EXPECT_EQ(operations.waiting(), 0u);
}

TEST_F(PendingOperationsTest, ABatchHasNoMoreCommandsThanAnEntryMay) {
  for (std::size_t i = 0; i < limits::batch_commands_max + 1; ++i) add("op" + std::to_string(i));
  EXPECT_EQ(operations.next_batch(at(0))->batch.commands.size(), limits::batch_commands_max);
  EXPECT_EQ(operations.next_batch(at(0))->batch.commands.size(), 1u);
}

TEST_F(PendingOperationsTest, UnansweredBatchesAreBounded) {
  for (const char* name : {"a", "b", "c"}) {
    add(name);
    const auto out = operations.next_batch(at(0));
    EXPECT_EQ(out.has_value(), std::string{name} != "c");
  }
  operations.accepted(1, 3, 10, at(1));
  EXPECT_EQ(names(*operations.next_batch(at(1))), Names{"c"});
}

TEST_F(PendingOperationsTest, ARefusedBatchGoesAgainAfterAPauseUnderTheSameOperationIds) {
  add("a");
  const auto first = operations.next_batch(at(0));
  operations.refused(first->sequence, Errc::not_leader, at(1));
  EXPECT_FALSE(operations.next_batch(at(5)));
  const auto second = operations.next_batch(at(11));
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->resent);
  EXPECT_NE(second->sequence, first->sequence);
  EXPECT_EQ(names(*second), Names{"a"});
}

TEST_F(PendingOperationsTest, WhatNoLeaderCanTakeIsAnsweredAtOnceAndTheRestGoesOn) {
  add("a");
  add("bad");
  add("c");
  const auto together = operations.next_batch(at(0));
  operations.refused(together->sequence, Errc::invalid_argument, at(1));
  EXPECT_TRUE(ended.empty()) << "which of them it was is not known yet";
  for (const char* name : {"a", "bad"}) {
    const auto alone = operations.next_batch(at(50));
    ASSERT_TRUE(alone);
    EXPECT_EQ(names(*alone), (Names{name}));
    if (std::string{name} == "bad")
      operations.refused(alone->sequence, Errc::invalid_argument, at(51));
    else
      operations.applied(1, 1, {outcome_of(*alone)}, false, at(50));
  }
  EXPECT_EQ(ended, (Names{"a=1", "bad!invalid_argument"}));
  EXPECT_EQ(names(*operations.next_batch(at(100))), (Names{"c"}));
}

TEST_F(PendingOperationsTest, WhatAnEntryHadNoTimeForIsSentAgainInOrder) {
  for (const char* name : {"a", "b", "c"}) add(name);
  const auto out = operations.next_batch(at(0));
  add("d");
  auto outcome = outcome_of(*out);
  outcome.outcomes[1] = outcome.outcomes[2] = {};
  outcome.outcomes[1].refused = outcome.outcomes[2].refused = Errc::busy;
  EXPECT_EQ(operations.applied(1, 1, {outcome}, false, at(1)), 1u);
  EXPECT_EQ(ended, (Names{"a=1"}));
  const auto again = operations.next_batch(at(1));
  EXPECT_EQ(names(*again), (Names{"b", "c", "d"}));
  operations.applied(2, 1, {outcome_of(*again)}, false, at(2));
  EXPECT_EQ(ended, (Names{"a=1", "b=1", "c=2", "d=3"}));
}

TEST_F(PendingOperationsTest, ALeaderWithoutSpaceEndsInsertsAndTakesDeletions) {
  add("put");
  remove("remove");
  const auto first = operations.next_batch(at(0));
  operations.refused(first->sequence, Errc::storage_full, at(1));
  EXPECT_EQ(ended, Names{"put!storage_full"});
  add("another");
  const auto second = operations.next_batch(at(20));
  ASSERT_TRUE(second);
  EXPECT_EQ(names(*second), Names{"remove"});
  EXPECT_EQ(ended, (Names{"put!storage_full", "another!storage_full"}));
  add("later");
  EXPECT_EQ(names(*operations.next_batch(at(201))), Names{"later"});
}

TEST_F(PendingOperationsTest, AFenceAndAWaitingWriteOfTheSameOperationAreTwoCommands) {
  add("a");
  const auto first = operations.next_batch(at(0));
  fence("a", 1);
  const auto second = operations.next_batch(at(1));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->batch.commands[0].kind, record::CommandKind::fence);
  EXPECT_EQ(second->batch.commands.size(), 1u);
  // The fence comes first in the log: the write finds itself refused when its own turn comes.
  record::BatchOutcome fenced = outcome_of(*second);
  fenced.outcomes[0] = {};
  fenced.outcomes[0].refused = Errc::operation_fenced;
  operations.applied(10, 3, {fenced}, false, at(2));
  EXPECT_EQ(ended, Names{"fence a!operation_fenced"});
  record::BatchOutcome late = outcome_of(*first);
  late.outcomes[0] = fenced.outcomes[0];
  operations.applied(11, 3, {late}, false, at(3));
  EXPECT_EQ(ended, (Names{"fence a!operation_fenced", "a!operation_fenced"}));
}

TEST_F(PendingOperationsTest, AFenceInTheBatchOfItsOperationIsAnsweredByItsOwnPlace) {
  add("a");
  fence("a");
  const auto out = operations.next_batch(at(0));
  operations.applied(10, 3, {outcome_of(*out)}, false, at(1));
  EXPECT_EQ(ended, (Names{"a=1", "fence a=2"}));
}

TEST_F(PendingOperationsTest, AFenceNeedsNoSpace) {
  add("put");
  fence("gone");
  const auto first = operations.next_batch(at(0));
  operations.refused(first->sequence, Errc::storage_full, at(1));
  const auto second = operations.next_batch(at(20));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->batch.commands.at(0).operation, "gone");
  EXPECT_EQ(ended, Names{"put!storage_full"});
}

TEST_F(PendingOperationsTest, AnotherLeaderMayHaveSpace) {
  add("put");
  operations.refused(operations.next_batch(at(0))->sequence, Errc::storage_full, at(1));
  add("another");
  operations.leader_changed(at(20));
  EXPECT_EQ(names(*operations.next_batch(at(20))), Names{"another"});
}

TEST_F(PendingOperationsTest, AnInsertThatMayHaveHappenedIsNotCalledRefused) {
  add("put");
  ASSERT_TRUE(operations.next_batch(at(0)));
  operations.leader_changed(at(1));
  const auto second = operations.next_batch(at(1));
  operations.refused(second->sequence, Errc::storage_full, at(2));
  EXPECT_TRUE(ended.empty());
  EXPECT_FALSE(operations.next_batch(at(100)));
  EXPECT_EQ(names(*operations.next_batch(at(202))), Names{"put"});
}

TEST_F(PendingOperationsTest, ALostReplyIsFollowedByAnotherCopyAndTheFirstOutcomeCounts) {
  add("a");
  const auto first = operations.next_batch(at(0));
  operations.expire(at(299));
  EXPECT_FALSE(operations.next_batch(at(299)));
  operations.expire(at(300));
  const auto second = operations.next_batch(at(300));
  ASSERT_TRUE(second);
  // The first copy had arrived after all.
  operations.applied(10, 3, {outcome_of(*first)}, false, at(301));
  EXPECT_EQ(ended, Names{"a=1"});
  operations.applied(11, 3, {outcome_of(*second)}, false, at(302));
  EXPECT_EQ(ended, Names{"a=1"});
}

TEST_F(PendingOperationsTest, ANewLeaderGetsWhatWasUnansweredAtOnce) {
  add("a");
  add("b");
  const auto first = operations.next_batch(at(0));
  add("c", 5);
  operations.leader_changed(at(10));
  const auto second = operations.next_batch(at(10));
  ASSERT_TRUE(second);
  EXPECT_EQ(names(*second), (Names{"a", "b", "c"}));
  EXPECT_TRUE(second->resent);
}

TEST_F(PendingOperationsTest, AnAcceptedBatchIsNotSentAgainWhileItsEntryMaySurvive) {
  add("a");
  const auto first = operations.next_batch(at(0));
  operations.accepted(first->sequence, 3, 10, at(1));
  operations.leader_changed(at(10));
  EXPECT_FALSE(operations.next_batch(at(10)));
  operations.applied(9, 3, {}, false, at(11));
  EXPECT_FALSE(operations.next_batch(at(11)));
}

TEST_F(PendingOperationsTest, AnAcceptedBatchIsLostWhenANewerTermWasAppliedWithoutIt) {
  add("a");
  const auto first = operations.next_batch(at(0));
  operations.accepted(first->sequence, 3, 10, at(1));
  operations.applied(9, 4, {}, false, at(11));
  EXPECT_EQ(names(*operations.next_batch(at(11))), Names{"a"});
}

TEST_F(PendingOperationsTest, AnAcceptedBatchIsLostWhenItsPlaceWasAppliedWithoutIt) {
  add("a");
  const auto first = operations.next_batch(at(0));
  operations.applied(12, 4, {}, false, at(1));
  operations.accepted(first->sequence, 4, 10, at(2));  // the answer comes late
  EXPECT_EQ(names(*operations.next_batch(at(2))), Names{"a"});
}

TEST_F(PendingOperationsTest, AJumpOverAnAcceptedBatchSendsItAgain) {
  add("a");
  const auto first = operations.next_batch(at(0));
  operations.accepted(first->sequence, 3, 10, at(1));
  operations.applied(12, 3, {}, true, at(2));  // a snapshot: its outcome was skipped
  EXPECT_EQ(names(*operations.next_batch(at(2))), Names{"a"});
}

TEST_F(PendingOperationsTest, AfterAJumpNothingIsKnownOfUnansweredBatches) {
  add("a");
  ASSERT_TRUE(operations.next_batch(at(0)));
  operations.applied(500, 4, {}, true, at(1));
  EXPECT_EQ(names(*operations.next_batch(at(1))), Names{"a"});
}

TEST_F(PendingOperationsTest, ADeadlineEndsInAnUnknownOutcomeOnlyIfItMayHappen) {
  add("sent", 0, 100);
  ASSERT_TRUE(operations.next_batch(at(0)));
  add("queued", 0, 100);
  EXPECT_EQ(operations.expire(at(99)), 0u);
  EXPECT_EQ(operations.expire(at(100)), 1u);
  EXPECT_EQ(ended, (Names{"sent!outcome_unknown", "queued!not_ready"}));
  EXPECT_FALSE(operations.next_batch(at(200)));
}

TEST_F(PendingOperationsTest, TheDestructorLeavesNobodyWaiting) {
  {
    PendingOperations gone{options};
    record::Command command;
    gone.add(command, at(0), at(100), [this](Result<record::Outcome> result) {
      ended.push_back(std::string{to_string(result.error().code)});
    });
  }
  EXPECT_EQ(ended, Names{"outcome_unknown"});
}

TEST_F(PendingOperationsTest, OldestTellsWhoWaitsLongest) {
  EXPECT_EQ(operations.oldest(at(50)), at(50));
  add("a", 10);
  add("b", 20);
  EXPECT_EQ(operations.oldest(at(50)), at(10));
}

}  // namespace
}  // namespace mainstay::gateway
