#include "runtime/tls/certificates.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/sys/file.hpp"
#include "runtime/tls/openssl.hpp"

namespace mainstay::tls {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t pem_bytes_max = 64 * 1024;
// Clocks of hosts differ: a new certificate must not be "not yet valid" on the next host.
constexpr std::chrono::hours backdating{1};

Failure openssl_failure(const std::string& what) {
  return fail(Errc::internal, what + ": " + take_openssl_errors());
}

fs::path authority_key_file(const fs::path& directory) {
  return directory / "ca.key";
}

// Creates a file that must not exist, with these permissions from the first moment on, durably.
Result<void> write_new_file(const fs::path& path, std::string_view content, ::mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0 && errno == EEXIST)
    return fail(Errc::already_exists,
                "'" + path.string() + "' exists already and is not overwritten");
  if (fd < 0) return Failure{sys::system_error("create", path, errno)};
  const bool written =
      ::write(fd, content.data(), content.size()) == static_cast<::ssize_t>(content.size()) &&
      ::fchmod(fd, mode) == 0 && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (written) return sys::sync_directory(path.parent_path());
  ::unlink(path.c_str());
  return Failure{sys::system_error("write", path, error)};
}

std::string text_of(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return std::string{data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509& certificate) {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), &certificate);
  return text_of(*bio);
}

std::string pem_of(EVP_PKEY& key) {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(*bio);
}

Result<CertificatePtr> load_certificate(const fs::path& path) {
  TRY_ASSIGN(const std::string pem, sys::read_file(path, pem_bytes_max));
  const BioPtr bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  CertificatePtr certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
  if (!certificate) {
    take_openssl_errors();
    return fail(Errc::invalid_argument, "'" + path.string() + "' holds no certificate (PEM)");
  }
  return certificate;
}

Result<KeyPtr> load_key(const fs::path& path) {
  TRY_ASSIGN(const std::string pem, sys::read_file(path, pem_bytes_max));
  const BioPtr bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  KeyPtr key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
  if (!key) {
    take_openssl_errors();
    return fail(Errc::invalid_argument, "'" + path.string() + "' holds no private key (PEM)");
  }
  return key;
}

bool set_name(X509& certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(&certificate);
  const auto add = [name](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  return add("O", "Mainstay") && add("CN", common_name);
}

bool set_validity(X509& certificate, WallTime now, int days) {
  const auto from = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now - backdating));
  const auto to = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(
          now + std::chrono::hours{24} * days));
  return ASN1_TIME_set(X509_getm_notBefore(&certificate), from) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), to) != nullptr;
}

bool set_serial(X509& certificate) {
  const std::unique_ptr<BIGNUM, Freer<BN_free>> number{BN_new()};
  // 159 bits: RFC 5280 allows 20 octets and wants a positive number.
  return BN_rand(number.get(), 159, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool add_extension(X509& certificate, X509& issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

struct Extension {
  int nid;
  std::string value;
};

// A signed certificate; `issuer` null: signed by itself.
Result<CertificatePtr> sign(const std::string& common_name, EVP_PKEY& key, X509* issuer,
                            EVP_PKEY& issuer_key, WallTime now, int days,
                            const std::vector<Extension>& extensions) {
  CertificatePtr made{X509_new()};
  X509& by = issuer != nullptr ? *issuer : *made;
  bool good = made && X509_set_version(made.get(), X509_VERSION_3) == 1 && set_serial(*made) &&
              set_name(*made, common_name) && set_validity(*made, now, days) &&
              X509_set_issuer_name(made.get(), X509_get_subject_name(&by)) == 1 &&
              X509_set_pubkey(made.get(), &key) == 1;
  for (const Extension& extension : extensions)
    good = good && add_extension(*made, by, extension.nid, extension.value);
  if (!good || X509_sign(made.get(), &issuer_key, EVP_sha256()) == 0)
    return openssl_failure("cannot make the certificate of " + common_name);
  return made;
}

struct Pair {
  fs::path key, certificate;
};

// Both files or none.
Result<void> write_new_pair(const Pair& files, EVP_PKEY& key, X509& certificate) {
  TRY(write_new_file(files.key, pem_of(key), 0600));
  const auto written = write_new_file(files.certificate, pem_of(certificate), 0644);
  if (!written) {
    std::error_code ignored;
    fs::remove(files.key, ignored);
  }
  return written;
}

Result<void> write_pair(const Pair& files, EVP_PKEY& key, X509& certificate,
                        Existing existing = Existing::refuse) {
  if (existing == Existing::refuse) return write_new_pair(files, key, certificate);
  const Pair beside{files.key.string() + ".new", files.certificate.string() + ".new"};
  std::error_code ignored;  // of an interrupted replacement
  fs::remove(beside.key, ignored);
  fs::remove(beside.certificate, ignored);
  TRY(write_new_pair(beside, key, certificate));
  TRY(sys::rename_durably(beside.key, files.key));
  return sys::rename_durably(beside.certificate, files.certificate);
}

// ",DNS:…,IP:…"
Result<std::string> host_names(const std::vector<std::string>& hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    std::array<unsigned char, 16> address{};
    const bool is_address = ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                            ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
    if (host.empty() || host.find_first_of(", \t\n\"'@;=") != std::string::npos)
      return fail(Errc::invalid_argument, "'" + host + "' is neither a host name nor an address");
    names += (is_address ? ",IP:" : ",DNS:") + host;
  }
  return names;
}

std::string text_of_address(const ASN1_OCTET_STRING& bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(&bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(&bytes) != 16) return {};
  return ::inet_ntop(family, ASN1_STRING_get0_data(&bytes), text, sizeof text);
}

std::vector<std::string> hosts_of(X509& certificate) {
  std::vector<std::string> hosts;
  const NamesPtr names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS)
      hosts.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                         static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (name->type == GEN_IPADD) hosts.push_back(text_of_address(*name->d.iPAddress));
  }
  return hosts;
}

Result<void> check_authority(X509& authority, const std::string& cluster) {
  bool found = false;
  const NamesPtr names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&authority, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* text =
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier));
    found = found || authority_uri_of(cluster) == text;
  }
  if (!found)
    return fail(Errc::wrong_cluster, "the authority here is not that of cluster '" + cluster + "'");
  return {};
}

}  // namespace

fs::path authority_file(const fs::path& directory) {
  return directory / "ca.pem";
}

fs::path node_certificate_file(const fs::path& directory, NodeId node) {
  return directory / ("node-" + to_string(node) + ".pem");
}

fs::path node_key_file(const fs::path& directory, NodeId node) {
  return directory / ("node-" + to_string(node) + ".key");
}

Result<void> make_authority(const fs::path& directory, const std::string& cluster, WallTime now) {
  TRY(check_cluster_name(cluster));
  TRY(sys::make_directory(directory));
  const KeyPtr key{EVP_EC_gen("P-256")};
  if (!key) return openssl_failure("cannot make a key");
  TRY_ASSIGN(const auto certificate,
             sign("cluster " + cluster, *key, nullptr, *key, now, authority_days,
                  {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                   {NID_key_usage, "critical,keyCertSign,cRLSign"},
                   {NID_subject_key_identifier, "hash"},
                   {NID_subject_alt_name, "URI:" + authority_uri_of(cluster)}}));
  return write_pair({authority_key_file(directory), authority_file(directory)}, *key, *certificate);
}

namespace {

// A certificate signed by the authority in `directory`.
Result<void> issue(const fs::path& directory, const std::string& cluster, const Pair& files,
                   const std::string& common_name, const std::string& usage,
                   const std::string& names, WallTime now, int valid_days, Existing existing) {
  TRY_ASSIGN(const auto authority, load_certificate(authority_file(directory)));
  TRY_ASSIGN(const auto authority_key, load_key(authority_key_file(directory)));
  if (!cluster.empty()) TRY(check_authority(*authority, cluster));
  const KeyPtr key{EVP_EC_gen("P-256")};
  if (!key) return openssl_failure("cannot make a key");
  TRY_ASSIGN(const auto certificate,
             sign(common_name, *key, authority.get(), *authority_key, now, valid_days,
                  {{NID_basic_constraints, "critical,CA:FALSE"},
                   {NID_key_usage, "critical,digitalSignature"},
                   {NID_ext_key_usage, usage},
                   {NID_subject_key_identifier, "hash"},
                   {NID_authority_key_identifier, "keyid:always"},
                   {NID_subject_alt_name, names}}));
  return write_pair(files, *key, *certificate, existing);
}

}  // namespace

Result<void> make_node_certificate(const fs::path& directory, const Identity& identity,
                                   const std::vector<std::string>& hosts, WallTime now,
                                   int valid_days, Existing existing) {
  TRY(check_cluster_name(identity.cluster));
  if (!identity.node) return fail(Errc::invalid_argument, "a node id is 1 or more");
  TRY_ASSIGN(const std::string names, host_names(hosts));
  return issue(
      directory, identity.cluster,
      {node_key_file(directory, identity.node), node_certificate_file(directory, identity.node)},
      "node " + to_string(identity.node) + " of " + identity.cluster, "serverAuth,clientAuth",
      "URI:" + uri_of(identity) + names, now, valid_days, existing);
}

Result<void> make_api_certificate(const fs::path& directory, const std::string& name,
                                  const std::vector<std::string>& hosts, WallTime now,
                                  int valid_days, Existing existing) {
  TRY(check_cluster_name(name));  // the same letters
  if (name == "ca" || name.starts_with("node-") || name.starts_with("."))
    return fail(Errc::invalid_argument, "'" + name + "' is the name of other files here");
  if (hosts.empty())
    return fail(Errc::invalid_argument, "the certificate of an API needs a host name or address");
  TRY_ASSIGN(const std::string names, host_names(hosts));
  return issue(directory, "", {directory / (name + ".key"), directory / (name + ".pem")},
               "API " + name, "serverAuth", names.substr(1), now, valid_days, existing);
}

Result<CertificateInfo> read_certificate(const fs::path& path) {
  TRY_ASSIGN(const auto certificate, load_certificate(path));
  TRY_ASSIGN(auto identity, identity_of(*certificate));
  return CertificateInfo{std::move(identity), wall_time_of(X509_get0_notBefore(certificate.get())),
                         wall_time_of(X509_get0_notAfter(certificate.get())),
                         hosts_of(*certificate)};
}

Result<CertificateInfo> read_any_certificate(const fs::path& path) {
  TRY_ASSIGN(const auto certificate, load_certificate(path));
  auto identity = identity_of(*certificate);
  return CertificateInfo{identity ? std::move(*identity) : Identity{},
                         wall_time_of(X509_get0_notBefore(certificate.get())),
                         wall_time_of(X509_get0_notAfter(certificate.get())),
                         hosts_of(*certificate)};
}

}  // namespace mainstay::tls
