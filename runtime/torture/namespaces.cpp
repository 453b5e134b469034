#include "runtime/torture/namespaces.hpp"

#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/sys/file.hpp"

namespace mainstay::torture {

namespace {

constexpr int packet_bytes = 9000;  // jumbo frames: fewer of them to carry
constexpr const char* device_name = "mainstay0";

Failure refused(const std::string& what) {
  return fail(Errc::unavailable, what + ": " + std::strerror(errno));
}

// Descriptors that close themselves.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_{number} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

bool write_text(const char* path, const std::string& text) {
  const Descriptor file{::open(path, O_WRONLY | O_CLOEXEC)};
  return file.get() >= 0 &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

Result<void> become_root_of_a_user_namespace() {
  const auto user = ::geteuid();
  const auto group = ::getegid();
  if (::unshare(CLONE_NEWUSER) != 0) return refused("user namespaces are not permitted");
  if (!write_text("/proc/self/setgroups", "deny") ||
      !write_text("/proc/self/uid_map", fmt::format("0 {} 1", user)) ||
      !write_text("/proc/self/gid_map", fmt::format("0 {} 1", group)))
    return refused("user namespaces cannot be set up");
  return {};
}

ifreq request_of(const char* name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  return request;
}

void set_address(ifreq& request, Address address) {
  sockaddr_in wanted{};
  wanted.sin_family = AF_INET;
  wanted.sin_addr.s_addr = htonl(address);
  std::memcpy(&request.ifr_addr, &wanted, sizeof wanted);
}

Result<void> bring_up(int socket, const char* name) {
  ifreq request = request_of(name);
  if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0) return refused("no interface");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0) return refused("an interface stays down");
  return {};
}

// In the namespace of the calling thread.
Result<int> make_device(Address address) {
  Descriptor device{::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
  if (device.get() < 0) return refused("/dev/net/tun cannot be opened");
  ifreq request = request_of(device_name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(device.get(), TUNSETIFF, &request) != 0) return refused("no TUN device");
  const Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  TRY(bring_up(socket.get(), "lo"));
  request = request_of(device_name);
  set_address(request, address);
  if (::ioctl(socket.get(), SIOCSIFADDR, &request) != 0) return refused("no address");
  set_address(request, address_of(255, 255, 255, 0));
  if (::ioctl(socket.get(), SIOCSIFNETMASK, &request) != 0) return refused("no netmask");
  request = request_of(device_name);
  request.ifr_mtu = packet_bytes;
  if (::ioctl(socket.get(), SIOCSIFMTU, &request) != 0) return refused("no packet size");
  TRY(bring_up(socket.get(), device_name));
  return device.release();
}

}  // namespace

Result<void> enter_own_namespaces() {
  if (::geteuid() != 0) TRY(become_root_of_a_user_namespace());
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
    return refused("network and mount namespaces are not permitted");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return refused("mounts cannot be kept to this process");
  return {};
}

Result<Host> Host::here(Address address) {
  TRY_ASSIGN(const int device, make_device(address));
  return Host{address, device, -1};
}

Result<Host> Host::make(Address address) {
  std::optional<Result<Host>> made;
  // A namespace belongs to a thread; this one ends, and the descriptor keeps it.
  std::thread{[&made, address] {
    if (::unshare(CLONE_NEWNET) != 0) {
      made = refused("no further network namespace");
      return;
    }
    const auto device = make_device(address);
    if (!device) {
      made = fail(device.error().code, device.error().message);
      return;
    }
    const int space = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (space >= 0)
      made = Host{address, *device, space};
    else
      made = refused("a network namespace cannot be kept");
  }}.join();
  return std::move(*made);
}

Host::Host(Host&& other) noexcept
    : address_{other.address_},
      device_{std::exchange(other.device_, -1)},
      space_{std::exchange(other.space_, -1)} {}

Host& Host::operator=(Host&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(device_, other.device_);
  std::swap(space_, other.space_);
  return *this;
}

Host::~Host() {
  if (device_ >= 0) ::close(device_);
  if (space_ >= 0) ::close(space_);
}

std::string to_text(Address address) {
  return fmt::format("{}.{}.{}.{}", address >> 24U, (address >> 16U) & 255U, (address >> 8U) & 255U,
                     address & 255U);
}

Result<void> mount_memory(const std::string& directory, std::uint64_t bytes) {
  if (::mount("mainstay", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
              fmt::format("size={}", bytes).c_str()) != 0)
    return refused("no file system in memory can be mounted");
  return {};
}

Result<void> resize_memory(const std::string& directory, std::uint64_t bytes) {
  if (::mount("mainstay", directory.c_str(), "tmpfs", MS_REMOUNT | MS_NOSUID | MS_NODEV,
              fmt::format("size={}", bytes).c_str()) != 0)
    return refused("a file system in memory keeps its size");
  return {};
}

void unmount_memory(const std::string& directory) {
  ::umount2(directory.c_str(), MNT_DETACH);
}

}  // namespace mainstay::torture
