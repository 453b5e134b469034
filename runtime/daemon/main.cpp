// mainstayd: one node of a cluster. `mainstayd --help` lists the options.
#include <cstdio>

#include "runtime/base/log.hpp"
#include "runtime/config/command_line.hpp"
#include "runtime/daemon/daemon.hpp"
#include "runtime/daemon/signals.hpp"

namespace {

mainstay::LogLevel level_of(const std::string& name) {
  if (name == "debug") return mainstay::LogLevel::debug;
  if (name == "warn") return mainstay::LogLevel::warn;
  if (name == "error") return mainstay::LogLevel::error;
  return mainstay::LogLevel::info;
}

}  // namespace

int main(int argc, char** argv) {
  mainstay::daemon::take_signals();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto invocation = mainstay::config::parse_command_line(
      arguments, mainstay::config::process_environment(), MAINSTAY_VERSION);
  if (!invocation.run) {
    std::fputs(invocation.output.c_str(), invocation.exit_code == 0 ? stdout : stderr);
    return invocation.exit_code;
  }
  const mainstay::config::Config& config = invocation.loaded.config;
  mainstay::start_logging({level_of(config.log_level), config.log_format == "json"});
  for (const std::string& warning : invocation.loaded.warnings)
    mainstay::log_warn("config", "{}", warning);
  mainstay::daemon::Surroundings around;
  around.release = MAINSTAY_VERSION;
  return mainstay::daemon::run(config, around);
}
