#include <boost/json.hpp>

#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
namespace {

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
