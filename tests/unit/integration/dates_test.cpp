#include "runtime/integration/dates.hpp"

#include <gtest/gtest.h>

namespace mainstay::integration {
namespace {

std::string date(std::string_view text, const std::string& pattern = "",
                 std::optional<int> offset = std::nullopt, bool date_only = false) {
  const DateForm form{pattern, offset, date_only};
  if (const auto good = check_form(form); !good) return "form: " + good.error().message;
  const auto made = date_text(text, form);
  return made ? *made : "refused: " + made.error().message;
}

TEST(Dates, TheStandardForm) {
  EXPECT_EQ(date("2026-11-22T22:47:05Z"), "2026-11-22T22:47:05Z");
  EXPECT_EQ(date("2026-11-22 22:47:05.120+02:00"), "2026-11-22T20:47:05.120Z");
  EXPECT_EQ(date("2026-12-31T23:30:00-01:00"), "2027-01-01T00:30:00Z");
  EXPECT_EQ(date("2026-11-22T22:47:05", "", 60), "2026-11-22T21:47:05Z");
  EXPECT_EQ(date("2026-11-22T22:47:05"),
            "refused: '2026-11-22T22:47:05' has no offset from UTC, and none is given");
  EXPECT_EQ(date("2026-11-22", "", std::nullopt, true), "2026-11-22");
  EXPECT_EQ(date("2026-11-22T23:59:59-05:00", "", std::nullopt, true), "2026-11-22")
      << "the date as it is written";
}

TEST(Dates, Patterns) {
  EXPECT_EQ(date("20261122", "%Y%m%d", std::nullopt, true), "2026-11-22");
  EXPECT_EQ(date("261122", "%y%m%d", std::nullopt, true), "2026-11-22");
  EXPECT_EQ(date("690101", "%y%m%d", std::nullopt, true), "1969-01-01");
  EXPECT_EQ(date("1.2.2026 9:05", "%d.%m.%Y %H:%M", 120), "2026-02-01T07:05:00Z");
  EXPECT_EQ(date("22-Nov-2026", "%d-%b-%Y", std::nullopt, true), "2026-11-22");
  EXPECT_EQ(date("2026-11-22T10:00:00.5+0530", "%Y-%m-%dT%H:%M:%S.%f%z"), "2026-11-22T04:30:00.5Z");
  EXPECT_EQ(date("0", "%s"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(date("1795388825", "%s"), "2026-11-22T23:07:05Z");
  EXPECT_EQ(date("1795388825007", "%Q"), "2026-11-22T23:07:05.007Z");
  EXPECT_EQ(date("%2026-11-22", "%%%Y-%m-%d", std::nullopt, true), "2026-11-22");
}

TEST(Dates, WhatIsNoDateIsRefused) {
  for (const char* text :
       {"", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T00:60:00Z", "2026-11-22T00:00:60Z", "2026-11-22T00:00:00.Z",
        "2026-11-22T00:00:00Zx", "2026-11-22T00:00:00+99:00", "22.11.2026",
        "2026-11-22T00:00:00.1234567890Z"})
    EXPECT_EQ(date(text).substr(0, 8), "refused:") << text;
  EXPECT_EQ(date("2026-11-22x", "%Y-%m-%d", 0).substr(0, 8), "refused:");
  EXPECT_EQ(date("2026-11", "%Y-%m-%d", 0).substr(0, 8), "refused:");
}

TEST(Dates, APatternThatCannotDoIsRefused) {
  EXPECT_EQ(date("x", "%q").substr(0, 5), "form:");
  EXPECT_EQ(date("x", "%Y-%m-%d %").substr(0, 5), "form:");
  EXPECT_EQ(date("x", "%Y-%m", 0).substr(0, 5), "form:");
  EXPECT_EQ(date("x", "%Y-%m-%d"),
            "form: the pattern has no %z: give the offset from UTC, such as \"+00:00\"");
  EXPECT_FALSE(offset_of("2"));
  EXPECT_EQ(offset_of("-05:30").value(), -330);
}

}  // namespace
}  // namespace mainstay::integration
