#include "actors/peer_link/socket.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace mainstay::peer_link {

namespace {

std::string text_of_errno(int error) {
  std::array<char, 128> buffer{};
  return ::strerror_r(error, buffer.data(), buffer.size());
}

std::vector<SocketAddress> look_up(const HostPort& where, int flags, int& error) {
  ::addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  ::addrinfo* found = nullptr;
  error = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  std::vector<SocketAddress> addresses;
  if (error != 0) return addresses;
  for (const ::addrinfo* at = found; at != nullptr; at = at->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

void set_option(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

}  // namespace

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<HostPort> split_address(const std::string& address) {
  const auto colon = address.rfind(':');
  HostPort parts;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    parts.host = address.substr(0, colon);
    if (parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']')
      parts.host = parts.host.substr(1, parts.host.size() - 2);
    else
      good = parts.host.find(':') == std::string::npos;
    const char* last = address.data() + address.size();
    const auto [end, error] = std::from_chars(address.data() + colon + 1, last, parts.port);
    good = good && error == std::errc{} && end == last;
  }
  if (!good)
    return fail(Errc::invalid_argument,
                "'" + address + "' is not an address: host:port is expected");
  return parts;
}

std::vector<SocketAddress> numeric_addresses(const HostPort& where) {
  int error = 0;
  return look_up(where, AI_NUMERICHOST, error);
}

Result<std::vector<SocketAddress>> resolve(const HostPort& where) {
  int error = 0;
  auto addresses = look_up(where, AI_ADDRCONFIG, error);
  if (addresses.empty())
    return fail(Errc::unavailable,
                "cannot find the address of '" + where.host + "': " + ::gai_strerror(error));
  return addresses;
}

Result<UniqueFd> listen_on(const std::string& address) {
  TRY_ASSIGN(const HostPort where, split_address(address));
  TRY_ASSIGN(const auto addresses, resolve(where));
  const auto& at = addresses.front();
  UniqueFd listener{::socket(at.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (listener) set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (!listener ||
      ::bind(listener.get(), reinterpret_cast<const ::sockaddr*>(&at.storage), at.size) != 0 ||
      ::listen(listener.get(), 64) != 0)
    return fail(Errc::io_error, "cannot listen on " + address + ": " + text_of_errno(errno));
  return listener;
}

std::uint16_t port_of(int socket) {
  SocketAddress own;
  own.size = sizeof own.storage;
  if (::getsockname(socket, reinterpret_cast<::sockaddr*>(&own.storage), &own.size) != 0) return 0;
  if (own.storage.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const ::sockaddr_in6*>(&own.storage)->sin6_port);
  return ntohs(reinterpret_cast<const ::sockaddr_in*>(&own.storage)->sin_port);
}

std::string remote_address_of(int socket) {
  SocketAddress other;
  other.size = sizeof other.storage;
  std::array<char, NI_MAXHOST> host{};
  if (::getpeername(socket, reinterpret_cast<::sockaddr*>(&other.storage), &other.size) != 0 ||
      ::getnameinfo(reinterpret_cast<const ::sockaddr*>(&other.storage), other.size, host.data(),
                    host.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return "an unknown address";
  return host.data();
}

Result<UniqueFd> begin_connect(const SocketAddress& to) {
  UniqueFd socket{::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return fail(Errc::unavailable, text_of_errno(errno));
  if (::connect(socket.get(), reinterpret_cast<const ::sockaddr*>(&to.storage), to.size) != 0 &&
      errno != EINPROGRESS)
    return fail(Errc::unavailable, text_of_errno(errno));
  return socket;
}

int connect_error(int socket) {
  int error = 0;
  ::socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

UniqueFd accept_one(int listener) {
  return UniqueFd{::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
}

void tune(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}

UniqueFd duplicate(int fd) {
  return UniqueFd{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
}

void cut(int socket) {
  if (socket >= 0) ::shutdown(socket, SHUT_RDWR);
}

}  // namespace mainstay::peer_link
