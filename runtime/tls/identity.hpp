// Who a certificate says its holder is: a node of a named cluster, written as a URI in the subject
// alternative names.
//   mainstay://<cluster name>/node/<node id>       a node
//   mainstay://<cluster name>/authority            the cluster's certificate authority
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::tls {

struct Identity {
  std::string cluster;
  NodeId node;

  bool operator==(const Identity&) const = default;
};

inline constexpr std::size_t cluster_name_bytes_max = 63;

// 1 to 63 of a-z A-Z 0-9 - . _ (they stand in a URI without quoting). Errors: invalid_argument.
Result<void> check_cluster_name(std::string_view name);

std::string uri_of(const Identity& identity);
std::string authority_uri_of(std::string_view cluster);

// Errors: invalid_argument for anything that uri_of() does not make.
Result<Identity> identity_of_uri(std::string_view uri);

}  // namespace mainstay::tls
