#include "actors/kit/credit.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::kit {
namespace {

TEST(Credit, refuses_beyond_the_limit_and_counts_it) {
  Credit credit{10, 5};
  EXPECT_TRUE(credit.take(8));
  EXPECT_FALSE(credit.take(3));
  EXPECT_EQ(credit.used(), 8u);
  EXPECT_EQ(credit.refused(), 1u);
}

TEST(Credit, stays_congested_until_use_has_fallen_to_the_resume_mark) {
  Credit credit{10, 5};
  EXPECT_TRUE(credit.take(10));
  EXPECT_TRUE(credit.congested());
  credit.give(4);
  EXPECT_TRUE(credit.congested());
  credit.give(1);
  EXPECT_FALSE(credit.congested());
}

TEST(Credit, an_item_larger_than_the_limit_passes_alone) {
  Credit credit{10, 5};
  EXPECT_TRUE(credit.take(25));
  EXPECT_FALSE(credit.take(1));
  credit.give(25);
  EXPECT_TRUE(credit.take(1));
}

TEST(Credit, never_holds_more_than_the_limit_and_one_item) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint8_t>& sizes) {
    Credit credit{100, 50};
    std::size_t model = 0;
    for (std::uint8_t size : sizes) {
      if (size % 3 == 0 && model >= size) {
        credit.give(size);
        model -= size;
      } else if (credit.take(size)) {
        model += size;
      }
      RC_ASSERT(credit.used() == model);
      RC_ASSERT(model <= 100 + 255);
    }
  }));
}

TEST(BoundedQueue, is_bounded_by_items_and_by_units_and_keeps_order) {
  BoundedQueue<std::string> queue{2, 10};
  EXPECT_TRUE(queue.push("a", 4));
  EXPECT_FALSE(queue.push("too many units", 7));
  EXPECT_TRUE(queue.push("b", 6));
  EXPECT_FALSE(queue.push("too many items", 0));
  EXPECT_EQ(queue.pop(), "a");
  EXPECT_EQ(queue.pop(), "b");
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_EQ(queue.units(), 0u);
}

TEST(BoundedQueue, holds_items_that_can_only_be_moved) {
  BoundedQueue<std::unique_ptr<int>> queue{1, 1};
  EXPECT_TRUE(queue.push(std::make_unique<int>(7), 1));
  EXPECT_EQ(**queue.pop(), 7);
}

}  // namespace
}  // namespace mainstay::kit
