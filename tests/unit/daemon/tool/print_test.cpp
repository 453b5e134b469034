#include "runtime/daemon/tool/print.hpp"

#include <sstream>

#include <gmock/gmock.h>

namespace mainstay::tool {
namespace {

TEST(Print, TablesHaveColumnsAsWideAsTheirCells) {
  EXPECT_EQ(table_text({{"A", "LONG"}, {"ünï", "x"}, {"", "y"}}), "A    LONG\nünï  x\n     y\n");
  EXPECT_EQ(table_text({}), "");
}

TEST(Print, SizesAndTimes) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(3ULL << 30), "3.0 GiB");
  EXPECT_EQ(size_text(5000ULL << 40), "5000.0 TiB");
  EXPECT_EQ(time_text(std::int64_t{0}), "1970-01-01T00:00:00Z");
}

TEST(Print, ProgressOnATerminalRedrawsItsLine) {
  std::ostringstream out;
  Progress progress{out, true, "records", 200};
  const MonotonicTime start{std::chrono::hours{1}};
  progress.show(50, 10, start);
  progress.show(60, 11, start + Millis{10});  // too soon
  progress.show(100, 20, start + Millis{300});
  progress.finish(40);
  EXPECT_EQ(out.str(),
            "\r[#######                       ]  25 % 10 records\x1b[K"
            "\r[###############               ]  50 % 20 records\x1b[K"
            "\r[##############################] 100 % 40 records\x1b[K\n");
}

TEST(Print, ProgressElsewhereIsALineNowAndThen) {
  std::ostringstream out;
  Progress progress{out, false, "records", 0};
  const MonotonicTime start{std::chrono::hours{1}};
  progress.show(0, 10, start);
  progress.show(0, 20, start + Millis{4000});
  progress.show(0, 30, start + Millis{6000});
  progress.finish(40);
  EXPECT_EQ(out.str(), "30 records\n");
}

}  // namespace
}  // namespace mainstay::tool
