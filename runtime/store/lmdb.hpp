// LMDB with owners: environments, transactions and cursors that close themselves, and errors with
// words. Private to runtime/store; the only place that includes <lmdb.h>. A transaction is used by
// one thread; an environment by any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include <lmdb.h>

#include "runtime/base/result.hpp"

namespace mainstay::store::lmdb {

// "log '/var/…/log': cannot commit: <LMDB's words>". A full map is storage_full, damage is corrupt,
// a full reader table is busy, everything else io_error.
Error error_of(int code, std::string_view action, const std::filesystem::path& where);

inline MDB_val to_val(std::string_view bytes) {
  return MDB_val{bytes.size(), const_cast<char*>(bytes.data())};
}
inline std::string_view to_view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

struct EnvOptions {
  std::filesystem::path directory;  // must exist
  std::uint64_t map_bytes = 0;
  unsigned flags = 0;  // beside MDB_NOTLS, which is always set
  unsigned tables_max = 4;
  unsigned readers_max = 126;
  bool create = true;  // false: a missing data file is corrupt, not a new environment
};

class Env {
 public:
  // Opens or creates. A data file shorter than its own header says is filled up with zeros, so that
  // reading what is lost gives an error instead of a signal.
  static Result<Env> open(const EnvOptions& options);

  Env() = default;
  Env(Env&& other) noexcept;
  Env& operator=(Env&& other) noexcept;
  ~Env();

  MDB_env* get() const { return env_; }
  const std::filesystem::path& directory() const { return directory_; }
  explicit operator bool() const { return env_ != nullptr; }

  // Data and directory entry are durable afterwards.
  Result<void> sync();
  // Bytes of the pages in use by the given tables and LMDB's own, and of the file.
  struct Usage {
    std::uint64_t used_bytes = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t map_bytes = 0;
  };
  Usage usage(std::initializer_list<MDB_dbi> tables) const;
  // Frees reader slots of dead processes.
  void check_readers();

 private:
  MDB_env* env_ = nullptr;
  std::filesystem::path directory_;
};

class Txn {
 public:
  enum class Kind : std::uint8_t { read, write };
  static Result<Txn> begin(const Env& env, Kind kind);
  // Takes over a read transaction that was reset and renewed elsewhere.
  Txn(const Env& env, MDB_txn* txn) : txn_{txn}, env_{&env} {}

  Txn(Txn&& other) noexcept : txn_{other.release()}, env_{other.env_} {}
  Txn& operator=(Txn&& other) noexcept {
    abort();
    txn_ = other.release();
    env_ = other.env_;
    return *this;
  }
  ~Txn() { abort(); }

  MDB_txn* get() const { return txn_; }
  const Env& env() const { return *env_; }
  MDB_txn* release();
  void abort();
  Result<void> commit();

  Result<MDB_dbi> open_table(const char* name, unsigned flags);
  // Absent: nullopt. The view is valid until the next write in this transaction, or its end.
  Result<std::optional<std::string_view>> get(MDB_dbi table, std::string_view key) const;
  Result<void> put(MDB_dbi table, std::string_view key, std::string_view value, unsigned flags = 0);
  // Absent is fine.
  Result<void> erase(MDB_dbi table, std::string_view key);
  Result<std::uint64_t> count(MDB_dbi table) const;
  Error error(int code, std::string_view action) const {
    return error_of(code, action, env_->directory());
  }

 private:
  MDB_txn* txn_ = nullptr;
  const Env* env_ = nullptr;
};

// Must end before its write transaction commits.
class Cursor {
 public:
  static Result<Cursor> open(const Txn& txn, MDB_dbi table);
  Cursor(Cursor&& other) noexcept : cursor_{other.cursor_}, txn_{other.txn_} {
    other.cursor_ = nullptr;
  }
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  }

  struct Row {
    std::string_view key;
    std::string_view value;
  };
  Result<std::optional<Row>> first() { return move({}, MDB_FIRST); }
  Result<std::optional<Row>> last() { return move({}, MDB_LAST); }
  Result<std::optional<Row>> next() { return move({}, MDB_NEXT); }
  Result<std::optional<Row>> previous() { return move({}, MDB_PREV); }
  Result<std::optional<Row>> at(std::string_view key) { return move(key, MDB_SET_KEY); }
  Result<std::optional<Row>> at_or_after(std::string_view key) { return move(key, MDB_SET_RANGE); }
  Result<void> erase();
  // REQUIRES: the key is greater than every row's.
  Result<void> append(std::string_view key, std::string_view value);

 private:
  Cursor(MDB_cursor* cursor, const Txn& txn) : cursor_{cursor}, txn_{&txn} {}
  Result<std::optional<Row>> move(std::string_view key, MDB_cursor_op operation);

  MDB_cursor* cursor_ = nullptr;
  const Txn* txn_ = nullptr;
};

}  // namespace mainstay::store::lmdb
