// The network between the hosts of a lab: a thread that takes each packet out of the TUN device of
// one host and puts it into that of another one, or loses it, keeps it for a while, or resets its
// connection, as the link between the two is told to. What netem does, without the kernel module
// for it: what passes are real packets of the kernel's own TCP, which retransmits, times out and
// reorders as between machines.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/torture/packet.hpp"

namespace mainstay::torture {

// One direction between two hosts.
struct Link {
  bool cut = false;
  bool reset = false;  // instead of passing, both ends are told that it is over
  std::uint32_t loss_per_mille = 0;
  Millis delay{0};   // at least
  Millis jitter{0};  // up to this much more, drawn for each packet: reorders

  bool operator==(const Link&) const = default;
};

struct SwitchCounts {
  std::uint64_t passed = 0, lost = 0, delayed = 0, resets = 0;
};

// One port a host. Thread-safe, but for the destructor.
class PacketSwitch {
 public:
  struct Port {
    Address address = 0;
    int device =
        -1;  // a non-blocking TUN descriptor, without packet information; stays the caller's
  };
  PacketSwitch(std::vector<Port> ports, std::uint64_t seed);
  ~PacketSwitch();  // ends the thread; what is on its way is lost
  PacketSwitch(const PacketSwitch&) = delete;
  PacketSwitch& operator=(const PacketSwitch&) = delete;

  // Hosts are numbered as the ports were given.
  void set_link(std::size_t from, std::size_t to, const Link& link);
  void heal();  // every link passes everything again

  SwitchCounts counts() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace mainstay::torture
