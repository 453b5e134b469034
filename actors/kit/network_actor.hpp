// An actor on CAF's network thread, the one that frames come in on and go out from. What such
// actors tell each other and BASP waits for no other thread: no wake-up between the socket, the
// link, the replica and the gateway.
//
// Such an actor must never block and does little at a time: whatever it does, frames and the other
// actors of this thread wait for it. Where there is no network (one node alone, tests on virtual
// time) it runs on the scheduler's threads like any other.
//
// Source: caf::io::abstract_broker of CAF 0.17.6 goes to this thread in the same way.
#pragma once

#include <caf/event_based_actor.hpp>

namespace mainstay::kit {

class NetworkActor : public caf::event_based_actor {
 public:
  explicit NetworkActor(caf::actor_config& config);

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* from) override;
  void launch(caf::execution_unit* spawner, bool lazy, bool hide) override;
  subtype_t subtype() const override;

 private:
  caf::execution_unit* const network_;  // null: there is none
};

}  // namespace mainstay::kit
