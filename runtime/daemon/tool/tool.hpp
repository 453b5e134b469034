// The command-line tool `mainstay`: looks at a cluster, reads and writes records, changes members,
// makes certificates.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/config/config.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::tool {

// What the tool touches of the world; a test gives its own.
struct World {
  std::istream& in;
  std::ostream& out;  // results
  std::ostream& err;  // what went wrong
  const config::Settings environment;
  const sys::Clock& clock;
  Random& random;         // for operation ids
  bool terminal = false;  // `out` is one: `status --watch` clears it
};

// `arguments` without the program's name. Returns the exit code: 0, or the one of the Errc
// (docs/errors.md).
int run(const std::vector<std::string>& arguments, const World& world, const std::string& version);

}  // namespace mainstay::tool
