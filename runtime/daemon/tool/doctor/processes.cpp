#include "runtime/daemon/tool/doctor/processes.hpp"

#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

namespace mainstay::tool::doctor {

namespace fs = std::filesystem;

namespace {

constexpr int connect_seconds_max = 1;

// A socket for the endpoint's first address, tried with ::bind or ::connect; the error number, 0
// for success, nothing when the host has no address.
template <class Try>
std::optional<int> try_socket(const config::Endpoint& endpoint, Try attempt) {
  ::addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  ::addrinfo* found = nullptr;
  if (::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found) !=
      0)
    return std::nullopt;
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int error = errno;
  if (fd >= 0) {
    error = attempt(fd, *found) == 0 ? 0 : errno;
    ::close(fd);
  }
  ::freeaddrinfo(found);
  return error;
}

// The inode of the socket that listens on `port`, by /proc/net/tcp and tcp6.
std::string listening_inode(std::uint16_t port) {
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines{table};
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream fields{line};
      std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
          timeout >> inode;
      const std::size_t colon = local.rfind(':');
      if (state == "0A" && colon != std::string::npos &&
          std::stoul(local.substr(colon + 1), nullptr, 16) == port)
        return inode;
    }
  }
  return {};
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

bool holds(const fs::path& process, const std::string& link) {
  std::error_code error;
  for (fs::directory_iterator at{process / "fd", error}, end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    if (fs::read_symlink(at->path(), gone).string() == link) return true;
  }
  return false;
}

}  // namespace

bool is_locked(const fs::path& file) {
  struct ::stat status {};
  if (::stat(file.c_str(), &status) != 0) return false;
  const std::string end = ":" + std::to_string(status.st_ino);
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);) {
    std::istringstream fields{line};
    for (std::string field; fields >> field;)
      if (field.size() > end.size() && field.ends_with(end)) return true;
  }
  return false;
}

std::string listener_of(std::uint16_t port) {
  const std::string inode = listening_inode(port);
  if (inode.empty()) return {};
  std::error_code error;
  for (fs::directory_iterator at{"/proc", error}, end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (is_number(name) && holds(at->path(), "socket:[" + inode + "]"))
      return "pid " + name + " (" + program_of(std::stoull(name)) + ")";
  }
  return {};
}

std::string program_of(std::uint64_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/comm"};
  std::string name;
  std::getline(file, name);
  return name;
}

std::uint64_t open_files_max(std::uint64_t process) {
  std::ifstream limits{"/proc/" + (process == 0 ? "self" : std::to_string(process)) + "/limits"};
  const std::string wanted = "Max open files";
  for (std::string line; std::getline(limits, line);) {
    if (!line.starts_with(wanted)) continue;
    std::istringstream fields{line.substr(wanted.size())};
    std::string soft;
    fields >> soft;
    return is_number(soft) ? std::stoull(soft) : 0;
  }
  return 0;
}

bool is_free(const config::Endpoint& endpoint) {
  const auto error = try_socket(endpoint, [](int fd, const ::addrinfo& address) {
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return ::bind(fd, address.ai_addr, address.ai_addrlen) == 0 ? ::listen(fd, 1) : -1;
  });
  return error != EADDRINUSE;
}

bool takes_connections(const config::Endpoint& endpoint) {
  const auto error = try_socket(endpoint, [](int fd, const ::addrinfo& address) {
    const ::timeval wait{connect_seconds_max, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    return ::connect(fd, address.ai_addr, address.ai_addrlen);
  });
  return error == 0;
}

}  // namespace mainstay::tool::doctor
