#include "runtime/tls/stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

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

// Node certificates are used at both ends; one that is good for only one of them is not a node's.
bool is_for_both_ends(X509& certificate) {
  constexpr std::uint32_t both = XKU_SSL_SERVER | XKU_SSL_CLIENT;
  return (X509_get_extension_flags(&certificate) & EXFLAG_XKUSAGE) != 0 &&
         (X509_get_extended_key_usage(&certificate) & both) == both;
}

}  // namespace

Stream::Stream(std::shared_ptr<const Context> context, int socket, Role role)
    : context_{std::move(context)}, ssl_{SSL_new(context_->context_)} {
  ASSERT(ssl_ != nullptr);
  BIO* bio = make_socket_bio(socket);
  SSL_set_bio(ssl_, bio, bio);
  if (role == Role::dialler)
    SSL_set_connect_state(ssl_);
  else
    SSL_set_accept_state(ssl_);
}

Stream::~Stream() {
  SSL_free(ssl_);
}

Progress Stream::handshake() {
  // OpenSSL looks at this thread's error queue to tell "try again" from a failure: what another
  // connection left there would break this one.
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return check_peer();
  return judge(result);
}

Progress Stream::judge(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Progress::want_read;
    case SSL_ERROR_WANT_WRITE:
      return Progress::want_write;
    default:
      break;
  }
  const long verified = SSL_get_verify_result(ssl_);
  if (verified != X509_V_OK)
    return fail_handshake(HandshakeFailure::stranger,
                          "its certificate is refused: " + text_of_verify_result(verified));
  const bool no_certificate =
      ERR_GET_REASON(ERR_peek_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  return fail_handshake(
      no_certificate ? HandshakeFailure::stranger : HandshakeFailure::protocol,
      ERR_peek_error() == 0 ? "the connection was closed" : take_openssl_errors());
}

Progress Stream::check_peer() {
  const CertificatePtr certificate{SSL_get1_peer_certificate(ssl_)};
  if (!certificate || SSL_get_verify_result(ssl_) != X509_V_OK)
    return fail_handshake(HandshakeFailure::stranger, "it has no certificate");
  if (!is_for_both_ends(*certificate))
    return fail_handshake(HandshakeFailure::stranger,
                          "its certificate is not for both servers and clients");
  auto identity = identity_of(*certificate);
  if (!identity) return fail_handshake(HandshakeFailure::stranger, identity.error().message);
  if (identity->cluster != context_->identity().cluster)
    return fail_handshake(HandshakeFailure::wrong_cluster,
                          "its certificate is for " + uri_of(*identity));
  peer_ = std::move(*identity);
  return Progress::done;
}

Progress Stream::fail_handshake(HandshakeFailure failure, std::string text) {
  ERR_clear_error();
  failure_ = failure;
  failure_text_ = std::move(text);
  return Progress::failed;
}

std::array<std::uint64_t, 2> Stream::binding() const {
  static constexpr char label[] = "EXPORTER-mainstay-link";
  std::array<unsigned char, 16> bytes{};
  const int made = SSL_export_keying_material(ssl_, bytes.data(), bytes.size(), label,
                                              sizeof label - 1, nullptr, 0, 0);
  ASSERT_MSG(made == 1, "the handshake is not done");
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

Stream::Transfer Stream::read(char* buffer, std::size_t size) {
  ERR_clear_error();
  return moved(SSL_read(ssl_, buffer, capped(size)), size);
}

Stream::Transfer Stream::write(const char* data, std::size_t size) {
  if (size == 0) return {Progress::done, 0};
  ERR_clear_error();
  return moved(SSL_write(ssl_, data, capped(size)), size);
}

Stream::Transfer Stream::moved(int result, std::size_t size) {
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

bool Stream::has_pending() const {
  return SSL_pending(ssl_) > 0;
}

}  // namespace mainstay::tls
