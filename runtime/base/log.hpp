// The log facade; the only place behind which spdlog stands. A line is an event: a level, the
// component, what happened with its values. Thread-safe. Never logs record values or secrets.
#pragma once

#include <string_view>

#include <fmt/format.h>

namespace mainstay {

enum class LogLevel { debug, info, warn, error };

struct LogOptions {
  LogLevel level = LogLevel::info;
  bool json = false;  // one JSON object a line instead of text
};

// Sets level and form; call once at start, before other threads log. Without it: info, text,
// standard error.
void start_logging(const LogOptions& options);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view component, std::string_view text);

// log_info("replica", "leads term {} with {} voters", term, voters);
template <class... Args>
void log_at(LogLevel level, std::string_view component, fmt::format_string<Args...> format,
            Args&&... args) {
  if (log_enabled(level))
    log_line(level, component, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void log_debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::debug, component, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::info, component, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warn(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::warn, component, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::error, component, format, std::forward<Args>(args)...);
}

}  // namespace mainstay
