// Conditions and writes as transactions and batches say them in JSON; internal to runtime/api.
#pragma once

#include "runtime/api/access.hpp"
#include "runtime/api/body.hpp"
#include "runtime/api/writing.hpp"

namespace mainstay::api {

// One condition, of a record or of a balance, added to the command. Errors: invalid_argument;
// forbidden, when `principal` may not see the collection.
Result<void> add_condition(Write& write, const json::Value& condition, const Place& place,
                           const Principal& principal);
// All of an array; null: none.
Result<void> add_conditions(Write& write, const json::Value* conditions, const Place& place,
                            const Principal& principal);

// {"put":{…}}, {"patch":{…}}, {"delete":{…}} or {"post":{…}}: the one of them that `members` has,
// which is taken from it.
Result<void> add_operation(Write& write, Members& members, const Principal& principal);

}  // namespace mainstay::api
