// The command line of mainstayd: --config FILE, a flag for every option, --check-config,
// --example-config, --help, --version.
#pragma once

#include <string>
#include <vector>

#include "runtime/config/config.hpp"

namespace mainstay::config {

// What the command line asks for: to run with a configuration, or only to print something and exit.
struct Invocation {
  bool run = false;
  Loaded loaded;       // run only
  std::string output;  // otherwise: for standard output, or standard error if exit_code is not 0
  int exit_code = 0;
};

// `arguments` without the program's name; `environment` as name and value. Reads the file named by
// --config or MAINSTAY_CONFIG.
Invocation parse_command_line(const std::vector<std::string>& arguments,
                              const Settings& environment, const std::string& version);

// The environment of this process.
Settings process_environment();

}  // namespace mainstay::config
