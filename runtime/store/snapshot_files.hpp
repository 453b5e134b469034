// The files below snapshots/: what this node made for others (<id>.snap) and what it is receiving
// (<id>.part), and the copy that is being made (copying/). Private to runtime/store. Format:
// docs/formats/snapshot.md. Thread: reading chunks and interrupt() from any; copy() and publish()
// from one, the rest from one.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>

#include "runtime/consensus/types.hpp"
#include "runtime/store/lmdb.hpp"
#include "runtime/store/usage.hpp"
#include "runtime/sys/file.hpp"

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

  // A compacting copy of the environment as it is when this begins, durable; the directory that
  // holds it. Errors: storage_full, busy (interrupted, or `go_on` said no at the beginning).
  Result<std::filesystem::path> copy(const lmdb::Env& env, std::uint64_t used_bytes,
                                     const std::function<bool()>& go_on);
  // Gives the copy its checksum, size, id and file name. `meta` says the rest of it. Errors: busy
  // (`go_on` said no).
  Result<consensus::SnapshotMeta> publish(consensus::SnapshotMeta meta,
                                          const std::function<bool()>& go_on);
  // A copy under way ends soon, with busy.
  void interrupt();
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
  void drop_copy() const;
  Result<void> write_copy(const lmdb::Env& env, const std::function<bool()>& go_on);

  std::filesystem::path directory_;
  std::uint64_t free_bytes_min_;
  FreeBytes free_bytes_;
  // The snapshot of which this life has received bytes, and has not failed to sync them.
  std::string receiving_;
  std::mutex copy_mutex_;  // guards what follows
  const sys::File* copying_ = nullptr;
  bool interrupted_ = false;
};

// XXH3-128 over a whole file. Errors: busy when `go_on` says no.
Result<Hash128> checksum_of_file(const std::filesystem::path& path,
                                 const std::function<bool()>& go_on = {});

}  // namespace mainstay::store
