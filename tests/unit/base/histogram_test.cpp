#include "runtime/base/histogram.hpp"

#include <gtest/gtest.h>

namespace mainstay {
namespace {

TEST(Histogram, QuantilesAreWithinItsPrecision) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0U);
  for (std::uint64_t i = 1; i <= 100'000; ++i) histogram.record(i);
  for (const double share : {0.01, 0.5, 0.9, 0.999}) {
    const double exact = share * 100'000;
    EXPECT_NEAR(static_cast<double>(histogram.quantile(share)), exact, exact / 64 + 1) << share;
  }
  EXPECT_EQ(histogram.max(), 100'000U);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50'000.5);
  histogram.record(~std::uint64_t{0} / 2);  // far beyond the last step
  EXPECT_GT(histogram.quantile(1), 1ULL << 40);
}

TEST(Histogram, BandsHaveNoGaps) {
  Histogram histogram;
  for (const std::uint64_t value : {0, 1, 3, 70, 70, 1000}) histogram.record(value);
  std::uint64_t sum = 0, next = 1;
  for (const Histogram::Band& band : histogram.bands()) {
    EXPECT_EQ(band.from, next);
    EXPECT_EQ(band.to, 2 * band.from);
    next = band.to;
    sum += band.count;
  }
  EXPECT_EQ(sum, 6U);
  EXPECT_EQ(histogram.bands().front().count, 2U) << "0 and 1";
  EXPECT_EQ(histogram.bands().back().from, 512U);
}

TEST(Histogram, TwoTogetherAreOneOfAllValues) {
  Histogram low, high, all;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    (i <= 700 ? low : high).record(i);
    all.record(i);
  }
  low.merge(high);
  EXPECT_EQ(low.total(), all.total());
  EXPECT_EQ(low.max(), all.max());
  EXPECT_DOUBLE_EQ(low.mean(), all.mean());
  for (const double share : {0.1, 0.69, 0.71, 1.0})
    EXPECT_EQ(low.quantile(share), all.quantile(share)) << share;
}

}  // namespace
}  // namespace mainstay
