#include "runtime/tls/certificates.hpp"
#include "runtime/tls/files.hpp"
#include "runtime/tls/openssl.hpp"
#include "runtime/tls/stream.hpp"

namespace mainstay::tls {

namespace {

bool restrict_protocol(SSL_CTX& context) {
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(&context, 2);
  // No resumption: every connection proves its certificate, and nothing arrives after the handshake
  // but data.
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(&context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(&context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  return SSL_CTX_set_num_tickets(&context, 0) == 1 &&
         SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(&context, TLS1_3_VERSION) == 1;
}

Result<void> load_files(SSL_CTX& context, const Files& files) {
  if (SSL_CTX_load_verify_locations(&context, files.authority.c_str(), nullptr) != 1)
    return bad_file(files.authority, "cannot be used as the authority's certificate");
  return load_pair(context, files.certificate, files.key);
}

}  // namespace

Result<std::shared_ptr<const Context>> Context::load(const Files& files, const Identity& expected) {
  for (const auto& path : {files.authority, files.certificate, files.key}) TRY(require_file(path));
  ERR_clear_error();
  SslContextPtr context{SSL_CTX_new(TLS_method())};
  if (!context || !restrict_protocol(*context))
    return fail(Errc::internal, "cannot set up TLS 1.3: " + take_openssl_errors());
  TRY(load_files(*context, files));
  TRY_ASSIGN(auto info, read_certificate(files.certificate));
  if (info.identity != expected)
    return fail(Errc::wrong_cluster, "'" + files.certificate.string() + "' is for " +
                                         uri_of(info.identity) + ", not for " + uri_of(expected));
  return std::shared_ptr<const Context>{
      new Context{context.release(), std::move(info.identity), info.not_after}};
}

Context::~Context() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<ContextSource>> ContextSource::open(Files files, Identity expected) {
  std::unique_ptr<ContextSource> source{new ContextSource{std::move(files), std::move(expected)}};
  source->stamp_ = source->stamp();
  TRY_ASSIGN(source->context_, Context::load(source->files_, source->expected_));
  return source;
}

std::shared_ptr<const Context> ContextSource::current() {
  const std::lock_guard lock{mutex_};
  const std::string now = stamp();
  if (now == stamp_) return context_;
  stamp_ = now;
  auto loaded = Context::load(files_, expected_);
  if (loaded) context_ = std::move(*loaded);
  last_error_ = loaded ? "" : loaded.error().message;
  log_renewal("this node's certificate", loaded ? context_->expires() : WallTime{}, last_error_);
  return context_;
}

std::string ContextSource::last_error() const {
  const std::lock_guard lock{mutex_};
  return last_error_;
}

std::string ContextSource::stamp() const {
  return stamp_of(files_.authority) + "/" + stamp_of(files_.certificate) + "/" +
         stamp_of(files_.key);
}

}  // namespace mainstay::tls
