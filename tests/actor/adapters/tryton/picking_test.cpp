#include "actors/adapters/tryton/picking.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::adapters::tryton {
namespace {

constexpr Id pump = 1, valve = 2, bin_a = 11, bin_b = 12, dock = 20;

Pick picked(Id product, Id bin, int quantity) {
  return {.product = product, .item = "X", .bin = bin, .lot = 0, .quantity = Decimal{quantity, 0}};
}
InventoryMove there(Id id, Id product, Id bin, int quantity, Id origin) {
  return {.id = id,
          .product = product,
          .unit = 1,
          .bin = bin,
          .lot = 0,
          .quantity = Decimal{quantity, 0},
          .origin = origin,
          .to = dock,
          .state = "assigned"};
}

TEST(TrytonPicking, AShortPickLowersTheMoveThatIsThere) {
  const auto moves =
      allocate({picked(valve, bin_a, 8)},
               {{.move = 5, .product = valve, .unit = 1, .quantity = Decimal{10, 0}}},
               {there(9, valve, bin_b, 10, 5)});
  ASSERT_TRUE(moves);
  ASSERT_EQ(moves->size(), 1U);
  EXPECT_EQ(moves->front().id, 9);
  EXPECT_EQ(moves->front().bin, bin_a);
  EXPECT_EQ(moves->front().quantity, (Decimal{8, 0}));
}

TEST(TrytonPicking, OneItemOnTwoLinesFromTwoBins) {
  const auto moves = allocate({picked(pump, bin_a, 3), picked(pump, bin_b, 4)},
                              {{.move = 5, .product = pump, .unit = 1, .quantity = Decimal{5, 0}},
                               {.move = 6, .product = pump, .unit = 1, .quantity = Decimal{2, 0}}},
                              {there(9, pump, bin_a, 5, 5), there(10, pump, bin_a, 2, 6)});
  ASSERT_TRUE(moves);
  ASSERT_EQ(moves->size(), 3U);  // 3 of A and 2 of B for the first line, 2 of B for the second
  EXPECT_EQ((*moves)[0].id, 9);
  EXPECT_EQ((*moves)[1].id, 0);
  EXPECT_EQ((*moves)[1].origin, 5);
  EXPECT_EQ((*moves)[1].to, dock);
  EXPECT_EQ((*moves)[2].id, 10);
  EXPECT_EQ((*moves)[2].bin, bin_b);
}

TEST(TrytonPicking, MoreThanIsWantedIsRefused) {
  EXPECT_FALSE(allocate({picked(pump, bin_a, 6)},
                        {{.move = 5, .product = pump, .unit = 1, .quantity = Decimal{5, 0}}}, {}));
  EXPECT_FALSE(allocate({picked(pump, bin_a, 1)}, {}, {}));
}

TEST(TrytonPicking, WhatFitsIsLeftAlone) {
  const std::vector<InventoryMove> present{there(9, pump, bin_a, 3, 5),
                                           there(10, pump, bin_a, 2, 6)};
  EXPECT_TRUE(fits({picked(pump, bin_a, 5)}, present));
  EXPECT_TRUE(fits({picked(pump, 0, 5)}, present));
  EXPECT_TRUE(fits({picked(pump, bin_a, 5), picked(valve, bin_a, 0)}, present));
  EXPECT_FALSE(fits({picked(pump, bin_b, 5)}, present));
  EXPECT_FALSE(fits({picked(pump, bin_a, 4)}, present));
  EXPECT_FALSE(fits({}, present));
}

}  // namespace
}  // namespace mainstay::adapters::tryton
