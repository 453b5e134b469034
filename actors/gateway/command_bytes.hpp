// What a command weighs while it waits: its content and a share for what holds it. Pure.
#pragma once

#include <cstddef>

#include "runtime/record/types.hpp"

namespace mainstay::gateway {

std::size_t bytes_of(const record::Command& command);

}  // namespace mainstay::gateway
