// Making and reading the certificates of a cluster: one authority, one certificate a node. For the
// tool and for tests.
//
// Files in `directory`: ca.pem, ca.key, node-<id>.pem, node-<id>.key (PEM, EC P-256; keys readable
// by their owner only). Nothing that exists is ever overwritten. Keep ca.key away from the nodes:
// they need ca.pem and their own two files.
#pragma once

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

// Makes the certificate of a node, signed by the authority in `directory`. `hosts`: DNS names and
// addresses for programs that check them; nodes themselves check the identity only. Errors: as
// above; not_found without an authority; wrong_cluster.
Result<void> make_node_certificate(const std::filesystem::path& directory, const Identity& identity,
                                   const std::vector<std::string>& hosts, WallTime now,
                                   int valid_days = node_days);

std::filesystem::path authority_file(const std::filesystem::path& directory);
std::filesystem::path node_certificate_file(const std::filesystem::path& directory, NodeId node);
std::filesystem::path node_key_file(const std::filesystem::path& directory, NodeId node);

// What a certificate file says; not whether it is trusted. Errors: not_found, io_error,
// invalid_argument.
struct CertificateInfo {
  Identity identity;
  WallTime not_before;
  WallTime not_after;
};
Result<CertificateInfo> read_certificate(const std::filesystem::path& path);

}  // namespace mainstay::tls
