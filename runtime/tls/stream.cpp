#include "runtime/tls/stream.hpp"

#include <cstring>
#include <utility>

#include "runtime/base/assert.hpp"
#include "runtime/tls/openssl.hpp"

namespace mainstay::tls {

namespace {

// Node certificates are used at both ends; one that is good for only one of them is not a node's.
bool is_for_both_ends(X509& certificate) {
  constexpr std::uint32_t both = XKU_SSL_SERVER | XKU_SSL_CLIENT;
  return (X509_get_extension_flags(&certificate) & EXFLAG_XKUSAGE) != 0 &&
         (X509_get_extended_key_usage(&certificate) & both) == both;
}

}  // namespace

Stream::Stream(std::shared_ptr<const Context> context, int socket, Role role)
    : context_{std::move(context)}, channel_{context_, context_->context_, socket, role} {}

Progress Stream::handshake() {
  const Progress progress = channel_.handshake();
  if (progress == Progress::done) return check_peer();
  return progress == Progress::failed ? judge() : progress;
}

Progress Stream::judge() {
  const long verified = SSL_get_verify_result(channel_.ssl());
  if (verified != X509_V_OK)
    return fail_handshake(HandshakeFailure::stranger,
                          "its certificate is refused: " + text_of_verify_result(verified));
  const bool no_certificate = channel_.failure_reason() == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  return fail_handshake(no_certificate ? HandshakeFailure::stranger : HandshakeFailure::protocol,
                        channel_.failure_text());
}

Progress Stream::check_peer() {
  const CertificatePtr certificate{SSL_get1_peer_certificate(channel_.ssl())};
  if (!certificate || SSL_get_verify_result(channel_.ssl()) != X509_V_OK)
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
  failure_ = failure;
  failure_text_ = std::move(text);
  return Progress::failed;
}

std::array<std::uint64_t, 2> Stream::binding() const {
  static constexpr char label[] = "EXPORTER-mainstay-link";
  std::array<unsigned char, 16> bytes{};
  const int made = SSL_export_keying_material(channel_.ssl(), bytes.data(), bytes.size(), label,
                                              sizeof label - 1, nullptr, 0, 0);
  ASSERT_MSG(made == 1, "the handshake is not done");
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

}  // namespace mainstay::tls
