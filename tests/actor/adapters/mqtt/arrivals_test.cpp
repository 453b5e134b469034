#include "actors/adapters/mqtt/arrivals.hpp"

#include <gtest/gtest.h>

namespace mainstay::adapters::mqtt {
namespace {

integration::RawMessage named(const char* id) {
  integration::RawMessage message;
  message.id = id;
  return message;
}

ArrivalPosition position_of(const integration::Page& page) {
  return parse_arrival_position(page.position).value();
}

TEST(Arrivals, ComeAgainUntilTheyAreAcknowledged) {
  Arrivals arrivals{"life"};
  for (const char* id : {"a", "b", "c"}) arrivals.add(named(id), {"acks", id});
  const auto first = arrivals.page_after({}, {}, 2);
  EXPECT_EQ(first.messages.size(), 2u);
  EXPECT_TRUE(first.more);
  EXPECT_EQ(arrivals.page_after({}, {}, 2).position, first.position);
  const auto second = arrivals.page_after(position_of(first), {}, 2);
  EXPECT_EQ(second.messages.at(0).id, "c");
  EXPECT_FALSE(second.more);
  const auto published = arrivals.acknowledge(position_of(first));
  ASSERT_EQ(published.size(), 2u);
  EXPECT_EQ(published[1].payload, "b");
  EXPECT_TRUE(arrivals.acknowledge(position_of(first)).empty());
  EXPECT_EQ(arrivals.size(), 1u);
  EXPECT_FALSE(arrivals.any_after(position_of(second)));
}

TEST(Arrivals, APositionOfAnotherLifeTakesNothingAway) {
  Arrivals arrivals{"new"};
  arrivals.add(named("a"));
  const ArrivalPosition old{"old", 99, {}};
  EXPECT_TRUE(arrivals.any_after(old));
  EXPECT_TRUE(arrivals.acknowledge(old).empty());
  EXPECT_EQ(arrivals.page_after(old, {}, 5).messages.size(), 1u);
}

TEST(Arrivals, ThePositionKeepsTheSessions) {
  const Sessions sessions{{"p/e", {3, 1'764'321'000'000, true}}, {"p/f", {255, 1, false}}};
  const auto read = parse_arrival_position(to_string(ArrivalPosition{"life", 12, sessions}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sessions, sessions);
  EXPECT_EQ(read->number, 12u);
  EXPECT_TRUE(parse_arrival_position("").value().life.empty());
  for (const char* wrong : {"x", "[]", R"({"life":"a","n":1})", R"({"life":"a","n":-1,"nodes":{}})",
                            R"({"life":"a","n":1,"nodes":{"p/e":[1]}})"})
    EXPECT_FALSE(parse_arrival_position(wrong)) << wrong;
}

}  // namespace
}  // namespace mainstay::adapters::mqtt
