// The kinds of adapters that are part of Mainstay.
#pragma once

#include "runtime/integration/adapter.hpp"

namespace mainstay::daemon {

void add_built_in_kinds(integration::AdapterKinds& kinds);

}  // namespace mainstay::daemon
