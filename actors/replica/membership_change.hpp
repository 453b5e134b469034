// The next membership for what an operator or a joining node asks for. Pure.
#pragma once

#include <optional>

#include "runtime/base/result.hpp"
#include "runtime/consensus/types.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::replica {

// The membership after the request; nothing when it holds already. Errors: invalid_argument,
// not_found, conflict (the last voter).
Result<std::optional<consensus::Membership>> plan_change(const consensus::Membership& current,
                                                         const wire::AdminRequest& request);

// For a node that asks to be taken in: it must be listed; another incarnation of it is replaced by
// a learner that becomes a voter by itself. `active`: the member of this id was heard lately. A
// voter that asks under its own incarnation does not know the membership: it is repeated once.
// Errors: not_found (not listed: an operator adds it first), conflict (an active voter is not
// replaced).
Result<std::optional<consensus::Membership>> plan_join(const consensus::Membership& current,
                                                       const consensus::Member& joiner,
                                                       bool active);

}  // namespace mainstay::replica
