// One TLS connection over a non-blocking socket: what is the same whoever speaks and whatever is
// proven by the certificates. Between nodes: stream.hpp; for the HTTP API: api_context.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct ssl_st;
struct ssl_ctx_st;

namespace mainstay::tls {

enum class Role : std::uint8_t { dialler, listener };

enum class Progress : std::uint8_t { done, want_read, want_write, failed };

// Not thread-safe: one thread at a time. Does not own the socket. Never raises SIGPIPE.
class Channel {
 public:
  // `owner` keeps `context` alive. REQUIRES: `socket` is connected and non-blocking, and outlives
  // the channel.
  Channel(std::shared_ptr<const void> owner, ssl_ctx_st* context, int socket, Role role);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Goes on with the handshake; call again when the socket is readable or writable as the answer
  // says.
  Progress handshake();
  const std::string& failure_text() const { return failure_text_; }
  int failure_reason() const { return failure_reason_; }  // OpenSSL's number; 0: closed
  // The other side speaks plain HTTP: it may be told so, on the socket.
  bool heard_plain_http() const;

  // `count` bytes went through; done with 0 bytes means that the other side has closed.
  struct Transfer {
    Progress progress = Progress::failed;
    std::size_t count = 0;
  };
  Transfer read(char* buffer, std::size_t size);
  Transfer write(const char* data, std::size_t size);
  // Bytes that are decrypted already and that no readiness of the socket will announce.
  bool has_pending() const;
  // Tells the other side that nothing more comes, as far as the socket takes it at once.
  void say_end();

  ssl_st* ssl() const { return ssl_; }  // for runtime/tls

 private:
  Transfer moved(int result, std::size_t size);

  const std::shared_ptr<const void> owner_;
  ssl_st* const ssl_;
  std::string failure_text_;
  int failure_reason_ = 0;
};

}  // namespace mainstay::tls
