// The `meta` table that each environment has: what it is, whose it is, and its few single rows.
// Private to runtime/store.
//
//   key         body
//   "format"    u32 format version of the environment
//   "identity"  cluster (2×u64), group u64, node u64, incarnation u64
//   (others)    log_open.cpp, record_store.cpp
//
//   value := crc32c:u32 (of key, then all that follows) ∙ version:u16 = 1 ∙ zero:u16 ∙ body
//   Little-endian.
#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/store/lmdb.hpp"

namespace mainstay::store {

inline constexpr std::uint32_t environment_format = 1;

// Whose data an environment holds. Cluster zero: not formed yet.
struct Ownership {
  ClusterId cluster;
  GroupId group = first_group;
  NodeId node;
  Incarnation incarnation;

  bool operator==(const Ownership&) const = default;
};

std::string seal(std::string_view key, std::string_view body);
// Errors: corrupt, wrong_version.
Result<std::string_view> unseal(std::string_view key, std::string_view value);

Result<void> put_meta(lmdb::Txn& txn, MDB_dbi meta, std::string_view key, std::string_view body);
// Errors: corrupt when the row is missing or damaged.
Result<std::string_view> get_meta(const lmdb::Txn& txn, MDB_dbi meta, std::string_view key);

Result<void> put_format(lmdb::Txn& txn, MDB_dbi meta);
// Errors: wrong_version with what to do; corrupt.
Result<void> check_format(const lmdb::Txn& txn, MDB_dbi meta);

Result<void> put_ownership(lmdb::Txn& txn, MDB_dbi meta, const Ownership& ownership);
Result<Ownership> get_ownership(const lmdb::Txn& txn, MDB_dbi meta);
// Errors: wrong_cluster naming what differs.
Result<void> check_ownership(const Ownership& found, const Ownership& expected,
                             const std::filesystem::path& where);

}  // namespace mainstay::store
