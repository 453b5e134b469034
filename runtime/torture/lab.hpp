// A cluster of real nodes on one machine, as the faults need it: each mainstayd a process, on a
// host of its own where that is permitted (namespaces.hpp, packet_switch.hpp), else all on
// loopback; with a hook between it and the disk and the clock; one of them on a small disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/config/values.hpp"
#include "runtime/torture/hook/control.hpp"
#include "runtime/torture/namespaces.hpp"
#include "runtime/torture/packet_switch.hpp"
#include "runtime/torture/process.hpp"

namespace mainstay::torture {

// What can be done on this machine; each reason is "" if it can.
struct Abilities {
  std::string no_network;  // why there are no hosts: faults of the network are left out
  std::string no_hook;     // faults of disk and clock, and crash images
  std::string no_mount;    // full disk
};

struct LabOptions {
  std::filesystem::path directory;
  std::filesystem::path daemon;  // mainstayd
  std::filesystem::path hook;    // the library to preload; "" or missing: without
  std::uint32_t nodes = 3;
  std::uint64_t seed = 1;
  bool loopback = false;           // do without hosts even if they are permitted
  std::filesystem::path adapters;  // definitions; "": none
};

// Nodes are 1 to nodes(). One thread, which must outlive it (process.hpp); what is const, any.
class Lab {
 public:
  // Hosts, certificates, configuration; no process yet. REQUIRES: this process has one thread.
  // Errors: io_error, unavailable.
  static Result<std::unique_ptr<Lab>> make(const LabOptions& options);
  ~Lab();  // every process is gone afterwards

  std::uint32_t nodes() const { return options_.nodes; }
  const Abilities& abilities() const { return abilities_; }
  config::Endpoint endpoint(std::uint32_t node) const;
  std::filesystem::path home(std::uint32_t node) const;
  std::filesystem::path data(std::uint32_t node) const { return home(node) / "data"; }

  // Starts it; with `recording` its writes go there.
  Result<void> start(std::uint32_t node, const std::filesystem::path& recording = {});
  Process* process(std::uint32_t node);  // null: not running
  void kill(std::uint32_t node);
  // A node that ended though nobody ended it: its exit code, once.
  std::optional<int> take_end(std::uint32_t node);

  // The hook's page of a node; null without the hook.
  Control* control(std::uint32_t node);
  // Null without hosts. Host n-1 is node n, host nodes() the clients.
  PacketSwitch* network() { return switch_.get(); }
  // The node whose disk can be filled; 0: none.
  std::uint32_t small_disk() const { return small_disk_; }
  Result<void> fill_disk();
  Result<void> free_disk();
  // A copy of what that disk holds, beside it, for people: it goes with this process.
  Result<void> keep_small_disk() const;

 private:
  explicit Lab(const LabOptions& options) : options_{options} {}
  Result<void> make_hosts();
  Result<void> choose_ports();
  Result<void> make_certificates();
  Result<void> make_hook_pages();
  void make_small_disk();
  Result<void> write_configuration(std::uint32_t node) const;
  std::string address(std::uint32_t node) const;

  LabOptions options_;
  Abilities abilities_;
  std::vector<Host> hosts_;
  std::vector<std::uint16_t> api_ports_, peer_ports_;
  std::unique_ptr<PacketSwitch> switch_;
  std::vector<Control*> controls_;
  std::uint32_t small_disk_ = 0;
  std::map<std::uint32_t, Process> processes_;
};

}  // namespace mainstay::torture
