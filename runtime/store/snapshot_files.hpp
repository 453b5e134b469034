// The files below snapshots/: what this node made for others (<id>.snap) and what it is receiving
// (<id>.part). Private to runtime/store. Format: docs/formats/snapshot.md. Thread: reading chunks
// from any; the rest from one.
#pragma once

#include <filesystem>

#include "runtime/consensus/types.hpp"
#include "runtime/store/lmdb.hpp"
#include "runtime/store/usage.hpp"

namespace mainstay::store {

class SnapshotFiles {
 public:
  // `free_bytes_min`: what making and staging leave free on the disk.
  SnapshotFiles(std::filesystem::path directory, std::uint64_t free_bytes_min, FreeBytes free_bytes)
      : directory_{std::move(directory)},
        free_bytes_min_{free_bytes_min},
        free_bytes_{std::move(free_bytes)} {}

  // Creates the directory; removes what a crash left half made.
  Result<void> prepare();

  // A compacting copy of the environment, durable, with id, size and checksum filled in. Errors:
  // storage_full.
  Result<consensus::SnapshotMeta> make(const lmdb::Env& env, std::uint64_t used_bytes,
                                       consensus::SnapshotMeta meta);
  Result<std::string> read_chunk(const std::string& id, std::uint64_t offset,
                                 std::size_t bytes_max) const;
  bool holds(const std::string& id) const;
  // `serving`: index of one more that stays; 0: none.
  Result<void> prune(std::size_t keep, consensus::Index serving);

  std::uint64_t staged_bytes(const std::string& id) const;
  Result<void> stage_chunk(const consensus::SnapshotMeta& meta, std::uint64_t offset,
                           std::string_view data);
  // Checks size and checksum of what was received, makes it durable and returns its path. Errors:
  // corrupt, io_error when it cannot be synced (it is removed then).
  Result<std::filesystem::path> finish(const consensus::SnapshotMeta& meta);

 private:
  // Errors: invalid_argument. An id comes from other nodes and becomes a file name.
  Result<std::filesystem::path> path_of(const std::string& id, const char* ending) const;
  Result<void> check_space(std::uint64_t wanted) const;
  Result<void> drop_other_parts(const std::filesystem::path& kept) const;

  std::filesystem::path directory_;
  std::uint64_t free_bytes_min_;
  FreeBytes free_bytes_;
};

// XXH3-128 over a whole file.
Result<Hash128> checksum_of_file(const std::filesystem::path& path);

}  // namespace mainstay::store
