// Randomness of the world: what identities are drawn from, and what seeds a node's own generators.
#pragma once

#include "runtime/base/random.hpp"

namespace mainstay::sys {

// The operating system's generator (getrandom). Thread-safe; lives for the whole process. Every
// call is a system call: for identities and seeds, not for streams of numbers.
Random& system_random();

}  // namespace mainstay::sys
