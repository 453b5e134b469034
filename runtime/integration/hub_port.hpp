// What the kit's workers need of the cluster: commits and views. In a node actors/adapter_host puts
// the gateway behind it; tests put the state machine in memory there, and kill the worker at every
// call. Blocking; used by one worker's thread.
#pragma once

#include <memory>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::integration {

class HubPort {
 public:
  virtual ~HubPort() = default;

  // Runs the command at most once and waits for its outcome; an empty operation id is filled in. A
  // refusal is an Outcome. Errors: unavailable, busy, outcome_unknown: the worker stops, and starts
  // again from what is committed.
  virtual Result<record::Outcome> commit(record::Command command) = 0;

  // A view that shows at least everything this port has committed. Dropped soon.
  virtual Result<std::shared_ptr<const record::StateReader>> view() = 0;

  // Waits until something behind `after` is applied, or until `most` has passed.
  virtual Result<record::Revision> wait(record::Revision after, Millis most) = 0;

  virtual WallTime wall() const = 0;
  virtual MonotonicTime monotonic() const = 0;
};

}  // namespace mainstay::integration
