#include "runtime/tls/api_context.hpp"

#include <array>

#include <arpa/inet.h>

#include "runtime/base/assert.hpp"
#include "runtime/tls/files.hpp"
#include "runtime/tls/openssl.hpp"

namespace mainstay::tls {

namespace {

constexpr std::array<unsigned char, 9> protocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

bool restrict_protocol(SSL_CTX& context) {
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);  // resumption by ticket only
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Idle connections hold no record buffers.
  SSL_CTX_set_mode(&context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  return SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(&context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

// A client that offers protocols, but not this one, would not understand us.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, chosen_size, protocols.data(), protocols.size(),
                                           offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// SSL_set_tlsext_host_name without its C cast.
bool name_server(SSL& ssl, std::string host) {
  return SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

}  // namespace

Result<std::shared_ptr<const ServerContext>> ServerContext::load(const ServerFiles& files) {
  TRY(require_file(files.certificate));
  TRY(require_file(files.key));
  ERR_clear_error();
  SslContextPtr context{SSL_CTX_new(TLS_server_method())};
  if (!context || !restrict_protocol(*context))
    return fail(Errc::internal, "cannot set up TLS: " + take_openssl_errors());
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  TRY(load_pair(*context, files.certificate, files.key));
  const WallTime expires = expiry_of(*context);
  return std::shared_ptr<const ServerContext>{new ServerContext{context.release(), expires}};
}

ServerContext::~ServerContext() {
  SSL_CTX_free(context_);
}

std::unique_ptr<Channel> ServerContext::accept(int socket) const {
  return std::make_unique<Channel>(shared_from_this(), context_, socket, Role::listener);
}

Result<std::unique_ptr<ServerContextSource>> ServerContextSource::open(ServerFiles files) {
  std::unique_ptr<ServerContextSource> source{new ServerContextSource{std::move(files)}};
  const std::lock_guard lock{source->mutex_};
  source->stamp_ = source->stamp();
  TRY(source->load());
  return source;
}

std::shared_ptr<const ServerContext> ServerContextSource::current() const {
  const std::lock_guard lock{mutex_};
  return context_;
}

void ServerContextSource::refresh() {
  const std::lock_guard lock{mutex_};
  std::string now = stamp();
  if (now == stamp_) return;
  stamp_ = std::move(now);
  const auto loaded = load();
  log_renewal("the API's certificate", context_->expires(), loaded ? "" : loaded.error().message);
}

Result<void> ServerContextSource::reload() {
  const std::lock_guard lock{mutex_};
  stamp_ = stamp();
  auto loaded = load();
  log_renewal("the API's certificate", context_->expires(), loaded ? "" : loaded.error().message);
  return loaded;
}

std::string ServerContextSource::stamp() const {
  return stamp_of(files_.certificate) + "/" + stamp_of(files_.key);
}

Result<void> ServerContextSource::load() {
  TRY_ASSIGN(context_, ServerContext::load(files_));
  return {};
}

Result<std::shared_ptr<const ClientContext>> ClientContext::load(
    const std::filesystem::path& authority) {
  if (!authority.empty()) TRY(require_file(authority));
  ERR_clear_error();
  SslContextPtr context{SSL_CTX_new(TLS_client_method())};
  if (!context || !restrict_protocol(*context) ||
      SSL_CTX_set_alpn_protos(context.get(), protocols.data(), protocols.size()) != 0)
    return fail(Errc::internal, "cannot set up TLS: " + take_openssl_errors());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const bool trusted = authority.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                                         : SSL_CTX_load_verify_locations(
                                               context.get(), authority.c_str(), nullptr) == 1;
  if (!trusted) return bad_file(authority, "cannot be used as an authority's certificate");
  return std::shared_ptr<const ClientContext>{new ClientContext{context.release()}};
}

ClientContext::~ClientContext() {
  SSL_CTX_free(context_);
}

std::unique_ptr<Channel> ClientContext::dial(int socket, const std::string& host) const {
  auto channel = std::make_unique<Channel>(shared_from_this(), context_, socket, Role::dialler);
  X509_VERIFY_PARAM* wanted = SSL_get0_param(channel->ssl());
  const bool set = is_address(host)
                       ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1
                       : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) == 1 &&
                             name_server(*channel->ssl(), host);
  ASSERT_MSG(set, "a host that was connected to is a name or an address");
  return channel;
}

}  // namespace mainstay::tls
