// Reads and writes a counterpart through tables of a PostgreSQL database (a staging schema): outbox
// tables that it fills and we read, inbox tables that we fill, and queries on what it holds.
// docs/integration/adapters/postgres.md.
#pragma once

#include <memory>

#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters {

// Errors: invalid_argument. Does not connect yet.
Result<std::unique_ptr<integration::Adapter>> make_postgres_adapter(
    const integration::AdapterContext& context);

}  // namespace mainstay::adapters
