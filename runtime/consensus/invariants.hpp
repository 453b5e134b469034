// What must hold of a core at every moment, and of several cores together: asserted by the
// simulator after each event and by tests in their teardown. Each function answers the first
// violation as a sentence, or an empty string.
#pragma once

#include <string>
#include <vector>

#include "runtime/consensus/core.hpp"

namespace mainstay::consensus {

// One core at one moment.
std::string violation(const Status& status);

// The same core (one process life) before and after any inputs.
std::string violation(const Status& before, const Status& after);

// Cores of one group at one moment: at most one leader a term.
std::string violation(const std::vector<Status>& group);

}  // namespace mainstay::consensus
