// Certificates for tests, and two streams over a socket pair.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/sys/clock.hpp"
#include "runtime/tls/certificates.hpp"
#include "runtime/tls/stream.hpp"
#include "tests/unit/tls/temporary_directory.hpp"

namespace mainstay::tls {

using namespace std::chrono_literals;

class TlsTest : public ::testing::Test {
 protected:
  // A fresh authority in a subdirectory.
  std::filesystem::path authority(const std::string& name, const std::string& cluster,
                                  WallTime now = sys::system_clock().wall()) {
    auto directory = temporary_.path() / name;
    EXPECT_TRUE(make_authority(directory, cluster, now));
    return directory;
  }

  static Files files_of(const std::filesystem::path& directory, NodeId node) {
    return Files{authority_file(directory), node_certificate_file(directory, node),
                 node_key_file(directory, node)};
  }

  static std::shared_ptr<const Context> load(const Files& files, const Identity& identity) {
    auto context = Context::load(files, identity);
    EXPECT_TRUE(context) << (context ? "" : context.error().message);
    return context ? *context : nullptr;
  }

  // A node's certificate and its context.
  static std::shared_ptr<const Context> node(const std::filesystem::path& directory,
                                             const Identity& identity,
                                             WallTime now = sys::system_clock().wall()) {
    const auto made = make_node_certificate(directory, identity, {"127.0.0.1"}, now);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return load(files_of(directory, identity.node), identity);
  }

  mainstay::testing::TemporaryDirectory temporary_;
};

// Two streams that talk to each other; bounded work, no waiting.
struct StreamPair {
  StreamPair(const std::shared_ptr<const Context>& dialler_context,
             const std::shared_ptr<const Context>& listener_context) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()),
              0);
    dialler = std::make_unique<Stream>(dialler_context, sockets[0], Role::dialler);
    listener = std::make_unique<Stream>(listener_context, sockets[1], Role::listener);
  }
  ~StreamPair() {
    dialler.reset();
    listener.reset();
    for (int socket : sockets) ::close(socket);
  }
  StreamPair(const StreamPair&) = delete;
  StreamPair& operator=(const StreamPair&) = delete;

  void shake_hands() {
    for (int round = 0; round < 20; ++round) {
      if (dialler_progress != Progress::done && dialler_progress != Progress::failed)
        dialler_progress = dialler->handshake();
      if (listener_progress != Progress::done && listener_progress != Progress::failed)
        listener_progress = listener->handshake();
    }
  }

  std::array<int, 2> sockets{};
  std::unique_ptr<Stream> dialler;
  std::unique_ptr<Stream> listener;
  Progress dialler_progress = Progress::want_write;
  Progress listener_progress = Progress::want_read;
};

}  // namespace mainstay::tls
