#include "runtime/store/lmdb.hpp"

#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::store::lmdb {
namespace {

Errc kind_of(int code) {
  switch (code) {
    case MDB_MAP_FULL:
    case ENOSPC:
      return Errc::storage_full;
    case MDB_READERS_FULL:
      return Errc::busy;
    case MDB_VERSION_MISMATCH:
      return Errc::wrong_version;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
    case MDB_PANIC:
      return Errc::corrupt;
    default:
      return Errc::io_error;
  }
}

// An environment that should be there; LMDB would make an empty one in its place.
Result<void> check_there(const std::filesystem::path& directory) {
  const auto file = directory / "data.mdb";
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error || size == 0) return fail(Errc::corrupt, "'" + file.string() + "' is missing or empty");
  return {};
}

// LMDB reads its file through a memory map: a page beyond the end of a file that was cut would be a
// bus error.
Result<void> fill_up(MDB_env* env, const std::filesystem::path& directory) {
  MDB_envinfo info{};
  MDB_stat stat{};
  int code = mdb_env_info(env, &info);
  if (code == 0) code = mdb_env_stat(env, &stat);
  if (code != 0) return Failure{error_of(code, "look at", directory)};
  const std::uint64_t wanted = (info.me_last_pgno + 1) * std::uint64_t{stat.ms_psize};
  const auto file = directory / "data.mdb";
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (error) return Failure{sys::system_error("look at", file, error.value())};
  if (size < wanted) std::filesystem::resize_file(file, wanted, error);
  if (error) return Failure{sys::system_error("extend", file, error.value())};
  return {};
}

}  // namespace

Error error_of(int code, std::string_view action, const std::filesystem::path& where) {
  std::string message = "'" + where.string() + "': cannot ";
  message.append(action).append(": ").append(mdb_strerror(code));
  if (code == MDB_MAP_FULL) message += " (raise the map size: it is address space, not disk)";
  return Error{kind_of(code), std::move(message)};
}

Result<Env> Env::open(const EnvOptions& options) {
  if (!options.create) TRY(check_there(options.directory));
  Env env;
  env.directory_ = options.directory;
  int code = mdb_env_create(&env.env_);
  if (code == 0) code = mdb_env_set_mapsize(env.env_, options.map_bytes);
  if (code == 0) code = mdb_env_set_maxdbs(env.env_, options.tables_max);
  if (code == 0) code = mdb_env_set_maxreaders(env.env_, options.readers_max);
  const unsigned flags = options.flags | MDB_NOTLS;
  if (code == 0) code = mdb_env_open(env.env_, options.directory.c_str(), flags, 0640);
  if (code != 0) return Failure{error_of(code, "open the database", options.directory)};
  ASSERT(static_cast<std::size_t>(mdb_env_get_maxkeysize(env.env_)) >= limits::lmdb_key_bytes_max);
  TRY(fill_up(env.env_, options.directory));
  return env;
}

Env::Env(Env&& other) noexcept
    : env_{std::exchange(other.env_, nullptr)}, directory_{std::move(other.directory_)} {}

Env& Env::operator=(Env&& other) noexcept {
  std::swap(env_, other.env_);
  std::swap(directory_, other.directory_);
  return *this;
}

Env::~Env() {
  if (env_ != nullptr) mdb_env_close(env_);
}

Result<void> Env::sync() {
  if (const int code = mdb_env_sync(env_, 1); code != 0)
    return Failure{error_of(code, "sync", directory_)};
  return sys::sync_directory(directory_);
}

Env::Usage Env::usage(std::initializer_list<MDB_dbi> tables) const {
  Usage usage;
  MDB_envinfo info{};
  MDB_stat stat{};
  if (mdb_env_info(env_, &info) != 0 || mdb_env_stat(env_, &stat) != 0) return usage;
  usage.map_bytes = info.me_mapsize;
  usage.file_bytes = (info.me_last_pgno + 1) * std::uint64_t{stat.ms_psize};
  std::uint64_t pages = 2;  // the two headers
  const auto txn = Txn::begin(*this, Txn::Kind::read);
  if (!txn) return usage;
  for (const MDB_dbi table : tables)
    if (mdb_stat(txn->get(), table, &stat) == 0)
      pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
  usage.used_bytes = pages * stat.ms_psize;
  return usage;
}

void Env::check_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead);
}

Result<Txn> Txn::begin(const Env& env, Kind kind) {
  MDB_txn* txn = nullptr;
  const unsigned flags = kind == Kind::read ? unsigned{MDB_RDONLY} : 0U;
  if (const int code = mdb_txn_begin(env.get(), nullptr, flags, &txn); code != 0)
    return Failure{error_of(code, "begin a transaction", env.directory())};
  return Txn{env, txn};
}

MDB_txn* Txn::release() {
  return std::exchange(txn_, nullptr);
}

void Txn::abort() {
  if (txn_ != nullptr) mdb_txn_abort(release());
}

Result<void> Txn::commit() {
  // LMDB frees the transaction whether the commit succeeds or not.
  if (const int code = mdb_txn_commit(release()); code != 0) return Failure{error(code, "commit")};
  return {};
}

Result<MDB_dbi> Txn::open_table(const char* name, unsigned flags) {
  MDB_dbi table = 0;
  const int code = mdb_dbi_open(txn_, name, flags, &table);
  if (code == MDB_NOTFOUND)
    return fail(Errc::corrupt,
                "'" + env_->directory().string() + "': the table '" + name + "' is missing");
  if (code != 0) return Failure{error(code, "open a table")};
  return table;
}

Result<std::optional<std::string_view>> Txn::get(MDB_dbi table, std::string_view key) const {
  MDB_val wanted = to_val(key);
  MDB_val found{};
  const int code = mdb_get(txn_, table, &wanted, &found);
  if (code == MDB_NOTFOUND) return std::optional<std::string_view>{};
  if (code != 0) return Failure{error(code, "read")};
  return std::optional{to_view(found)};
}

Result<void> Txn::put(MDB_dbi table, std::string_view key, std::string_view value, unsigned flags) {
  MDB_val key_value = to_val(key);
  MDB_val data = to_val(value);
  if (const int code = mdb_put(txn_, table, &key_value, &data, flags); code != 0)
    return Failure{error(code, "write")};
  return {};
}

Result<void> Txn::erase(MDB_dbi table, std::string_view key) {
  MDB_val key_value = to_val(key);
  const int code = mdb_del(txn_, table, &key_value, nullptr);
  if (code != 0 && code != MDB_NOTFOUND) return Failure{error(code, "erase")};
  return {};
}

Result<std::uint64_t> Txn::count(MDB_dbi table) const {
  MDB_stat stat{};
  if (const int code = mdb_stat(txn_, table, &stat); code != 0)
    return Failure{error(code, "count")};
  return std::uint64_t{stat.ms_entries};
}

Result<Cursor> Cursor::open(const Txn& txn, MDB_dbi table) {
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(txn.get(), table, &cursor); code != 0)
    return Failure{txn.error(code, "open a cursor")};
  return Cursor{cursor, txn};
}

Result<std::optional<Cursor::Row>> Cursor::move(std::string_view key, MDB_cursor_op operation) {
  MDB_val at = to_val(key);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &at, &value, operation);
  if (code == MDB_NOTFOUND) return std::optional<Row>{};
  if (code != 0) return Failure{txn_->error(code, "read")};
  return std::optional{Row{to_view(at), to_view(value)}};
}

Result<void> Cursor::erase() {
  if (const int code = mdb_cursor_del(cursor_, 0); code != 0)
    return Failure{txn_->error(code, "erase")};
  return {};
}

Result<void> Cursor::append(std::string_view key, std::string_view value) {
  MDB_val at = to_val(key);
  MDB_val data = to_val(value);
  if (const int code = mdb_cursor_put(cursor_, &at, &data, MDB_APPEND); code != 0)
    return Failure{txn_->error(code, "append")};
  return {};
}

}  // namespace mainstay::store::lmdb
