#include "actors/gateway/revision_waiters.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mainstay::gateway {
namespace {

using Late = RevisionWaiters::Late;

MonotonicTime at(int millis) {
  return MonotonicTime{Millis{millis}};
}

class RevisionWaitersTest : public ::testing::Test {
 protected:
  void add(const std::string& name, record::Revision after, int deadline = 1000,
           Late late = Late::told) {
    waiters->add(after, at(deadline), late, handler(name));
  }
  RevisionHandler handler(const std::string& name) {
    return [this, name](Result<record::Revision> revision) {
      ended.push_back(name + (revision ? "=" + std::to_string(*revision)
                                       : "!" + std::string{to_string(revision.error().code)}));
    };
  }

  using Names = std::vector<std::string>;
  Names ended;
  std::optional<RevisionWaiters> waiters{std::in_place};
};

TEST_F(RevisionWaitersTest, OneRevisionEndsAllThatItSatisfies) {
  add("a", 3);
  add("b", 4);
  add("c", 5);
  waiters->applied(3);
  EXPECT_EQ(ended, Names{});
  waiters->applied(5);
  EXPECT_EQ(ended, (Names{"a=5", "b=5"}));
  EXPECT_EQ(waiters->waiting(), 1u);
}

TEST_F(RevisionWaitersTest, WhatIsThereAlreadyIsToldAtOnce) {
  waiters->applied(7);
  add("a", 6);
  EXPECT_EQ(ended, Names{"a=7"});
  add("b", 7);
  EXPECT_EQ(waiters->waiting(), 1u);
}

TEST_F(RevisionWaitersTest, AtItsDeadlineAFeedIsToldTheNewestAndAReadFails) {
  waiters->applied(7);
  add("feed", 9, 100);
  add("read", 9, 100, Late::failed);
  add("later", 9, 200);
  waiters->expire(at(99));
  EXPECT_EQ(ended, Names{});
  waiters->expire(at(100));
  EXPECT_EQ(ended, (Names{"feed=7", "read!deadline_exceeded"}));
  EXPECT_EQ(waiters->waiting(), 1u);
}

TEST_F(RevisionWaitersTest, WhoeverWaitsAgainFromWithinIsCalledOnceForARevision) {
  waiters->add(0, at(1000), Late::told, [this](Result<record::Revision> revision) {
    ended.push_back("first=" + std::to_string(*revision));
    add("second", *revision);
  });
  waiters->applied(4);
  EXPECT_EQ(ended, Names{"first=4"});
  waiters->applied(5);
  EXPECT_EQ(ended, (Names{"first=4", "second=5"}));
}

TEST_F(RevisionWaitersTest, ANodeThatStopsEndsFeedsAndKeepsReads) {
  add("feed", 9);
  add("read", 9, 1000, Late::failed);
  waiters->end_feeds();
  EXPECT_EQ(ended, Names{"feed!not_ready"});
  waiters->applied(10);
  EXPECT_EQ(ended, (Names{"feed!not_ready", "read=10"}));
}

TEST_F(RevisionWaitersTest, TheDestructorLeavesNobodyWaiting) {
  add("a", 1);
  waiters.reset();
  EXPECT_EQ(ended, Names{"a!not_ready"});
}

}  // namespace
}  // namespace mainstay::gateway
