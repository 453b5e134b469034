// Inside runtime/tls only: certificate and key files as contexts take them.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/tls/openssl.hpp"

namespace mainstay::tls {

// "'…' cannot be used as …: " and what OpenSSL says.
Failure bad_file(const std::filesystem::path& path, const std::string& what);

// Errors: not_found.
Result<void> require_file(const std::filesystem::path& path);

// A certificate chain and its key. Errors: invalid_argument: no PEM, another certificate's key, a
// key with a passphrase.
Result<void> load_pair(SSL_CTX& context, const std::filesystem::path& certificate,
                       const std::filesystem::path& key);

// Until when the context's own certificate is good.
WallTime expiry_of(const SSL_CTX& context);

// Size, time and number of a file: what changes when it is replaced.
std::string stamp_of(const std::filesystem::path& path);

// A line about files that were read again; `error` empty: taken.
void log_renewal(const std::string& what, WallTime expires, const std::string& error);

}  // namespace mainstay::tls
