#include "runtime/store/snapshot_files.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "runtime/base/limits.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::store {

using consensus::SnapshotMeta;
using std::filesystem::path;
using sys::File;

namespace {

constexpr const char* made_ending = ".snap";
constexpr const char* part_ending = ".part";
constexpr const char* copying_name = "copying";  // a directory: the copy opens as an environment
constexpr const char* data_name = "data.mdb";

bool is_id(const std::string& id) {
  return !id.empty() && id.size() <= limits::snapshot_id_bytes_max &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
         });
}

Result<std::vector<path>> files_with(const path& directory, const char* ending) {
  std::error_code error;
  std::vector<path> found;
  for (std::filesystem::directory_iterator at{directory, error}, end; !error && at != end;
       at.increment(error))
    if (at->path().extension() == ending) found.push_back(at->path());
  if (error) return Failure{sys::system_error("list", directory, error.value())};
  return found;
}

Failure gave_way() {
  return fail(Errc::busy, "the copy of the records gave way");
}

}  // namespace

Result<Hash128> checksum_of_file(const path& file_path, const std::function<bool()>& go_on) {
  TRY_ASSIGN(const File file, File::open(file_path, File::Mode::read));
  Hash128Stream hash;
  for (std::uint64_t offset = 0;;) {
    if (go_on && !go_on()) return gave_way();
    TRY_ASSIGN(const std::string block, file.read_at(offset, limits::mib));
    hash.update(block);
    offset += block.size();
    if (block.size() < limits::mib) return hash.digest();
  }
}

Result<void> SnapshotFiles::prepare() {
  TRY(sys::make_directory(directory_));
  return sys::remove_durably(directory_ / copying_name);
}

Result<path> SnapshotFiles::path_of(const std::string& id, const char* ending) const {
  if (!is_id(id)) return fail(Errc::invalid_argument, "this is not the id of a snapshot");
  return directory_ / (id + ending);
}

Result<void> SnapshotFiles::check_space(std::uint64_t wanted) const {
  TRY_ASSIGN(const std::uint64_t free, free_bytes_(directory_));
  if (free < wanted + free_bytes_min_)
    return fail(
        Errc::storage_full,
        fmt::format(
            "a snapshot of {} bytes does not fit: {} bytes are free and {} are kept in reserve",
            wanted, free, free_bytes_min_));
  return {};
}

Result<path> SnapshotFiles::copy(const lmdb::Env& env, std::uint64_t used_bytes,
                                 const std::function<bool()>& go_on) {
  TRY(check_space(used_bytes));
  const path directory = directory_ / copying_name;
  TRY(sys::remove_durably(directory));
  TRY(sys::make_directory(directory));
  if (auto written = write_copy(env, go_on); !written) {
    drop_copy();
    return Failure{std::move(written).error()};
  }
  return directory;
}

// Best effort: the next copy begins with it, too.
void SnapshotFiles::drop_copy() const {
  std::error_code ignored;
  std::filesystem::remove_all(directory_ / copying_name, ignored);
}

// LMDB's copy cannot be told to stop: an interruption takes its file away from it.
Result<void> SnapshotFiles::write_copy(const lmdb::Env& env, const std::function<bool()>& go_on) {
  TRY_ASSIGN(File file, File::open(directory_ / copying_name / data_name, File::Mode::create));
  {
    const std::lock_guard guard{copy_mutex_};
    copying_ = &file;
    interrupted_ = false;
  }
  // Whoever interrupts makes `go_on` say no first: he sees this copy, or it sees him.
  const bool wanted = go_on();
  const int code = wanted ? mdb_env_copyfd2(env.get(), file.descriptor(), MDB_CP_COMPACT) : 0;
  {
    const std::lock_guard guard{copy_mutex_};
    copying_ = nullptr;
    if (!wanted || interrupted_) return gave_way();
  }
  if (code != 0) return Failure{lmdb::error_of(code, "copy", env.directory())};
  return file.sync();
}

void SnapshotFiles::interrupt() {
  const std::lock_guard guard{copy_mutex_};
  interrupted_ = true;
  if (copying_ != nullptr) copying_->refuse_writes();
}

Result<SnapshotMeta> SnapshotFiles::publish(SnapshotMeta meta, const std::function<bool()>& go_on) {
  const path copy = directory_ / copying_name / data_name;
  {
    TRY_ASSIGN(const File file, File::open(copy, File::Mode::read));
    TRY_ASSIGN(meta.bytes, file.size());
  }
  const auto checksum = checksum_of_file(copy, go_on);
  if (!checksum) {
    drop_copy();
    return Failure{checksum.error()};
  }
  meta.checksum = *checksum;
  meta.id = fmt::format("{:016x}-{:08x}-{}", meta.index, meta.term, hex_of(meta.checksum));
  TRY_ASSIGN(const path made, path_of(meta.id, made_ending));
  TRY(sys::rename_durably(copy, made));
  TRY(sys::remove_durably(directory_ / copying_name));
  return meta;
}

Result<std::string> SnapshotFiles::read_chunk(const std::string& id, std::uint64_t offset,
                                              std::size_t bytes_max) const {
  TRY_ASSIGN(const path made, path_of(id, made_ending));
  TRY_ASSIGN(const File file, File::open(made, File::Mode::read));
  TRY_ASSIGN(const std::uint64_t size, file.size());
  if (offset > size)
    return fail(Errc::invalid_argument,
                fmt::format("offset {} is past the end of a snapshot of {} bytes", offset, size));
  return file.read_at(offset, bytes_max);
}

bool SnapshotFiles::holds(const std::string& id) const {
  const auto made = path_of(id, made_ending);
  std::error_code error;
  return made && std::filesystem::exists(*made, error);
}

Result<void> SnapshotFiles::prune(std::size_t keep, consensus::Index serving) {
  TRY_ASSIGN(std::vector<path> files, files_with(directory_, made_ending));
  // Names begin with the index in hexadecimal: the newest sort last.
  std::sort(files.begin(), files.end(), std::greater<>{});
  const std::string served = fmt::format("{:016x}-", serving);
  for (std::size_t i = keep; i < files.size(); ++i)
    if (serving == 0 || files[i].filename().string().rfind(served, 0) != 0)
      TRY(sys::remove_durably(files[i]));
  return {};
}

std::uint64_t SnapshotFiles::staged_bytes(const std::string& id) const {
  const auto part = path_of(id, part_ending);
  if (!part) return 0;
  std::error_code error;
  const auto size = std::filesystem::file_size(*part, error);
  return error ? 0 : size;
}

Result<void> SnapshotFiles::drop_other_parts(const path& kept) const {
  TRY_ASSIGN(const std::vector<path> parts, files_with(directory_, part_ending));
  for (const path& part : parts)
    if (part != kept) TRY(sys::remove_durably(part));
  return {};
}

Result<void> SnapshotFiles::stage_chunk(const SnapshotMeta& meta, std::uint64_t offset,
                                        std::string_view data) {
  TRY_ASSIGN(const path part, path_of(meta.id, part_ending));
  if (offset + data.size() > meta.bytes)
    return fail(Errc::invalid_argument, fmt::format("the chunk ends at {}, the snapshot at {}",
                                                    offset + data.size(), meta.bytes));
  if (const std::uint64_t staged = staged_bytes(meta.id); offset != staged)
    return fail(Errc::invalid_argument,
                fmt::format("the chunk begins at {}, expected is {}", offset, staged));
  if (offset == 0) TRY(drop_other_parts(part));
  TRY(check_space(meta.bytes - offset));
  TRY_ASSIGN(File file, File::open(part, File::Mode::write));
  TRY(file.write_at(offset, data));
  receiving_ = meta.id;
  return {};
}

Result<path> SnapshotFiles::finish(const SnapshotMeta& meta) {
  TRY_ASSIGN(const path part, path_of(meta.id, part_ending));
  // A sync that failed, here or in an earlier life, leaves bytes in the page cache that no later
  // one writes. A part of which this life has added nothing since may be such a one.
  if (receiving_ != meta.id) {
    TRY(sys::remove_durably(part));
    return fail(Errc::conflict,
                "nothing was received since the last attempt to sync it; it must "
                "be fetched again");
  }
  {
    TRY_ASSIGN(File file, File::open(part, File::Mode::write));
    if (const auto synced = file.sync(); !synced) {
      receiving_.clear();
      std::error_code ignored;
      std::filesystem::remove(part, ignored);
      return Failure{synced.error()};
    }
    TRY_ASSIGN(const std::uint64_t size, file.size());
    if (size < meta.bytes)
      return fail(Errc::invalid_argument,
                  fmt::format("{} of {} bytes are staged", size, meta.bytes));
  }
  TRY_ASSIGN(const Hash128 checksum, checksum_of_file(part));
  if (checksum == meta.checksum) return part;
  TRY(sys::remove_durably(part));
  return fail(Errc::corrupt, "the received snapshot does not have the promised checksum");
}

}  // namespace mainstay::store
