// A disk that forgets what was never synced. The files are real (on a memory file system) and so is
// LMDB above them; the C calls write, sync and rename of this program are routed through here
// (disk_calls.cpp), which keeps a before-image of every block and every directory change that no
// sync has covered yet. A power cut puts a random subset of those back; kill -9 puts nothing back.
//
// What counts as durable: blocks covered by a returned fsync/fdatasync of their file, writes
// through an O_DSYNC descriptor (LMDB writes its meta page so), directory changes covered by an
// fsync of their directory (changes are undone as a suffix in order, as journals do). A sync that
// failed drops what it should have written, as Linux does: the page cache shows it, later syncs
// succeed and do not write it.
//
// Owner: one simulated node. One simulation thread; LMDB's copy thread may write at the same time,
// hence the lock inside.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"

namespace mainstay::harness {

class SimDisk {
 public:
  // Everything below `directory` (created if missing) belongs to this disk until it is destroyed;
  // the directory is removed then.
  explicit SimDisk(std::filesystem::path directory);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  const std::filesystem::path& directory() const { return directory_; }

  // The process is about to be torn down: from now on nothing reaches the disk, every call pretends
  // success.
  void detach();
  // A new process uses the disk.
  void attach();

  // Undoes a random subset of what is not durable. The environment above must be closed. Returns
  // how many blocks and changes went.
  std::size_t power_cut(Random& random);

  // After `operations` more writes and syncs the power is gone: that one and all later ones do not
  // happen; they answer EIO, but cut_happened() says that the process is dead and its last thoughts
  // do not count.
  void cut_after(std::uint64_t operations);
  bool cut_happened() const;
  void clear_cut();
  void disarm_cut();  // one that has not happened yet

  // After `operations` more writes and syncs, every write and sync fails with `error` (EIO, ENOSPC)
  // until cleared.
  void fail_after(std::uint64_t operations, int error);
  // The same from the next sync of a file whose path ends with `suffix`.
  void fail_from_sync_of(const std::string& suffix, int error);
  bool failure_happened() const;
  void clear_failure();

  // Flips one bit inside one occurrence of `text` in a file whose path ends with `suffix`. False
  // when there is none.
  bool flip_bit(const std::string& suffix, const std::string& text, Random& random);

  // The same anywhere in what such a file holds, up to its last byte that is not zero.
  bool flip_any_bit(const std::string& suffix, Random& random);

  // One bit of this byte.
  bool flip_bit_at(const std::string& suffix, std::uint64_t at, Random& random);

  // A new, empty disk.
  void wipe();

  std::uint64_t writes() const;
  std::uint64_t syncs() const;
  std::size_t unsynced_blocks() const;

  struct State;

 private:
  std::filesystem::path directory_;
  std::unique_ptr<State> state_;
};

}  // namespace mainstay::harness
