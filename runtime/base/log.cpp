#include "runtime/base/log.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace mainstay {

namespace {

constexpr const char* text_pattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v";
constexpr const char* json_pattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

// Set once by start_logging before other threads exist; read-only afterwards.
bool json_lines = false;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = spdlog::stderr_color_mt("mainstay");
    made->set_pattern(text_pattern, spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::value(boost::json::string(text)));
}

}  // namespace

void start_logging(const LogOptions& options) {
  json_lines = options.json;
  logger().set_level(level_of(options.level));
  logger().set_pattern(json_lines ? json_pattern : text_pattern, spdlog::pattern_time_type::utc);
}

bool log_enabled(LogLevel level) {
  return logger().should_log(level_of(level));
}

void log_line(LogLevel level, std::string_view component, std::string_view text) {
  if (json_lines)
    logger().log(level_of(level), R"("component":{},"message":{})", quoted(component),
                 quoted(text));
  else
    logger().log(level_of(level), "{:<10} {}", component, text);
}

}  // namespace mainstay
