// Hosts on one machine: network namespaces, each with a TUN device whose packets the lab carries
// (packet_switch.hpp). They live as long as descriptors to them are open, so that nothing is left
// behind however the program ends. Nothing outside of the namespaces made here is touched.
#pragma once

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/torture/packet.hpp"

namespace mainstay::torture {

// Puts this process into namespaces of its own for network and mounts (and users, when it is not
// root), so that what it mounts and connects to is seen by itself and its children alone.
// REQUIRES: no other thread runs. Errors: unavailable, saying what is not permitted here.
Result<void> enter_own_namespaces();

// Descriptors of a host; closed with it.
class Host {
 public:
  // A new host with this address; it reaches all of the lab. Errors: unavailable.
  static Result<Host> make(Address address);
  // The host that this process is in, given a device.
  static Result<Host> here(Address address);

  Host(Host&& other) noexcept;
  Host& operator=(Host&& other) noexcept;
  ~Host();

  Address address() const { return address_; }
  int device() const { return device_; }            // for PacketSwitch
  int network_namespace() const { return space_; }  // for setns
 private:
  Host(Address address, int device, int space)
      : address_{address}, device_{device}, space_{space} {}
  Address address_ = 0;
  int device_ = -1;
  int space_ = -1;
};

std::string to_text(Address address);  // "10.77.0.1"

// A file system in memory, seen by this process and its children only; gone with them.
Result<void> mount_memory(const std::string& directory, std::uint64_t bytes);
// Another size for it, not below what it holds: how a disk is filled and freed.
Result<void> resize_memory(const std::string& directory, std::uint64_t bytes);
void unmount_memory(const std::string& directory);

}  // namespace mainstay::torture
