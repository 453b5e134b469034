#include "actors/admin/admin_requests.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace mainstay::admin {
namespace {

using Kind = wire::AdminRequest::Kind;

MonotonicTime at(int millis) {
  return MonotonicTime{Millis{millis}};
}

wire::AdminReply reply_to(const wire::AdminRequest& request, bool done,
                          Errc refused = Errc::internal) {
  wire::AdminReply reply;
  reply.id = request.id;
  reply.done = done;
  reply.refused = refused;
  reply.message = "because";
  return reply;
}

class AdminRequestsTest : public ::testing::Test {
 protected:
  wire::AdminRequest add(Kind kind = Kind::remove_member) {
    wire::AdminRequest request;
    request.kind = kind;
    request.member.id = NodeId{3};
    requests.add(request, at(1000), [this](Result<std::string> result) {
      ended.push_back(result ? *result : "!" + std::string{to_string(result.error().code)});
    });
    return requests.due(at(0)).at(0);
  }

  std::vector<std::string> ended;
  AdminRequests requests{100};
};

TEST_F(AdminRequestsTest, IsSentOnceAndAnswered) {
  const auto sent = add();
  EXPECT_EQ(sent.id, 100u);
  EXPECT_TRUE(requests.due(at(10)).empty());
  requests.answered(reply_to(sent, true), at(11));
  EXPECT_EQ(ended, std::vector<std::string>{"node 3 is not a member"});
  EXPECT_TRUE(requests.empty());
}

TEST_F(AdminRequestsTest, WhatTimeMayCureIsTriedAgain) {
  const auto sent = add();
  requests.answered(reply_to(sent, false, Errc::not_leader), at(10));
  EXPECT_TRUE(requests.due(at(59)).empty());
  EXPECT_EQ(requests.due(at(60)).size(), 1u);
  EXPECT_TRUE(ended.empty());
}

TEST_F(AdminRequestsTest, SilenceIsFollowedByAnotherTry) {
  add();
  EXPECT_TRUE(requests.due(at(999)).empty());
  EXPECT_EQ(requests.due(at(1000)).size(), 1u);
}

TEST_F(AdminRequestsTest, ARefusalThatStaysIsTheAnswer) {
  const auto sent = add();
  requests.answered(reply_to(sent, false, Errc::invalid_argument), at(10));
  EXPECT_EQ(ended, std::vector<std::string>{"!invalid_argument"});
}

TEST_F(AdminRequestsTest, AFailedTransferIsNotTriedAgain) {
  const auto sent = add(Kind::transfer);
  requests.answered(reply_to(sent, false, Errc::conflict), at(10));
  EXPECT_EQ(ended, std::vector<std::string>{"!conflict"});
}

TEST_F(AdminRequestsTest, ADeadlineEndsIt) {
  add();
  requests.expire(at(999));
  EXPECT_TRUE(ended.empty());
  requests.expire(at(1000));
  EXPECT_EQ(ended, std::vector<std::string>{"!outcome_unknown"});
}

TEST_F(AdminRequestsTest, AnswersToNobodyAreDropped) {
  const auto sent = add();
  requests.answered(reply_to(sent, true), at(1));
  requests.answered(reply_to(sent, true), at(2));
  EXPECT_EQ(ended.size(), 1u);
}

TEST(AdminRequestsEndTest, TheDestructorLeavesNobodyWaiting) {
  std::string ended;
  {
    AdminRequests requests{1};
    requests.add({}, at(1000),
                 [&ended](Result<std::string> result) { ended = to_string(result.error().code); });
  }
  EXPECT_EQ(ended, "not_ready");
}

}  // namespace
}  // namespace mainstay::admin
