// What an actor may not swallow in silence: exceptions of its handlers and messages that it does
// not know go to the log.
#pragma once

#include <functional>
#include <string>

#include <caf/scheduled_actor.hpp>

namespace mainstay::kit {

// Call first in make_behavior(). `who` is the component of the log lines. An exception ends the
// actor with its text as the reason (CAF can not keep the actor alive then); an unknown message is
// answered with sec::unexpected_message. `last_words`: called first after an exception, for
// evidence; or none.
void route_errors(caf::scheduled_actor& self, std::string who,
                  std::function<void()> last_words = {});

// Text of an exit reason, down reason or request error.
std::string text_of(const caf::error& reason);

// A reason for quit() that carries a text.
caf::error failure(std::string text);

// True for reasons that mean "ended as intended": none, normal, user_shutdown.
bool is_normal(const caf::error& reason);

}  // namespace mainstay::kit
