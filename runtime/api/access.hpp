// Who may do what: one table of routes with the role that each needs, and the tokens that give
// roles. docs/security.md tells it to users.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/api/backend.hpp"
#include "runtime/base/json.hpp"
#include "runtime/http/message.hpp"

namespace mainstay::api {

// A ladder: each may do what those before it may.
enum class Role : std::uint8_t { open, reader, writer, operating, admin };
std::string_view to_string(Role role);  // "operator" for operating
std::optional<Role> role_of(std::string_view name);

struct Access {
  http::Method method;
  std::string_view pattern;
  Role role;
  bool collection = false;  // the first part of the path that varies is a collection's name
};

// Every route of the API. Requests for anything else are not handled.
std::span<const Access> access_table();
// Null: not in the table.
const Access* find_access(http::Method method, std::string_view pattern);

// Who asks.
struct Principal {
  std::string name;  // of the token; in the audit trail
  Role role = Role::open;
  // Names of collections, or beginnings of names ("wms-*"); nothing: all.
  std::optional<std::vector<std::string>> collections;

  // Errors: forbidden, naming the role that is needed.
  Result<void> need(Role needed) const;
  // Whether records of this collection may be seen and, with the role for it, changed. Mainstay's
  // own collections need a role: _tokens admin, the others operator. Errors: forbidden.
  Result<void> need_collection(std::string_view collection) const;
  bool may_see(std::string_view collection) const;
};

// With authentication off.
Principal anybody();

// A token's text: "mst_<id>_<secret>". Nothing for a text of another form.
inline constexpr std::size_t token_id_size = 8;
inline constexpr std::size_t token_secret_size = 43;
std::optional<std::string_view> token_id_of(std::string_view token);

// What is kept of a token: the record _tokens/<id>.
struct TokenRecord {
  std::string name;
  std::string hash;  // "sha256:…" of the whole text
  Role role = Role::reader;
  std::optional<std::vector<std::string>> collections;
  std::string created;
  std::optional<std::string> expires;  // never without
};
Result<TokenRecord> parse_token_record(std::string_view json);
std::string to_json(const TokenRecord& token);
// `"collections":["orders"],` when there are any, and `"created":…,"expires":…`.
std::string token_members(const TokenRecord& token);

std::string hash_of_token(std::string_view token);  // "sha256:…"

struct AuthOptions {
  std::string_view bootstrap_hash;
  std::uint64_t now_millis = 0;
};
// Errors: unauthorized (another secret, expired); not_found (no token with this id in this view:
// another node may know it already).
Result<Principal> authenticate(const record::StateReader& view, std::string_view token,
                               const AuthOptions& options);

// The token of `Authorization: Bearer …`. Errors: unauthorized.
Result<std::string> bearer_of(const http::Request& request);

}  // namespace mainstay::api
