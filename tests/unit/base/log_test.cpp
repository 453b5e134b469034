#include "runtime/base/log.hpp"

#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace mainstay {
namespace {

// Runs `lines` with logging started as said and gives back what went to standard error.
template <class Lines>
std::string logged(const LogOptions& options, Lines lines) {
  start_logging(options);
  testing::internal::CaptureStderr();
  lines();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, ShowsLevelComponentAndText) {
  const std::string text = logged(
      {LogLevel::info, false}, [] { log_info("replica", "leads term {} with {} voters", 7, 3); });
  EXPECT_NE(text.find("replica"), std::string::npos) << text;
  EXPECT_NE(text.find("leads term 7 with 3 voters\n"), std::string::npos) << text;
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  const std::string text = logged({LogLevel::warn, false}, [] {
    EXPECT_FALSE(log_enabled(LogLevel::info));
    log_debug("test", "debug line");
    log_info("test", "info line");
    log_warn("test", "warn line");
    log_error("test", "error line");
  });
  EXPECT_EQ(text.find("debug line"), std::string::npos) << text;
  EXPECT_EQ(text.find("info line"), std::string::npos) << text;
  EXPECT_NE(text.find("warn line"), std::string::npos) << text;
  EXPECT_NE(text.find("error line"), std::string::npos) << text;
}

TEST(Log, AsJsonIsOneValidObjectALineWhateverTheTextHolds) {
  const std::string text = logged(
      {LogLevel::info, true}, [] { log_warn("http", "key '{}' is refused", "a\"b\\c\n{}\x01"); });
  ASSERT_EQ(text.find('\n'), text.size() - 1) << text;
  const auto line = boost::json::parse(text).as_object();
  EXPECT_EQ(line.at("component").as_string(), "http");
  EXPECT_EQ(line.at("message").as_string(), "key 'a\"b\\c\n{}\x01' is refused");
  EXPECT_EQ(line.at("level").as_string(), "warning");
  EXPECT_EQ(line.at("time").as_string().size(),
            std::string_view{"2026-01-31T12:34:56.789Z"}.size());
}

TEST(Log, GoesBackFromJsonToText) {
  logged({LogLevel::info, true}, [] { log_info("test", "json"); });
  const std::string text = logged({LogLevel::info, false}, [] { log_info("test", "plain"); });
  EXPECT_NE(text.find("plain\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('{'), std::string::npos) << text;
}

}  // namespace
}  // namespace mainstay
