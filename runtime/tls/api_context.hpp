// TLS of the HTTP API: the server proves itself, clients do it by tokens. TLS 1.2 with
// forward-secret AEAD ciphers, and 1.3; ALPN http/1.1.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/tls/channel.hpp"

namespace mainstay::tls {

struct ServerFiles {
  std::filesystem::path
      certificate;            // PEM: the server's own, then those that lead to its authority
  std::filesystem::path key;  // PEM, without a passphrase
};

// Immutable; thread-safe; kept alive by its channels.
class ServerContext : public std::enable_shared_from_this<ServerContext> {
 public:
  // Errors: not_found; invalid_argument (no PEM, key of another certificate, ...).
  static Result<std::shared_ptr<const ServerContext>> load(const ServerFiles& files);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  std::unique_ptr<Channel> accept(int socket) const;
  WallTime expires() const { return expires_; }

 private:
  ServerContext(ssl_ctx_st* context, WallTime expires) : context_{context}, expires_{expires} {}

  ssl_ctx_st* const context_;
  const WallTime expires_;
};

// The newest ServerContext: files that changed are read again, for connections from then on. Files
// that are missing or bad at that moment change nothing; the log gets a line either way.
// Thread-safe.
class ServerContextSource {
 public:
  static Result<std::unique_ptr<ServerContextSource>> open(ServerFiles files);

  std::shared_ptr<const ServerContext> current() const;
  // Looks whether the files changed.
  void refresh();
  // Reads the files in any case. Errors: as ServerContext::load.
  Result<void> reload();

 private:
  explicit ServerContextSource(ServerFiles files) : files_{std::move(files)} {}
  std::string stamp() const;
  Result<void> load();  // REQUIRES: mutex_ is held

  const ServerFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<const ServerContext> context_;  // guarded by mutex_
  std::string stamp_;                             // guarded by mutex_
};

// What a client trusts. Immutable; thread-safe; kept alive by its channels.
class ClientContext : public std::enable_shared_from_this<ClientContext> {
 public:
  // `authority`: certificates (PEM) of the authorities to trust; "": those of the system. Errors:
  // not_found, invalid_argument.
  static Result<std::shared_ptr<const ClientContext>> load(const std::filesystem::path& authority);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // The server's certificate must be for `host`, a name or an address.
  std::unique_ptr<Channel> dial(int socket, const std::string& host) const;

 private:
  explicit ClientContext(ssl_ctx_st* context) : context_{context} {}

  ssl_ctx_st* const context_;
};

}  // namespace mainstay::tls
