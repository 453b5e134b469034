#include "runtime/tls/channel.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

#include "runtime/base/assert.hpp"
#include "runtime/tls/openssl.hpp"

namespace mainstay::tls {

namespace {

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL and would kill the process when a peer goes
// away. This one is the same without that.
int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int socket_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(socket_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && would_block()) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int socket_read(BIO* bio, char* buffer, int size) {
  BIO_clear_retry_flags(bio);
  const auto received = ::recv(socket_of(bio), buffer, static_cast<std::size_t>(size), 0);
  if (received < 0 && would_block()) BIO_set_retry_read(bio);
  if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(received);
}

long socket_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* quiet_socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    BIO_meth_set_write(made, socket_write);
    BIO_meth_set_read(made, socket_read);
    BIO_meth_set_ctrl(made, socket_control);
    return made;
  }();
  return method;
}

BIO* make_socket_bio(int socket) {
  BIO* bio = BIO_new(quiet_socket_method());
  ASSERT(bio != nullptr);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  return bio;
}

int capped(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, 1u << 30));
}

}  // namespace

Channel::Channel(std::shared_ptr<const void> owner, ssl_ctx_st* context, int socket, Role role)
    : owner_{std::move(owner)}, ssl_{SSL_new(context)} {
  ASSERT(ssl_ != nullptr);
  BIO* bio = make_socket_bio(socket);
  SSL_set_bio(ssl_, bio, bio);
  if (role == Role::dialler)
    SSL_set_connect_state(ssl_);
  else
    SSL_set_accept_state(ssl_);
}

Channel::~Channel() {
  SSL_free(ssl_);
}

Progress Channel::handshake() {
  // OpenSSL looks at this thread's error queue to tell "try again" from a failure: what another
  // connection left there would break this one.
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return Progress::done;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Progress::want_read;
    case SSL_ERROR_WANT_WRITE:
      return Progress::want_write;
    default:
      break;
  }
  failure_reason_ = ERR_GET_REASON(ERR_peek_error());
  failure_text_ = ERR_peek_error() == 0 ? "the connection was closed" : take_openssl_errors();
  return Progress::failed;
}

bool Channel::heard_plain_http() const {
  return failure_reason_ == SSL_R_HTTP_REQUEST;
}

Channel::Transfer Channel::read(char* buffer, std::size_t size) {
  ERR_clear_error();
  return moved(SSL_read(ssl_, buffer, capped(size)), size);
}

Channel::Transfer Channel::write(const char* data, std::size_t size) {
  if (size == 0) return {Progress::done, 0};
  ERR_clear_error();
  return moved(SSL_write(ssl_, data, capped(size)), size);
}

Channel::Transfer Channel::moved(int result, std::size_t size) {
  if (result > 0) {
    ASSERT(static_cast<std::size_t>(result) <= size);
    return {Progress::done, static_cast<std::size_t>(result)};
  }
  const int error = SSL_get_error(ssl_, result);
  ERR_clear_error();
  switch (error) {
    case SSL_ERROR_WANT_READ:
      return {Progress::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {Progress::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Progress::done, 0};
    default:
      return {Progress::failed, 0};
  }
}

bool Channel::has_pending() const {
  return SSL_pending(ssl_) > 0;
}

void Channel::say_end() {
  if (SSL_is_init_finished(ssl_) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace mainstay::tls
