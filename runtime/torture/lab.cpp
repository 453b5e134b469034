#include "runtime/torture/lab.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/base/assert.hpp"
#include "runtime/sys/clock.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/tls/certificates.hpp"

namespace mainstay::torture {

namespace fs = std::filesystem;

namespace {

constexpr const char* cluster_name = "torture";
constexpr std::uint16_t api_port = 7400, peer_port = 7401;  // of each host
constexpr std::uint64_t small_disk_bytes = 2ULL << 30U;     // memory that is used as it is written
constexpr std::uint64_t small_disk_rest = 64ULL << 10U;     // what is left when it is full
constexpr std::uint64_t free_bytes_min = 16ULL << 20U;

Address address_of_host(std::uint32_t node) {
  return address_of(10, 77, 0, static_cast<std::uint8_t>(node));
}

// Ports on loopback that nobody listens on now.
Result<std::vector<std::uint16_t>> free_ports(std::size_t count) {
  std::vector<std::uint16_t> ports;
  std::vector<int> held;
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    held.push_back(fd);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      break;
    ports.push_back(ntohs(address.sin_port));
  }
  for (const int fd : held) ::close(fd);
  if (ports.size() < count) return fail(Errc::unavailable, "no free ports on loopback");
  return ports;
}

Result<Control*> map_page(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Failure{sys::system_error("make", path, errno)};
  const bool sized = ::ftruncate(fd, sizeof(Control)) == 0;
  void* page = sized ? ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                     : MAP_FAILED;
  const int error = errno;
  ::close(fd);
  if (page == MAP_FAILED) return Failure{sys::system_error("map", path, error)};
  return static_cast<Control*>(page);
}

}  // namespace

Result<std::unique_ptr<Lab>> Lab::make(const LabOptions& options) {
  std::unique_ptr<Lab> lab{new Lab{options}};
  std::error_code error;
  for (std::uint32_t node = 1; node <= options.nodes; ++node) {
    fs::create_directories(lab->data(node), error);
    if (error) return fail(Errc::io_error, lab->data(node).string() + ": " + error.message());
  }
  const auto hosts =
      options.loopback ? fail(Errc::unavailable, "not wanted (--loopback)") : lab->make_hosts();
  if (!hosts) lab->abilities_.no_network = hosts.error().message;
  TRY(lab->choose_ports());
  TRY(lab->make_certificates());
  TRY(lab->make_hook_pages());
  lab->make_small_disk();
  for (std::uint32_t node = 1; node <= options.nodes; ++node) TRY(lab->write_configuration(node));
  return lab;
}

Lab::~Lab() {
  processes_.clear();
  for (Control* control : controls_) ::munmap(control, sizeof(Control));
  if (small_disk_ != 0) unmount_memory(data(small_disk_).string());
}

Result<void> Lab::make_hosts() {
  TRY(enter_own_namespaces());
  std::vector<PacketSwitch::Port> ports;
  for (std::uint32_t node = 1; node <= options_.nodes; ++node) {
    TRY_ASSIGN(Host host, Host::make(address_of_host(node)));
    hosts_.push_back(std::move(host));
  }
  TRY_ASSIGN(Host clients, Host::here(address_of_host(100)));
  hosts_.push_back(std::move(clients));
  for (const Host& host : hosts_) ports.push_back({host.address(), host.device()});
  switch_ = std::make_unique<PacketSwitch>(std::move(ports), options_.seed);
  return {};
}

Result<void> Lab::choose_ports() {
  if (switch_) {
    api_ports_.assign(options_.nodes, api_port);
    peer_ports_.assign(options_.nodes, peer_port);
    return {};
  }
  hosts_.clear();
  TRY_ASSIGN(const auto ports, free_ports(2 * std::size_t{options_.nodes}));
  api_ports_.assign(ports.begin(), ports.begin() + options_.nodes);
  peer_ports_.assign(ports.begin() + options_.nodes, ports.end());
  return {};
}

Result<void> Lab::make_certificates() {
  const fs::path directory = options_.directory / "certs";
  // Valid for clocks that are set back.
  const WallTime now = sys::system_clock().wall() - std::chrono::hours{24};
  TRY(tls::make_authority(directory, cluster_name, now));
  for (std::uint32_t node = 1; node <= options_.nodes; ++node)
    TRY(tls::make_node_certificate(
        directory, {cluster_name, NodeId{static_cast<std::uint16_t>(node)}}, {address(node)}, now));
  return {};
}

Result<void> Lab::make_hook_pages() {
  if (options_.hook.empty() || !fs::exists(options_.hook)) {
    abilities_.no_hook =
        options_.hook.empty() ? "this build has no hook" : options_.hook.string() + " is missing";
    return {};
  }
  for (std::uint32_t node = 1; node <= options_.nodes; ++node) {
    TRY_ASSIGN(Control * control, map_page(home(node) / "control"));
    controls_.push_back(control);
  }
  return {};
}

void Lab::make_small_disk() {
  if (!switch_) {
    abilities_.no_mount = abilities_.no_network;  // the mounts are in the same namespaces
    return;
  }
  const std::uint32_t node = options_.nodes;
  if (const auto mounted = mount_memory(data(node).string(), small_disk_bytes); mounted)
    small_disk_ = node;
  else
    abilities_.no_mount = mounted.error().message;
}

std::string Lab::address(std::uint32_t node) const {
  return switch_ ? to_text(address_of_host(node)) : "127.0.0.1";
}

config::Endpoint Lab::endpoint(std::uint32_t node) const {
  return {address(node), api_ports_.at(node - 1)};
}

fs::path Lab::home(std::uint32_t node) const {
  return options_.directory / fmt::format("node{}", node);
}

Result<void> Lab::write_configuration(std::uint32_t node) const {
  const fs::path certificates = options_.directory / "certs";
  const NodeId id{static_cast<std::uint16_t>(node)};
  std::string text = fmt::format(
      "[node]\nid = {}\n[data]\ndirectory = \"{}\"\n[storage]\nfree_min = \"{}B\"\n"
      "scrub_every = \"20s\"\nsnapshot_entries = 20000\n[auth]\nenabled = false\n"
      "[peer]\nlisten = \"{}:{}\"\n[api]\nlisten = \"{}\"\n"
      "[tls]\nca = \"{}\"\ncertificate = \"{}\"\nkey = \"{}\"\n",
      node, data(node).string(), free_bytes_min, address(node), peer_ports_.at(node - 1),
      to_string(endpoint(node)), tls::authority_file(certificates).string(),
      tls::node_certificate_file(certificates, id).string(),
      tls::node_key_file(certificates, id).string());
  if (!options_.adapters.empty())
    text += fmt::format("[adapters]\ndirectory = \"{}\"\n", options_.adapters.string());
  text += fmt::format("[cluster]\nname = \"{}\"\n", cluster_name);
  for (std::uint32_t peer = 1; peer <= options_.nodes; ++peer)
    text += fmt::format("[[cluster.peers]]\nid = {}\npeer = \"{}:{}\"\napi = \"{}\"\n", peer,
                        address(peer), peer_ports_.at(peer - 1), to_string(endpoint(peer)));
  return sys::write_file_durably(home(node) / "mainstayd.toml", text);
}

Result<void> Lab::start(std::uint32_t node, const fs::path& recording) {
  Command command{{options_.daemon.string(), "--config", (home(node) / "mainstayd.toml").string()}};
  command.output = (home(node) / "mainstayd.log").string();
  if (switch_) command.network_namespace = hosts_.at(node - 1).network_namespace();
  if (!controls_.empty()) {
    command.variables = {{"LD_PRELOAD", options_.hook.string()},
                         {control_variable, (home(node) / "control").string()},
                         {data_variable, data(node).string()}};
    if (!recording.empty()) command.variables[record_variable] = recording.string();
    controls_.at(node - 1)->recorded = 0;
  }
  TRY_ASSIGN(Process process, Process::start(command));
  processes_.erase(node);
  processes_.emplace(node, std::move(process));
  return {};
}

Process* Lab::process(std::uint32_t node) {
  const auto at = processes_.find(node);
  return at == processes_.end() ? nullptr : &at->second;
}

void Lab::kill(std::uint32_t node) {
  processes_.erase(node);
}

std::optional<int> Lab::take_end(std::uint32_t node) {
  const auto at = processes_.find(node);
  if (at == processes_.end()) return std::nullopt;
  const auto ended = at->second.ended();
  if (ended) processes_.erase(at);
  return ended;
}

Control* Lab::control(std::uint32_t node) {
  return controls_.empty() ? nullptr : controls_.at(node - 1);
}

Result<void> Lab::fill_disk() {
  ASSERT(small_disk_ != 0);
  struct statvfs status {};
  if (::statvfs(data(small_disk_).c_str(), &status) != 0)
    return Failure{sys::system_error("look at", data(small_disk_), errno)};
  const std::uint64_t used = (status.f_blocks - status.f_bfree) * status.f_frsize;
  return resize_memory(data(small_disk_).string(), used + small_disk_rest);
}

Result<void> Lab::free_disk() {
  ASSERT(small_disk_ != 0);
  return resize_memory(data(small_disk_).string(), small_disk_bytes);
}

Result<void> Lab::keep_small_disk() const {
  if (small_disk_ == 0) return {};
  std::error_code error;
  fs::copy(data(small_disk_), home(small_disk_) / "data.kept", fs::copy_options::recursive, error);
  if (error) return fail(Errc::io_error, "the small disk cannot be kept: " + error.message());
  return {};
}

}  // namespace mainstay::torture
