// Where the node keeps the handles of its actors, so that a restarted one is found by those that
// speak to it. Messages to an actor that does not run at the moment are lost, as over a network:
// every sender repeats by its own rules.
#pragma once

#include <mutex>
#include <utility>

#include <caf/actor.hpp>
#include <caf/send.hpp>

namespace mainstay::node {

// Thread-safe.
class Slot {
 public:
  void set(caf::actor handle) {
    const std::lock_guard lock{mutex_};
    std::swap(handle_, handle);
  }
  caf::actor get() const {
    const std::lock_guard lock{mutex_};
    return handle_;
  }
  template <class Message>
  void tell(Message message) const {
    if (const caf::actor handle = get()) caf::anon_send(handle, std::move(message));
  }

 private:
  mutable std::mutex mutex_;
  caf::actor handle_;
};

struct Slots {
  Slot log_writer;
  Slot applier;
  Slot copier;
  Slot snapshots;
  Slot scrubber;
  Slot replica;
  Slot links;
  Slot steward;
  Slot gateway;
  Slot metrics;
  Slot admin;
  Slot adapter_host;

  // At the end: the actors hold the ports, the ports these slots, and these the actors.
  void clear() {
    for (Slot* slot : {&log_writer, &applier, &copier, &snapshots, &scrubber, &replica, &links,
                       &steward, &gateway, &metrics, &admin, &adapter_host})
      slot->set({});
  }
};

}  // namespace mainstay::node
