// Mutual TLS 1.3 between nodes. A Context holds a node's own certificate and the authority it
// trusts; a Stream is one connection over a non-blocking socket. Both sides check: the chain up to
// the cluster's authority, the validity, that the certificate is for servers and for clients, and
// that its identity (identity.hpp) names a node of the same cluster. Which node may speak is the
// caller's check.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/tls/channel.hpp"
#include "runtime/tls/identity.hpp"

namespace mainstay::tls {

struct Files {
  std::filesystem::path authority;
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// Immutable; thread-safe; shared by the streams made from it.
class Context {
 public:
  // Reads the files and checks that they belong together and name `expected`. Errors: not_found,
  // io_error, invalid_argument (no PEM, key of another certificate, ...), wrong_cluster (another
  // identity).
  static Result<std::shared_ptr<const Context>> load(const Files& files, const Identity& expected);

  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Identity& identity() const { return identity_; }
  WallTime expires() const { return expires_; }

 private:
  friend class Stream;
  Context(ssl_ctx_st* context, Identity identity, WallTime expires)
      : context_{context}, identity_{std::move(identity)}, expires_{expires} {}

  ssl_ctx_st* const context_;
  const Identity identity_;
  const WallTime expires_;
};

// Gives the newest Context: files that changed are read again for the next connection, so that a
// renewed certificate needs no restart. Files that are missing or bad at that moment change nothing
// but last_error() and get a line in the log. Thread-safe.
class ContextSource {
 public:
  static Result<std::unique_ptr<ContextSource>> open(Files files, Identity expected);

  std::shared_ptr<const Context> current();
  std::string last_error() const;

 private:
  ContextSource(Files files, Identity expected)
      : files_{std::move(files)}, expected_{std::move(expected)} {}
  std::string stamp() const;

  const Files files_;
  const Identity expected_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Context> context_;  // guarded by mutex_
  std::string stamp_;                       // guarded by mutex_
  std::string last_error_;                  // guarded by mutex_
};

enum class HandshakeFailure : std::uint8_t {
  none,
  protocol,       // not TLS 1.3, an alert of the other side, a broken connection
  stranger,       // certificate missing, expired, not of this authority, or without an identity
  wrong_cluster,  // a good certificate of this authority for another cluster name
};

// Not thread-safe: one thread at a time. Does not own the socket. Never raises SIGPIPE.
class Stream {
 public:
  // REQUIRES: `socket` is connected and non-blocking, and outlives the stream.
  Stream(std::shared_ptr<const Context> context, int socket, Role role);

  // Goes on with the handshake; call again when the socket is readable or writable as the answer
  // says. A dialler is done before the listener has judged the dialler's certificate: only the
  // first bytes received show that it was accepted.
  Progress handshake();
  HandshakeFailure failure() const { return failure_; }
  const std::string& failure_text() const { return failure_text_; }

  // After the handshake.
  const Identity& peer() const { return peer_; }
  // The same on both sides of this connection and known to nobody else (RFC 5705 exporter): proves
  // that something said elsewhere was said by the holder of this connection.
  std::array<std::uint64_t, 2> binding() const;

  // As Channel's.
  using Transfer = Channel::Transfer;
  Transfer read(char* buffer, std::size_t size) { return channel_.read(buffer, size); }
  Transfer write(const char* data, std::size_t size) { return channel_.write(data, size); }
  bool has_pending() const { return channel_.has_pending(); }

 private:
  Progress judge();
  Progress check_peer();
  Progress fail_handshake(HandshakeFailure failure, std::string text);

  const std::shared_ptr<const Context> context_;
  Channel channel_;
  HandshakeFailure failure_ = HandshakeFailure::none;
  std::string failure_text_;
  Identity peer_;
};

}  // namespace mainstay::tls
