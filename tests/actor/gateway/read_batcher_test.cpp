#include "actors/gateway/read_batcher.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mainstay::gateway {
namespace {

MonotonicTime at(int millis) {
  return MonotonicTime{Millis{millis}};
}

class ReadBatcherTest : public ::testing::Test {
 protected:
  void add(const std::string& name, int deadline = 10'000) {
    reads.add(at(deadline), [this, name](Result<void> result) {
      ended.push_back(name + (result ? "" : "!" + std::string{to_string(result.error().code)}));
    });
  }

  using Names = std::vector<std::string>;
  Names ended;
  ReadBatcher reads{ReadBatcherOptions{5, Millis{100}, Millis{10}, Millis{200}}};
};

TEST_F(ReadBatcherTest, AllThatWaitShareOneRound) {
  add("a");
  add("b");
  const auto round = reads.next_round(at(0));
  ASSERT_TRUE(round);
  EXPECT_EQ(*round, 5u);
  EXPECT_FALSE(reads.next_round(at(0)));
  reads.read_point(*round, 7, at(1));
  EXPECT_TRUE(ended.empty());
  reads.applied(6, at(2));
  EXPECT_TRUE(ended.empty());
  reads.applied(7, at(3));
  EXPECT_EQ(ended, (Names{"a", "b"}));
}

TEST_F(ReadBatcherTest, AReadThatComesDuringARoundWaitsForTheNext) {
  add("a");
  const auto first = reads.next_round(at(0));
  add("late");
  EXPECT_FALSE(reads.next_round(at(0)));
  reads.applied(100, at(1));
  reads.read_point(*first, 7, at(1));
  EXPECT_EQ(ended, Names{"a"});
  const auto second = reads.next_round(at(1));
  ASSERT_TRUE(second);
  reads.read_point(*second, 7, at(2));
  EXPECT_EQ(ended, (Names{"a", "late"}));
}

TEST_F(ReadBatcherTest, ARefusedRoundIsAskedAgainAfterAPause) {
  add("a");
  const auto first = reads.next_round(at(0));
  reads.read_point(*first, 0, at(1));
  EXPECT_FALSE(reads.next_round(at(10)));
  const auto second = reads.next_round(at(11));
  ASSERT_TRUE(second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(reads.repeated(), 1u);
}

TEST_F(ReadBatcherTest, TheAnswerToALostRoundIsNotUsed) {
  add("a");
  const auto first = reads.next_round(at(0));
  reads.expire(at(99));
  EXPECT_FALSE(reads.next_round(at(99)));
  reads.expire(at(100));
  ASSERT_TRUE(reads.next_round(at(100)));
  reads.applied(100, at(101));
  reads.read_point(*first, 7, at(101));
  EXPECT_TRUE(ended.empty());
}

TEST_F(ReadBatcherTest, ARoundUsedLateGetsASecondLook) {
  add("a");
  const auto first = reads.next_round(at(0));
  reads.read_point(*first, 7, at(1));
  // The process was paused here.
  reads.applied(7, at(201));
  EXPECT_TRUE(ended.empty());
  const auto second = reads.next_round(at(201));
  ASSERT_TRUE(second);
  reads.read_point(*second, 7, at(202));
  EXPECT_EQ(ended, Names{"a"});
}

TEST_F(ReadBatcherTest, ThereIsNoThirdLook) {
  add("a");
  reads.read_point(*reads.next_round(at(0)), 7, at(1));
  reads.applied(7, at(300));
  reads.read_point(*reads.next_round(at(300)), 9, at(301));
  reads.applied(9, at(900));
  EXPECT_EQ(ended, Names{"a"});
}

TEST_F(ReadBatcherTest, DeadlinesEndReadsWhereverTheyWait) {
  add("confirmed", 50);
  reads.read_point(*reads.next_round(at(0)), 7, at(1));
  add("asked", 60);
  ASSERT_TRUE(reads.next_round(at(2)));
  add("queued", 70);
  EXPECT_EQ(reads.waiting(), 3u);
  reads.expire(at(70));
  EXPECT_EQ(ended, (Names{"queued!deadline_exceeded", "asked!deadline_exceeded",
                          "confirmed!deadline_exceeded"}));
  EXPECT_EQ(reads.waiting(), 0u);
}

}  // namespace
}  // namespace mainstay::gateway
