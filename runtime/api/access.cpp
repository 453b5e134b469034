#include "runtime/api/access.hpp"

#include <algorithm>
#include <array>

#include "runtime/api/times.hpp"
#include "runtime/tls/digest.hpp"

namespace mainstay::api {

namespace {

using http::Method;

constexpr std::array<std::string_view, 5> role_names{"open", "reader", "writer", "operator",
                                                     "admin"};

constexpr Access table[] = {
    {Method::get, "/v1/collections", Role::reader},
    {Method::put, "/v1/collections/{collection}", Role::operating, true},
    {Method::get, "/v1/collections/{collection}", Role::reader, true},
    {Method::remove, "/v1/collections/{collection}", Role::operating, true},
    {Method::get, "/v1/collections/{collection}/records", Role::reader, true},
    {Method::put, "/v1/collections/{collection}/records/{key}", Role::writer, true},
    {Method::get, "/v1/collections/{collection}/records/{key}", Role::reader, true},
    {Method::patch, "/v1/collections/{collection}/records/{key}", Role::writer, true},
    {Method::remove, "/v1/collections/{collection}/records/{key}", Role::writer, true},
    {Method::get, "/v1/collections/{collection}/records/{key}/history", Role::reader, true},
    {Method::post, "/v1/collections/{collection}/entries", Role::writer, true},
    {Method::get, "/v1/collections/{collection}/entries", Role::reader, true},
    {Method::get, "/v1/collections/{collection}/balances", Role::reader, true},
    // Those that name collections in their bodies or queries look at the grants themselves.
    {Method::post, "/v1/transactions", Role::writer},
    {Method::post, "/v1/batch", Role::writer},
    {Method::get, "/v1/changes", Role::reader},
    {Method::get, "/v1/operations/{operation}", Role::reader},
    {Method::post, "/v1/operations/{operation}/fence", Role::writer},
    {Method::get, "/v1/cluster", Role::reader},
    {Method::post, "/v1/cluster/members", Role::operating},
    {Method::remove, "/v1/cluster/members/{node}", Role::operating},
    {Method::post, "/v1/cluster/members/{node}/promote", Role::operating},
    {Method::post, "/v1/cluster/transfer", Role::operating},
    {Method::post, "/v1/nodes/{node}/drain", Role::operating},
    // Those of the hub look at the grants for its rows themselves.
    {Method::get, "/v1/adapters", Role::reader},
    {Method::get, "/v1/adapters/{adapter}", Role::reader},
    {Method::post, "/v1/adapters/{adapter}/pause", Role::operating},
    {Method::post, "/v1/adapters/{adapter}/resume", Role::operating},
    {Method::post, "/v1/adapters/{adapter}/move", Role::operating},
    {Method::post, "/v1/adapters/{adapter}/backfill", Role::operating},
    {Method::post, "/v1/adapters/{adapter}/sweep", Role::operating},
    {Method::post, "/v1/adapters/{adapter}/reconcile", Role::operating},
    {Method::post, "/v1/adapters/{adapter}/replay", Role::operating},
    {Method::get, "/v1/adapters/{adapter}/letters", Role::reader},
    {Method::get, "/v1/adapters/{adapter}/letters/{letter}", Role::reader},
    {Method::put, "/v1/adapters/{adapter}/letters/{letter}", Role::operating},
    {Method::post, "/v1/adapters/{adapter}/letters/{letter}/replay", Role::operating},
    {Method::post, "/v1/adapters/{adapter}/letters/{letter}/discard", Role::operating},
    {Method::get, "/v1/adapters/{adapter}/reconciliations", Role::reader},
    {Method::get, "/v1/adapters/{adapter}/discrepancies", Role::reader},
    {Method::post, "/v1/adapters/{adapter}/discrepancies/explain", Role::operating},
    {Method::get, "/v1/trace/{key}", Role::reader},
    {Method::get, "/v1/tokens", Role::admin},
    {Method::post, "/v1/tokens", Role::admin},
    {Method::remove, "/v1/tokens/{token}", Role::admin},
    {Method::get, "/livez", Role::open},
    {Method::get, "/readyz", Role::open},
    {Method::get, "/startupz", Role::open},
    {Method::get, "/metrics", Role::reader},
    {Method::get, "/v1/openapi.json", Role::open},
    {Method::get, "/errors/{name}", Role::open},
};

bool fits(std::string_view pattern, std::string_view name) {
  if (!pattern.empty() && pattern.back() == '*')
    return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == name;
}

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

std::string text_member(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  return member != nullptr && member->is(json::Type::string) ? member->text() : std::string{};
}

Failure unknown_token() {
  return fail(Errc::unauthorized, "this token is not known here, or was taken back");
}

}  // namespace

std::string_view to_string(Role role) {
  return role_names.at(static_cast<std::size_t>(role));
}

std::optional<Role> role_of(std::string_view name) {
  for (std::size_t i = 1; i < role_names.size(); ++i)
    if (role_names[i] == name) return static_cast<Role>(i);
  return std::nullopt;
}

std::span<const Access> access_table() {
  return table;
}

const Access* find_access(Method method, std::string_view pattern) {
  const auto at = std::find_if(std::begin(table), std::end(table), [&](const Access& row) {
    return row.method == method && row.pattern == pattern;
  });
  return at == std::end(table) ? nullptr : at;
}

Result<void> Principal::need(Role needed) const {
  if (role >= needed) return {};
  return fail(Errc::forbidden, "this needs the role " + std::string{to_string(needed)} +
                                   "; token '" + name + "' has the role " +
                                   std::string{to_string(role)});
}

bool Principal::may_see(std::string_view collection) const {
  return need_collection(collection).has_value();
}

Result<void> Principal::need_collection(std::string_view collection) const {
  if (collection == record::system_collection::tokens) return need(Role::admin);
  if (collection.starts_with('_')) return need(Role::operating);
  if (!collections) return {};
  const bool granted =
      std::any_of(collections->begin(), collections->end(),
                  [&](const std::string& pattern) { return fits(pattern, collection); });
  if (granted) return {};
  return fail(Errc::forbidden,
              "token '" + name + "' is not for collection '" + std::string{collection} + "'");
}

Principal anybody() {
  return {"anybody", Role::admin, std::nullopt};
}

std::optional<std::string_view> token_id_of(std::string_view token) {
  constexpr std::string_view start = "mst_";
  if (token.size() != start.size() + token_id_size + 1 + token_secret_size) return std::nullopt;
  const std::string_view id = token.substr(start.size(), token_id_size);
  const bool formed = token.starts_with(start) && token[start.size() + token_id_size] == '_' &&
                      std::all_of(id.begin(), id.end(), is_token_character);
  return formed ? std::optional{id} : std::nullopt;
}

std::string hash_of_token(std::string_view token) {
  return "sha256:" + tls::sha256_hex(token);
}

Result<TokenRecord> parse_token_record(std::string_view json) {
  TRY_ASSIGN(const json::Value value, json::parse(json));
  TokenRecord token;
  token.name = text_member(value, "name");
  token.hash = text_member(value, "hash");
  token.created = text_member(value, "created");
  const auto role = role_of(text_member(value, "role"));
  if (!role || token.hash.empty()) return fail(Errc::corrupt, "this is not the record of a token");
  token.role = *role;
  if (const std::string expires = text_member(value, "expires"); !expires.empty())
    token.expires = expires;
  if (const json::Value* given = value.find("collections"); given != nullptr) {
    if (!given->is(json::Type::array)) return fail(Errc::corrupt, "a token's grants are no list");
    token.collections.emplace();
    for (const json::Value& item : given->items())
      if (item.is(json::Type::string)) token.collections->push_back(item.text());
  }
  return token;
}

std::string token_members(const TokenRecord& token) {
  std::string text = "\"name\":";
  json::append_string(text, token.name);
  text += ",\"role\":\"" + std::string{to_string(token.role)} + "\"";
  if (token.collections) {
    text += ",\"collections\":[";
    for (const std::string& name : *token.collections) {
      if (text.back() != '[') text += ',';
      json::append_string(text, name);
    }
    text += ']';
  }
  text += ",\"created\":\"" + token.created + "\",\"expires\":";
  text += token.expires ? "\"" + *token.expires + "\"" : "null";
  return text;
}

std::string to_json(const TokenRecord& token) {
  return "{\"hash\":\"" + token.hash + "\"," + token_members(token) + "}";
}

Result<Principal> authenticate(const record::StateReader& view, std::string_view token,
                               const AuthOptions& options) {
  const std::string hash = hash_of_token(token);
  if (!options.bootstrap_hash.empty() && tls::same_secret(hash, options.bootstrap_hash))
    return Principal{"bootstrap", Role::admin, std::nullopt};
  const auto id = token_id_of(token);
  if (!id) return unknown_token();
  const auto record = view.find_record(record::system_collection::tokens, *id);
  if (!record || record->tombstone)
    return fail(Errc::not_found, "this token is not known here, or was taken back");
  TRY_ASSIGN(TokenRecord kept, parse_token_record(record->value.view()));
  if (!tls::same_secret(hash, kept.hash)) return unknown_token();
  if (kept.expires) {
    TRY_ASSIGN(const std::uint64_t expires, millis_of_time(*kept.expires));
    if (expires <= options.now_millis)
      return fail(Errc::unauthorized, "this token expired at " + *kept.expires);
  }
  return Principal{std::move(kept.name), kept.role, std::move(kept.collections)};
}

Result<std::string> bearer_of(const http::Request& request) {
  constexpr std::string_view scheme = "bearer ";
  const auto field = request.headers.find("Authorization");
  bool bearer =
      field && field->size() > scheme.size() && request.headers.count("Authorization") == 1;
  for (std::size_t i = 0; bearer && i < scheme.size(); ++i) {
    const char c = (*field)[i];
    bearer = (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == scheme[i];
  }
  if (!bearer)
    return fail(Errc::unauthorized,
                "this node asks for a token: Authorization: Bearer mst_<id>_<secret>");
  std::string_view token = field->substr(scheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  while (token.ends_with(' ')) token.remove_suffix(1);
  return std::string{token};
}

}  // namespace mainstay::api
