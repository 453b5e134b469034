// What the admin actor understands: membership, leadership and the list of live actors.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <caf/actor.hpp>

#include "actors/kit/type_ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::admin {

// Do this through whoever leads, before the deadline; `done` is called exactly once, with a
// sentence for people.
struct RunAdminRequest {
  wire::AdminRequest request;  // its id is set by the actor
  MonotonicTime deadline;
  std::function<void(Result<std::string>)> done;
};

// Timer: re-sends and deadlines while anything is under way.
struct AdminTick {};

}  // namespace mainstay::admin

MAINSTAY_BEGIN_MESSAGES(admin)
MAINSTAY_MESSAGE(admin, mainstay::admin::AdminTick)
MAINSTAY_MESSAGE(admin, mainstay::admin::RunAdminRequest)
MAINSTAY_END_MESSAGES(admin)
