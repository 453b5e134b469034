#include "runtime/store/sealed_meta.hpp"

#include <fmt/format.h>

#include "runtime/base/checksum.hpp"
#include "runtime/store/byte_order.hpp"

namespace mainstay::store {
namespace {

constexpr std::size_t seal_bytes = 8;
constexpr std::uint16_t seal_version = 1;
constexpr std::size_t ownership_bytes = 40;

Failure damaged(std::string_view key, std::string_view why) {
  return fail(Errc::corrupt,
              fmt::format("the row '{}' of the table 'meta' is damaged: {}", key, why));
}

Failure foreign(const std::filesystem::path& where, std::string_view what, std::string found,
                std::string expected) {
  return fail(Errc::wrong_cluster, fmt::format("'{}' belongs to {} {}, this node is of {}",
                                               where.string(), what, found, expected));
}

}  // namespace

std::string seal(std::string_view key, std::string_view body) {
  std::string value(4, '\0');
  append_little<std::uint16_t>(value, seal_version);
  append_little<std::uint16_t>(value, 0);
  value.append(body);
  put_little(value.data(), crc32c(std::string_view{value}.substr(4), crc32c(key)));
  return value;
}

Result<std::string_view> unseal(std::string_view key, std::string_view value) {
  if (value.size() < seal_bytes) return damaged(key, "too short");
  if (get_little<std::uint32_t>(value.data()) != crc32c(value.substr(4), crc32c(key)))
    return damaged(key, "the checksum does not match");
  if (const auto version = get_little<std::uint16_t>(value.data() + 4); version != seal_version)
    return fail(Errc::wrong_version,
                fmt::format("the row '{}' has the unknown version {}", key, version));
  return value.substr(seal_bytes);
}

Result<void> put_meta(lmdb::Txn& txn, MDB_dbi meta, std::string_view key, std::string_view body) {
  return txn.put(meta, key, seal(key, body));
}

Result<std::string_view> get_meta(const lmdb::Txn& txn, MDB_dbi meta, std::string_view key) {
  TRY_ASSIGN(const auto value, txn.get(meta, key));
  if (!value) return damaged(key, "it is missing");
  return unseal(key, *value);
}

Result<void> put_format(lmdb::Txn& txn, MDB_dbi meta) {
  std::string body;
  append_little(body, environment_format);
  return put_meta(txn, meta, "format", body);
}

Result<void> check_format(const lmdb::Txn& txn, MDB_dbi meta) {
  TRY_ASSIGN(const auto body, get_meta(txn, meta, "format"));
  if (body.size() != 4) return damaged("format", "wrong size");
  if (const auto format = get_little<std::uint32_t>(body.data()); format != environment_format)
    return fail(Errc::wrong_version,
                fmt::format("'{}' has format version {}, this program knows version {}: run the "
                            "release that wrote it, or a newer one",
                            txn.env().directory().string(), format, environment_format));
  return {};
}

Result<void> put_ownership(lmdb::Txn& txn, MDB_dbi meta, const Ownership& ownership) {
  std::string body;
  append_hash(body, ownership.cluster.words);
  append_little(body, ownership.group.value);
  append_little(body, ownership.node.value);
  append_little(body, ownership.incarnation.value);
  return put_meta(txn, meta, "identity", body);
}

Result<Ownership> get_ownership(const lmdb::Txn& txn, MDB_dbi meta) {
  TRY_ASSIGN(const auto body, get_meta(txn, meta, "identity"));
  if (body.size() != ownership_bytes) return damaged("identity", "wrong size");
  Ownership found;
  found.cluster.words = get_hash(body.data());
  found.group.value = get_little<std::uint64_t>(body.data() + 16);
  found.node.value = get_little<std::uint64_t>(body.data() + 24);
  found.incarnation.value = get_little<std::uint64_t>(body.data() + 32);
  return found;
}

Result<void> check_ownership(const Ownership& found, const Ownership& expected,
                             const std::filesystem::path& where) {
  if (found.cluster != expected.cluster)
    return foreign(where, "cluster", to_string(found.cluster), to_string(expected.cluster));
  if (found.group != expected.group)
    return foreign(where, "group", to_string(found.group), to_string(expected.group));
  if (found.node != expected.node)
    return foreign(where, "node", to_string(found.node), to_string(expected.node));
  if (found.incarnation != expected.incarnation)
    return foreign(where, "incarnation", to_string(found.incarnation),
                   to_string(expected.incarnation));
  return {};
}

}  // namespace mainstay::store
