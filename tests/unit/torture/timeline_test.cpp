#include "runtime/torture/timeline.hpp"

#include <gtest/gtest.h>

namespace mainstay::torture {
namespace {

class TimelineTest : public ::testing::Test {
 protected:
  static MonotonicTime at(std::int64_t ms) { return MonotonicTime{Millis{1'000'000 + ms}}; }
  void write(std::int64_t began, std::int64_t ended) {
    timeline_.ended(at(began), at(ended), true, true);
  }

  Timeline timeline_{at(0)};
};

TEST_F(TimelineTest, ARequestWithoutAnAnswerInTimeIsLate) {
  write(0, 999);
  write(0, 1001);
  timeline_.ended(at(1000), at(1100), false, false);
  EXPECT_EQ(timeline_.requests(), 3U);
  EXPECT_EQ(timeline_.late(), 2U);
  ASSERT_EQ(timeline_.seconds().size(), 2U);
  EXPECT_EQ(timeline_.seconds()[0].late, 0U);
  EXPECT_EQ(timeline_.seconds()[1].late, 2U);
}

TEST_F(TimelineTest, AGapLiesBetweenAcknowledgedWritesOfAnybody) {
  for (std::int64_t ms = 0; ms <= 2000; ms += 10) write(ms, ms + 1);
  timeline_.ended(at(2100), at(2200), true, false);  // a read ends no gap
  write(2400, 2751);
  write(2751, 2760);
  ASSERT_EQ(timeline_.gaps().size(), 1U);
  EXPECT_EQ(timeline_.gaps()[0].lasted, Millis{750});
  EXPECT_EQ(timeline_.longest_gap(Millis{2500}, Millis{2600}), Millis{750});
  EXPECT_EQ(timeline_.longest_gap(Millis{0}, Millis{1900}), Millis{0});
  EXPECT_EQ(timeline_.longest_request(Millis{2000}, Millis{2999}), Millis{351});
}

TEST(BandsTest, AQuantileIsTooHighByAFifthAtMost) {
  Bands bands;
  for (int i = 1; i <= 1000; ++i) bands.add(Micros{i * 100});
  EXPECT_GE(bands.quantile(0.5), Micros{50'000});
  EXPECT_LE(bands.quantile(0.5), Micros{60'000});
  EXPECT_GE(bands.quantile(0.99), Micros{99'000});
  EXPECT_EQ(bands.quantile(1), Micros{100'000});
  EXPECT_EQ(bands.max(), Micros{100'000});
  EXPECT_EQ(Bands{}.quantile(0.5), Micros{0});
}

}  // namespace
}  // namespace mainstay::torture
