#include "actors/peer_link/link.hpp"

#include <gtest/gtest.h>

namespace mainstay::peer_link {
namespace {

TEST(Flow, sends_until_its_limit_and_again_when_the_peer_has_taken_half) {
  Flow flow{1000};
  EXPECT_TRUE(flow.send(600));
  EXPECT_FALSE(flow.send(600));
  EXPECT_TRUE(flow.credit.congested());
  flow.taken(99);
  EXPECT_TRUE(flow.credit.congested());
  flow.taken(100);
  EXPECT_FALSE(flow.credit.congested());
  EXPECT_TRUE(flow.send(400));
}

TEST(Flow, ignores_totals_that_cannot_be) {
  Flow flow{1000};
  EXPECT_TRUE(flow.send(500));
  flow.taken(501);  // more than was sent
  EXPECT_EQ(flow.credit.used(), 500u);
  flow.taken(300);
  flow.taken(200);  // going back
  EXPECT_EQ(flow.credit.used(), 200u);
}

TEST(Flow, tells_the_sender_after_an_eighth_of_the_credit) {
  Flow flow{800};
  flow.received = 99;
  EXPECT_FALSE(flow.must_tell());
  flow.received = 100;
  EXPECT_TRUE(flow.must_tell());
  flow.told = 100;
  EXPECT_FALSE(flow.must_tell());
}

TEST(Flow, a_new_connection_begins_at_nothing) {
  Flow flow{1000};
  EXPECT_TRUE(flow.send(1000));
  flow.restart();
  EXPECT_EQ(flow.credit.used(), 0u);
  EXPECT_TRUE(flow.send(1000));
  flow.taken(1000);
  EXPECT_EQ(flow.credit.used(), 0u);
}

}  // namespace
}  // namespace mainstay::peer_link
