// What the adapter host and its workers understand.
#pragma once

#include "actors/kit/type_ids.hpp"

namespace mainstay::adapter_host {

// Timer of the host: look at who is to run what.
struct HostTick {};
// To the host, by itself: it has waited long enough for its workers to end.
struct StopDeadline {};
// To a worker, by itself or because something changed in the cluster: do the next piece of work.
struct WorkTick {};

}  // namespace mainstay::adapter_host

MAINSTAY_BEGIN_MESSAGES(adapters)
MAINSTAY_MESSAGE(adapters, mainstay::adapter_host::HostTick)
MAINSTAY_MESSAGE(adapters, mainstay::adapter_host::StopDeadline)
MAINSTAY_MESSAGE(adapters, mainstay::adapter_host::WorkTick)
MAINSTAY_END_MESSAGES(adapters)
