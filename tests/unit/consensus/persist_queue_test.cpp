#include "runtime/consensus/persist_queue.hpp"

#include <gtest/gtest.h>

namespace mainstay::consensus {
namespace {

Persist persist_of(Index from, const std::vector<Term>& terms) {
  Persist persist;
  for (Term term : terms) {
    Entry entry;
    entry.index = from++;
    entry.term = term;
    persist.entries.push_back(entry);
  }
  return persist;
}

TEST(PersistQueueTest, MarksCountUpAndNameTheLastEntry) {
  PersistQueue queue;
  Persist first = persist_of(1, {1, 2});
  Persist second;
  second.hard_state = HardState{3, NodeId{}};
  queue.push(first, 0);
  queue.push(second, 0);
  EXPECT_EQ(first.mark.sequence, 1U);
  EXPECT_EQ(first.mark.last_index, 2U);
  EXPECT_EQ(first.mark.term, 2U);
  EXPECT_EQ(second.mark.sequence, 2U);
  EXPECT_EQ(second.mark.last_index, 0U);
}

TEST(PersistQueueTest, AGroupCommitMayReportItsLastOnly) {
  PersistQueue queue;
  Persist first = persist_of(1, {1});
  Persist second = persist_of(2, {1});
  queue.push(first, 0);
  queue.push(second, 0);
  EXPECT_EQ(queue.complete(second.mark).size(), 2U);
  EXPECT_TRUE(queue.complete(first.mark).empty()) << "a late report of what is known";
  EXPECT_TRUE(queue.empty());
}

TEST(PersistQueueTest, AnEmptyPersistsMarkReportsNothing) {
  PersistQueue queue;
  Persist first = persist_of(1, {1});
  queue.push(first, 0);
  EXPECT_TRUE(queue.complete(PersistMark{}).empty());
}

// Entry 5 of term 2 is being written, is truncated, and 5 of term 3 follows: the completion of the
// first must not speak for the second, nor for a third that has the very same index and term again.
TEST(PersistQueueTest, CompletionsOfOverwrittenEntriesSpeakForNothing) {
  PersistQueue queue;
  Persist first = persist_of(4, {2, 2});
  Persist second = persist_of(5, {3});
  Persist third = persist_of(5, {2, 4});
  queue.push(first, 0);
  queue.truncated(5);
  queue.push(second, 0);
  queue.truncated(5);
  queue.push(third, 0);
  EXPECT_EQ(queue.complete(first.mark).at(0).stores_to, 4U);
  EXPECT_EQ(queue.complete(second.mark).at(0).stores_to, 4U);
  EXPECT_EQ(queue.complete(third.mark).at(0).stores_to, 6U);
}

TEST(PersistQueueTest, HeldMessagesComeBackWithTheNewest) {
  PersistQueue queue;
  Persist first = persist_of(1, {1});
  Persist second = persist_of(2, {1});
  queue.push(first, 0);
  queue.push(second, 0);
  queue.hold({Message{}});
  EXPECT_TRUE(queue.complete(first.mark).at(0).held.empty());
  EXPECT_EQ(queue.complete(second.mark).at(0).held.size(), 1U);
}

TEST(PersistQueueTest, TheAgeIsThatOfTheOldest) {
  PersistQueue queue;
  EXPECT_EQ(queue.oldest_age(9), 0U);
  Persist first = persist_of(1, {1});
  Persist second = persist_of(2, {1});
  queue.push(first, 3);
  queue.push(second, 8);
  EXPECT_EQ(queue.oldest_age(9), 6U);
  queue.complete(first.mark);
  EXPECT_EQ(queue.oldest_age(9), 1U);
}

TEST(PersistQueueDeathTest, AMarkThatWasNeverMadeStopsTheProcess) {
  PersistQueue queue;
  EXPECT_DEATH(queue.complete(PersistMark{7, 1, 1}), "never made");
}

}  // namespace
}  // namespace mainstay::consensus
