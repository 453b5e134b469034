// What happens when the disk lies (promise P7): the process stops. The simulator replaces the
// handler to stop only the simulated node.
#pragma once

#include <functional>

#include "runtime/base/result.hpp"

namespace mainstay::store {

// Must not return: ends the process, or throws in the simulator.
using FatalHandler = std::function<void(const Error&)>;

// Logs the error and ends the process at once, without destructors.
FatalHandler stop_process();

}  // namespace mainstay::store
