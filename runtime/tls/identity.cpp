#include "runtime/tls/identity.hpp"

#include <charconv>

namespace mainstay::tls {

namespace {

constexpr std::string_view scheme = "mainstay://";
constexpr std::string_view node_part = "/node/";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

}  // namespace

Result<void> check_cluster_name(std::string_view name) {
  bool good = !name.empty() && name.size() <= cluster_name_bytes_max;
  for (char c : name) good = good && is_name_character(c);
  if (!good)
    return fail(Errc::invalid_argument, "'" + std::string{name} +
                                            "' cannot name a cluster in certificates: 1 to 63 "
                                            "letters, digits, '-', '.', '_' are expected");
  return {};
}

std::string uri_of(const Identity& identity) {
  return std::string{scheme} + identity.cluster + std::string{node_part} + to_string(identity.node);
}

std::string authority_uri_of(std::string_view cluster) {
  return std::string{scheme} + std::string{cluster} + "/authority";
}

Result<Identity> identity_of_uri(std::string_view uri) {
  const auto refuse = [uri] {
    return fail(Errc::invalid_argument, "'" + std::string{uri} + "' is not the identity of a node");
  };
  std::string_view rest = uri;
  if (rest.substr(0, scheme.size()) != scheme) return refuse();
  rest.remove_prefix(scheme.size());
  const auto slash = rest.find(node_part);
  if (slash == std::string_view::npos) return refuse();
  Identity identity;
  identity.cluster = rest.substr(0, slash);
  const std::string_view digits = rest.substr(slash + node_part.size());
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, identity.node.value);
  // Only the one spelling that uri_of() makes: "01" would be a second name for node 1.
  if (error != std::errc{} || end != last || !identity.node ||
      !check_cluster_name(identity.cluster) || uri_of(identity) != uri)
    return refuse();
  return identity;
}

}  // namespace mainstay::tls
