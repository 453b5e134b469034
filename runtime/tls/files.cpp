#include "runtime/tls/files.hpp"

#include <ctime>

#include <openssl/x509err.h>
#include <sys/stat.h>

#include "runtime/base/log.hpp"

namespace mainstay::tls {

namespace fs = std::filesystem;

Failure bad_file(const fs::path& path, const std::string& what) {
  return fail(Errc::invalid_argument,
              "'" + path.string() + "' " + what + ": " + take_openssl_errors());
}

Result<void> require_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return {};
  return fail(Errc::not_found, "there is no '" + path.string() + "'");
}

Result<void> load_pair(SSL_CTX& context, const fs::path& certificate, const fs::path& key) {
  // A daemon has nobody to ask for a passphrase.
  SSL_CTX_set_default_passwd_cb(&context, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_certificate_chain_file(&context, certificate.c_str()) != 1)
    return bad_file(certificate, "cannot be used as a certificate");
  const bool taken = SSL_CTX_use_PrivateKey_file(&context, key.c_str(), SSL_FILETYPE_PEM) == 1;
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  if (!taken && (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH))
    return bad_file(key, "is not the key of the certificate '" + certificate.string() + "'");
  if (!taken) return bad_file(key, "cannot be used as the key of the certificate");
  if (SSL_CTX_check_private_key(&context) != 1)
    return bad_file(key, "is not the key of the certificate '" + certificate.string() + "'");
  return {};
}

WallTime expiry_of(const SSL_CTX& context) {
  return wall_time_of(X509_get0_notAfter(SSL_CTX_get0_certificate(&context)));
}

std::string stamp_of(const fs::path& path) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) return "missing";
  return std::to_string(status.st_ino) + "." + std::to_string(status.st_size) + "." +
         std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
}

void log_renewal(const std::string& what, WallTime expires, const std::string& error) {
  if (!error.empty()) {
    log_error("tls", "{} is not renewed, the one before stays: {}", what, error);
    return;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch());
  const std::time_t at = seconds.count();
  std::tm parts{};
  gmtime_r(&at, &parts);
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts);
  log_info("tls", "{} is renewed; it is good until {}", what, text);
}

}  // namespace mainstay::tls
