#include "actors/adapters/tryton/position.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::adapters::tryton {
namespace {

TEST(TrytonPosition, ComesBackAsItWasWritten) {
  Position position;
  position.turn = 2;
  ModelPosition& sales = position.models["sale.sale"];
  sales = {.watermark = "2026-11-28T06:37:00.000001Z",
           .after = 17,
           .high = "2026-11-28T06:38:00.000000Z",
           .seen = {{17, {"1795.25/3/1796.5", "2026-11-28T06:37:00.000001Z"}}},
           .swept = {{0, {"0a1b2c3d", "1-17,19"}}}};
  position.sweep = {
      .model = "production", .block = 3, .skip = 5, .hash = "ab", .due_ms = 1'795'369'388'606};
  const std::string text = to_text(position);
  const auto again = parse_position(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(to_text(*again), text);
  EXPECT_EQ(again->models.at("sale.sale").seen.at(17).version, "1795.25/3/1796.5");
  EXPECT_EQ(again->sweep.due_ms, 1'795'369'388'606U);
}

TEST(TrytonPosition, TheBeginningIsEmptyAndAnothersIsRefused) {
  ASSERT_TRUE(parse_position(""));
  EXPECT_FALSE(parse_position("{}"));
  EXPECT_FALSE(parse_position("0/16B3748"));
}

TEST(TrytonPosition, IdsAsRanges) {
  const Ids some{1, 2, 3, 7, 9, 10};
  EXPECT_EQ(to_ranges(some), "1-3,7,9-10");
  EXPECT_EQ(from_ranges("1-3,7,9-10"), some);
  EXPECT_EQ(to_ranges({}), "");
  EXPECT_TRUE(from_ranges("").empty());
}

}  // namespace
}  // namespace mainstay::adapters::tryton
