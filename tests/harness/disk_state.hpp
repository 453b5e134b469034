// What sim_disk.cpp and disk_calls.cpp share: the registry of simulated disks and their
// bookkeeping. Not for others.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "tests/harness/sim_disk.hpp"

namespace mainstay::harness {

inline constexpr std::uint64_t disk_block_bytes = 4096;
inline constexpr std::uint64_t disk_sector_bytes = 512;

// One file's blocks that no sync has covered: what they held at the last sync (shorter than a
// block: the rest did not exist).
struct DiskFile {
  int fd = -1;  // our own descriptor, so that a renamed or unlinked file can still be put back
  std::string path_at_first_sight;
  off_t durable_size = 0;
  bool size_changed = false;
  std::map<std::uint64_t, std::string> before;
  // Of these, the blocks that a failed sync left in the page cache: taken for written, so that no
  // later sync writes them, unless they are written to again.
  std::set<std::uint64_t> dropped;
};

// A change of a directory that no sync has covered.
struct DirectoryChange {
  enum class Kind { rename, unlink, rmdir, mkdir };
  Kind kind = Kind::rename;
  std::string from;    // rename: old path; unlink, rmdir, mkdir: the path
  std::string to;      // rename: new path
  std::string parked;  // a hard link to the file that was unlinked or replaced, "" for none
};

using FileKey = std::pair<dev_t, ino_t>;

struct SimDisk::State {
  std::string root;  // with a trailing slash
  std::string
      parked;  // directory beside it that keeps replaced files alive until they are durably gone
  std::uint64_t parked_count = 0;
  bool detached = false;
  bool cut_armed = false, cut = false;
  std::uint64_t cut_in = 0;
  bool failure_armed = false, failing = false;
  std::uint64_t failure_in = 0;
  std::string failure_from;  // the end of a path: its next sync is the first to fail
  int failure = 0;
  std::uint64_t writes = 0, syncs = 0;
  std::map<FileKey, std::unique_ptr<DiskFile>> files;
  std::vector<DirectoryChange> changes;

  void forget_files();
};

// All disks of this program. Held by every interposed call that may concern one.
struct DiskRegistry {
  std::recursive_mutex mutex;
  std::vector<SimDisk::State*> disks;

  SimDisk::State* of_path(const std::string& path) const;
};
DiskRegistry& disk_registry();

// While one lives, calls of this thread reach the kernel directly: the simulation itself works on
// the files.
class PastTheDisk {
 public:
  PastTheDisk() { ++depth; }
  ~PastTheDisk() { --depth; }
  PastTheDisk(const PastTheDisk&) = delete;
  PastTheDisk& operator=(const PastTheDisk&) = delete;
  static bool active() { return depth > 0; }

 private:
  static thread_local int depth;
};

// The kernel's own calls, past the interposed ones.
namespace real_call {
ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset);
ssize_t pread(int fd, void* data, std::size_t bytes, off_t offset);
int ftruncate(int fd, off_t size);
int rename(const char* from, const char* to);
int unlink(const char* path);
int rmdir(const char* path);
int mkdir(const char* path, mode_t mode);
int link(const char* from, const char* to);
}  // namespace real_call

}  // namespace mainstay::harness
