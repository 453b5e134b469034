// Making and reading the certificates of a cluster: one authority, one certificate a node. For the
// tool and for tests.
//
// Files in `directory`: ca.pem, ca.key, node-<id>.pem, node-<id>.key, <name>.pem and <name>.key of
// an API (PEM, EC P-256; keys readable by their owner only). Nothing that exists is overwritten,
// unless Existing::replace says so. Keep ca.key away from the nodes: they need ca.pem and their own
// two files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/tls/identity.hpp"

namespace mainstay::tls {

inline constexpr int authority_days = 3650;
inline constexpr int node_days = 365;

// Makes the authority of `cluster`. Creates `directory` when missing. Errors: invalid_argument,
// already_exists, io_error.
Result<void> make_authority(const std::filesystem::path& directory, const std::string& cluster,
                            WallTime now);

// What to do with files that are there. Replaced ones are renamed over, the key first: whoever
// reads the two between sees that they do not belong together, and reads again.
enum class Existing : std::uint8_t { refuse, replace };

// Makes the certificate of a node, signed by the authority in `directory`. `hosts`: DNS names and
// addresses for programs that check them; nodes themselves check the identity only. Errors: as
// above; not_found without an authority; wrong_cluster.
Result<void> make_node_certificate(const std::filesystem::path& directory, const Identity& identity,
                                   const std::vector<std::string>& hosts, WallTime now,
                                   int valid_days = node_days,
                                   Existing existing = Existing::refuse);

// Makes a certificate for the HTTP API at these host names and addresses: <name>.pem and
// <name>.key. It names no node, so that nodes refuse it as a peer's. Errors: as above;
// invalid_argument for a name that is not of a-z A-Z 0-9 - . _, or that a node's or the authority's
// files have.
Result<void> make_api_certificate(const std::filesystem::path& directory, const std::string& name,
                                  const std::vector<std::string>& hosts, WallTime now,
                                  int valid_days = node_days, Existing existing = Existing::refuse);

std::filesystem::path authority_file(const std::filesystem::path& directory);
std::filesystem::path node_certificate_file(const std::filesystem::path& directory, NodeId node);
std::filesystem::path node_key_file(const std::filesystem::path& directory, NodeId node);

// What a certificate file says; not whether it is trusted. Errors: not_found, io_error,
// invalid_argument.
struct CertificateInfo {
  Identity identity;
  WallTime not_before;
  WallTime not_after;
  std::vector<std::string> hosts;  // DNS names and addresses
};
Result<CertificateInfo> read_certificate(const std::filesystem::path& path);

// The same of a certificate that need not name a node: the identity is empty then.
Result<CertificateInfo> read_any_certificate(const std::filesystem::path& path);

}  // namespace mainstay::tls
