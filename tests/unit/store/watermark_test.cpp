#include "runtime/store/watermark.hpp"

#include <gtest/gtest.h>

namespace mainstay::store {
namespace {

constexpr StoreUsage nothing{0, 0, 1'000'000};

TEST(Watermark, FallsBelowMinAndRecoversAboveResume) {
  Watermark mark{100, 150};
  EXPECT_FALSE(mark.update(100, nothing, nothing));
  EXPECT_TRUE(mark.update(99, nothing, nothing));
  EXPECT_TRUE(mark.update(149, nothing, nothing));
  EXPECT_FALSE(mark.update(150, nothing, nothing));
  EXPECT_FALSE(mark.update(100, nothing, nothing));
}

TEST(Watermark, CountsWhatBothFilesCanReuse) {
  const StoreUsage roomy{100, 1000, 1'000'000};
  const StoreUsage tight{990, 1000, 1'000'000};
  EXPECT_EQ(Watermark::left(50, roomy, roomy), 950U);
  EXPECT_EQ(Watermark::left(50, roomy, tight), 60U);
  Watermark mark{100, 150};
  EXPECT_FALSE(mark.update(50, roomy, roomy));
  EXPECT_TRUE(mark.update(50, roomy, tight)) << "a write needs room in both";
}

TEST(Watermark, KeepsSomeOfTheDiskWhateverCanBeReused) {
  const StoreUsage roomy{0, 100'000, 1'000'000};
  Watermark mark{100, 152};
  EXPECT_FALSE(mark.update(25, roomy, roomy));
  EXPECT_TRUE(mark.update(24, roomy, roomy));
  EXPECT_TRUE(mark.update(37, roomy, roomy));
  EXPECT_FALSE(mark.update(38, roomy, roomy));
}

TEST(Watermark, AFullMapIsAFullDisk) {
  Watermark mark{100, 150};
  const auto filled = [](std::uint64_t used) { return StoreUsage{used, used, 1'000'000}; };
  EXPECT_FALSE(mark.update(10'000, filled(790'000), nothing));
  EXPECT_TRUE(mark.update(10'000, filled(810'000), nothing));
  EXPECT_TRUE(mark.update(10'000, filled(750'000), nothing));
  EXPECT_FALSE(mark.update(10'000, filled(690'000), nothing));
  EXPECT_TRUE(mark.update(10'000, nothing, filled(810'000)));
}

}  // namespace
}  // namespace mainstay::store
