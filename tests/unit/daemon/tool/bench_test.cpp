#include <boost/json.hpp>

#include "runtime/daemon/tool/histogram.hpp"
#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
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

using BenchTest = ToolTest;

TEST_F(BenchTest, KeepsTheRateAndCountsEveryAnswer) {
  const Ran ran = tool({"bench", "c", "--rate", "500", "--duration", "200ms", "--reads", "20",
                        "--keys", "10", "--json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto result = boost::json::parse(ran.out);
  EXPECT_EQ(result.at("answered"), 100);
  EXPECT_EQ(result.at("failed"), 0);
  EXPECT_GT(result.at("latency").at("max_us").as_int64(), 0);
  std::int64_t sum = 0;
  for (const auto& band : result.at("histogram").as_array()) sum += band.at("count").as_int64();
  EXPECT_EQ(sum, 100);
  EXPECT_GT(node_.backend.commands.size(), 50U);
}

TEST_F(BenchTest, RefusalsAreFailuresAndAStallIsNotHidden) {
  node_.backend.refusal = Error{Errc::storage_full, "planted"};
  const Ran ran = tool({"bench", "c", "--rate", "100", "--duration", "100ms"});
  EXPECT_NE(ran.code, 0);
  EXPECT_EQ(tool({"bench", "undeclared"}).code, 5) << "the read of the collection is refused first";
  node_.backend.refusal.reset();
  EXPECT_EQ(tool({"bench", "undeclared"}).code, 3);
}

}  // namespace
}  // namespace mainstay::tool
