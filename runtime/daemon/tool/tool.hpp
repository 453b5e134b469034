// The command-line tool `mainstay`: looks at a cluster, reads and writes records and ledgers,
// changes members, tokens and certificates, finds out what is wrong.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/config/config.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::tool {

// Lets this much time pass; the one place of the tool that does.
void wait_for(Millis time);

// What the tool touches of the world; a test gives its own.
struct World {
  std::istream& in;
  std::ostream& out;  // results
  std::ostream& err;  // what went wrong, and progress
  const config::Settings environment;
  const sys::Clock& clock;
  Random& random;             // for operation ids and tokens
  bool terminal = false;      // `out` is one: `status --watch` clears it
  bool err_terminal = false;  // `err` is one: progress is a bar
  std::function<void(Millis)> pause = wait_for;
};

// `arguments` without the program's name. Returns the exit code: 0, or the one of the Errc
// (docs/errors.md).
int run(const std::vector<std::string>& arguments, const World& world, const std::string& version);

}  // namespace mainstay::tool
