#include <csignal>
#include <iostream>

#include <unistd.h>

#include "runtime/config/command_line.hpp"
#include "runtime/daemon/tool/tool.hpp"
#include "runtime/sys/random.hpp"

int main(int count, char** arguments) {
  using namespace mainstay;
  std::signal(SIGPIPE, SIG_DFL);  // `mainstay list … | head` ends quietly
  const std::vector<std::string> words{arguments + (count > 0 ? 1 : 0), arguments + count};
  const tool::World world{std::cin,
                          std::cout,
                          std::cerr,
                          config::process_environment(),
                          sys::system_clock(),
                          sys::system_random(),
                          ::isatty(STDOUT_FILENO) == 1,
                          ::isatty(STDERR_FILENO) == 1};
  return tool::run(words, world, MAINSTAY_VERSION);
}
