// The few calls to TCP sockets that links need. All sockets are non-blocking and close-on-exec.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "runtime/base/result.hpp"

namespace mainstay::peer_link {

// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_{fd} {}
  UniqueFd(UniqueFd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd();

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct SocketAddress {
  ::sockaddr_storage storage{};
  ::socklen_t size = 0;
};

// "10.0.0.1:7401", "node-1.plant:7401", "[::1]:7401". Errors: invalid_argument.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostPort> split_address(const std::string& address);

// Addresses written as numbers, without asking anyone; empty when `host` is a name.
std::vector<SocketAddress> numeric_addresses(const HostPort& where);
// Asks the name service: may block for many seconds. Errors: unavailable.
Result<std::vector<SocketAddress>> resolve(const HostPort& where);

// Errors: invalid_argument, io_error (address in use, ...).
Result<UniqueFd> listen_on(const std::string& address);
std::uint16_t port_of(int socket);
std::string remote_address_of(int socket);

// Begins to connect; finished when the socket is writable and connect_error() is 0. Errors:
// unavailable.
Result<UniqueFd> begin_connect(const SocketAddress& to);
int connect_error(int socket);

// The next waiting connection; an empty UniqueFd when none waits.
UniqueFd accept_one(int listener);
// Small messages at once; a dead host noticed by the kernel too.
void tune(int socket);
UniqueFd duplicate(int fd);
void cut(int socket);

}  // namespace mainstay::peer_link
