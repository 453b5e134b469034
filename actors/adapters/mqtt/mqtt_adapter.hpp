// Listens to machines and a MES behind an MQTT broker (Sparkplug B counters, JSON reports) and
// dispatches work to them. docs/integration/adapters/mqtt.md.
#pragma once

#include <memory>

#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters {

// Errors: invalid_argument, not_found (a file named in the settings). Does not connect yet.
Result<std::unique_ptr<integration::Adapter>> make_mqtt_adapter(
    const integration::AdapterContext& context);

}  // namespace mainstay::adapters
