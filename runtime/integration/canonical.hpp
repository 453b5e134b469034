// Whether a mapped record is what its canonical collection takes. For looking before writing (tests
// of mappings); the state machine itself checks every write against what is declared.
#pragma once

#include <optional>
#include <string>

#include "runtime/integration/mapping.hpp"

namespace mainstay::integration {

// What is wrong with it, for people. Nothing: it is fine, its collection is not a canonical one, or
// it is a merge, which tells only a part.
std::optional<std::string> canonical_violation(const MappedRecord& record);

}  // namespace mainstay::integration
