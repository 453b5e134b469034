#include "runtime/api/times.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::api {
namespace {

TEST(Times, AreWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_text(1'700'000'000'123), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(time_text(951'782'400'000), "2000-02-29T00:00:00.000Z");
}

TEST(Times, AreReadWithAndWithoutAFraction) {
  EXPECT_EQ(millis_of_time("2023-11-14T22:13:20Z"), 1'700'000'000'000U);
  EXPECT_EQ(millis_of_time("2023-11-14T22:13:20.5Z"), 1'700'000'000'500U);
  EXPECT_EQ(millis_of_time("2023-11-14T22:13:20.123Z"), 1'700'000'000'123U);
}

TEST(Times, ThatAreNoneAreRefused) {
  for (const char* text :
       {"", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20+01:00",
        "2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-00T00:00:00Z",
        "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z", "2023-01-01T00:00:60Z",
        "1969-12-31T23:59:59Z", "2023-01-01T00:00:00.1234Z", "2023-01-01T00:00:00.Z",
        "2023-01-01 00:00:00Z", "20230101T000000Z1234", "-023-01-01T00:00:00Z"})
    EXPECT_FALSE(millis_of_time(text)) << text;
}

TEST(Times, ComeBackAsTheyWere) {
  EXPECT_TRUE(rc::check("a time that was written is read as the same", [] {
    const auto millis = *rc::gen::inRange<std::uint64_t>(0, 253'402'300'800'000);
    RC_ASSERT(millis_of_time(time_text(millis)).value() == millis);
  }));
}

}  // namespace
}  // namespace mainstay::api
