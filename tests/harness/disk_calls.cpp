// The C calls by which liblmdb, the C++ library and our own code change files, defined in the
// program and therefore preferred by the dynamic linker over those of the C library (ELF symbol
// preemption). Calls that concern no simulated disk go straight to the kernel.
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/harness/disk_state.hpp"

namespace mainstay::harness {

thread_local int PastTheDisk::depth = 0;

DiskRegistry& disk_registry() {
  static DiskRegistry registry;
  return registry;
}

SimDisk::State* DiskRegistry::of_path(const std::string& path) const {
  for (SimDisk::State* disk : disks)
    if ((path + "/").compare(0, disk->root.size(), disk->root) == 0) return disk;
  return nullptr;
}

namespace real_call {

ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset) {
  return ::syscall(SYS_pwrite64, fd, data, bytes, offset);
}
ssize_t pread(int fd, void* data, std::size_t bytes, off_t offset) {
  return ::syscall(SYS_pread64, fd, data, bytes, offset);
}
int ftruncate(int fd, off_t size) {
  return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}
int rename(const char* from, const char* to) {
  return static_cast<int>(::syscall(SYS_rename, from, to));
}
int unlink(const char* path) {
  return static_cast<int>(::syscall(SYS_unlink, path));
}
int rmdir(const char* path) {
  return static_cast<int>(::syscall(SYS_rmdir, path));
}
int mkdir(const char* path, mode_t mode) {
  return static_cast<int>(::syscall(SYS_mkdir, path, mode));
}
int link(const char* from, const char* to) {
  return static_cast<int>(::syscall(SYS_link, from, to));
}

}  // namespace real_call

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

std::string path_of(int fd) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  char path[PATH_MAX];
  const ssize_t length = ::readlink(link, path, sizeof path);
  return length > 0 ? std::string{path, static_cast<std::size_t>(length)} : std::string{};
}

std::string absolute(int directory, const char* path) {
  if (path[0] == '/') return path;
  if (directory != AT_FDCWD) return path_of(directory) + "/" + path;
  char here[PATH_MAX];
  return ::getcwd(here, sizeof here) != nullptr ? std::string{here} + "/" + path
                                                : std::string{path};
}

bool covers(const std::string& directory, const std::string& path) {
  return path.size() > directory.size() && path[directory.size()] == '/' &&
         path.compare(0, directory.size(), directory) == 0 &&
         path.find('/', directory.size() + 1) == std::string::npos;
}

// Where a descriptor leads: the disk it belongs to, its key, and its bookkeeping (made at first
// sight). Disk null: none of ours.
struct Target {
  SimDisk::State* disk = nullptr;
  DiskFile* file = nullptr;
  struct stat status {};
};

Target target_of(int fd) {
  Target target;
  if (PastTheDisk::active() || disk_registry().disks.empty()) return target;
  if (::fstat(fd, &target.status) != 0) return target;
  if (!S_ISREG(target.status.st_mode) && !S_ISDIR(target.status.st_mode)) return target;
  const FileKey key{target.status.st_dev, target.status.st_ino};
  for (SimDisk::State* disk : disk_registry().disks) {
    if (auto at = disk->files.find(key); at != disk->files.end()) {
      target.disk = disk;
      target.file = at->second.get();
      return target;
    }
  }
  const std::string path = path_of(fd);
  target.disk = disk_registry().of_path(path);
  if (target.disk == nullptr || S_ISDIR(target.status.st_mode)) return target;
  auto file = std::make_unique<DiskFile>();
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  file->fd = ::open(link, O_RDWR | O_CLOEXEC);
  file->path_at_first_sight = path;
  file->durable_size = target.status.st_size;
  target.file = (target.disk->files[key] = std::move(file)).get();
  return target;
}

// What the armed faults say about this operation.
enum class Fate { happen, fail, vanish };

Fate fate_of(SimDisk::State& disk) {
  if (disk.detached) return Fate::vanish;
  if (disk.cut_armed && !disk.cut) {
    if (disk.cut_in == 0)
      disk.cut = true;
    else
      --disk.cut_in;
  }
  if (disk.cut) {  // the process is dead already; an error brings it to notice soon
    errno = EIO;
    return Fate::fail;
  }
  if (disk.failure_armed && !disk.failing) {
    if (disk.failure_in == 0)
      disk.failing = true;
    else
      --disk.failure_in;
  }
  if (disk.failing) {
    errno = disk.failure;
    return Fate::fail;
  }
  return Fate::happen;
}

void remember(DiskFile& file, off_t offset, std::size_t bytes, off_t size_before) {
  const std::uint64_t first = static_cast<std::uint64_t>(offset) / disk_block_bytes;
  const std::uint64_t last = (static_cast<std::uint64_t>(offset) + bytes - 1) / disk_block_bytes;
  for (std::uint64_t block = first; block <= last; ++block) {
    file.dropped.erase(block);
    if (file.before.contains(block)) continue;
    std::string old(disk_block_bytes, '\0');
    ssize_t got = 0;
    if (static_cast<off_t>(block * disk_block_bytes) < size_before)
      got = real_call::pread(file.fd, old.data(), old.size(),
                             static_cast<off_t>(block * disk_block_bytes));
    old.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    file.before.emplace(block, std::move(old));
  }
  if (offset + static_cast<off_t>(bytes) > size_before) file.size_changed = true;
}

void forget_blocks(DiskFile& file, off_t offset, std::size_t bytes) {
  const std::uint64_t first = static_cast<std::uint64_t>(offset) / disk_block_bytes;
  const std::uint64_t last = (static_cast<std::uint64_t>(offset) + bytes - 1) / disk_block_bytes;
  file.before.erase(file.before.lower_bound(first), file.before.upper_bound(last));
  file.dropped.erase(file.dropped.lower_bound(first), file.dropped.upper_bound(last));
}

ssize_t do_pwrite(int fd, const void* data, std::size_t bytes, off_t offset) {
  Guard guard{disk_registry().mutex};
  const Target target = target_of(fd);
  if (target.file == nullptr || bytes == 0) return real_call::pwrite(fd, data, bytes, offset);
  ++target.disk->writes;
  switch (fate_of(*target.disk)) {
    case Fate::fail:
      return -1;
    case Fate::vanish:
      return static_cast<ssize_t>(bytes);
    case Fate::happen:
      break;
  }
  const bool at_once = (::fcntl(fd, F_GETFL) & O_DSYNC) != 0;
  if (!at_once) remember(*target.file, offset, bytes, target.status.st_size);
  const ssize_t done = real_call::pwrite(fd, data, bytes, offset);
  if (at_once && done > 0) {
    forget_blocks(*target.file, offset, static_cast<std::size_t>(done));
    target.file->durable_size =
        std::max(target.file->durable_size, offset + static_cast<off_t>(done));
  }
  return done;
}

ssize_t do_write(int fd, const void* data, std::size_t bytes) {
  Guard guard{disk_registry().mutex};
  const Target target = target_of(fd);
  if (target.file == nullptr) return ::syscall(SYS_write, fd, data, bytes);
  off_t offset = ::lseek(fd, 0, SEEK_CUR);
  if ((::fcntl(fd, F_GETFL) & O_APPEND) != 0) offset = target.status.st_size;
  const ssize_t done = do_pwrite(fd, data, bytes, offset);
  if (done > 0) ::lseek(fd, offset + static_cast<off_t>(done), SEEK_SET);
  return done;
}

int do_sync(int fd, long call) {
  Guard guard{disk_registry().mutex};
  const Target target = target_of(fd);
  if (target.disk == nullptr) return static_cast<int>(::syscall(call, fd));
  ++target.disk->syncs;
  const std::string& from = target.disk->failure_from;
  if (!from.empty() && !target.disk->detached && path_of(fd).ends_with(from))
    target.disk->failing = true;
  switch (fate_of(*target.disk)) {
    case Fate::fail:
      // Not in a dying process: what is dirty stays so, and the next life's sync writes it.
      if (target.file != nullptr && target.disk->failing)
        for (const auto& [block, bytes] : target.file->before) target.file->dropped.insert(block);
      return -1;
    case Fate::vanish:
      return 0;
    case Fate::happen:
      break;
  }
  if (target.file != nullptr) {
    std::erase_if(target.file->before, [&dropped = target.file->dropped](const auto& block) {
      return !dropped.contains(block.first);
    });
    target.file->size_changed = false;
    target.file->durable_size = target.status.st_size;
    return 0;
  }
  const std::string directory = path_of(fd);
  auto& changes = target.disk->changes;
  auto last = std::find_if(changes.rbegin(), changes.rend(), [&](const DirectoryChange& change) {
    return covers(directory, change.from) || covers(directory, change.to);
  });
  for (auto at = changes.begin(); at != last.base(); ++at)
    if (!at->parked.empty()) real_call::unlink(at->parked.c_str());
  changes.erase(changes.begin(), last.base());
  return 0;
}

// Keeps a file that is about to lose its name; "" when there is none.
std::string park(SimDisk::State& disk, const std::string& path) {
  std::string parked = disk.parked + std::to_string(disk.parked_count++);
  return real_call::link(path.c_str(), parked.c_str()) == 0 ? parked : std::string{};
}

int do_rename(const std::string& from, const std::string& to) {
  Guard guard{disk_registry().mutex};
  SimDisk::State* disk = PastTheDisk::active() ? nullptr : disk_registry().of_path(from);
  if (disk == nullptr) return real_call::rename(from.c_str(), to.c_str());
  switch (fate_of(*disk)) {
    case Fate::fail:
      return -1;
    case Fate::vanish:
      return 0;
    case Fate::happen:
      break;
  }
  std::string parked = park(*disk, to);
  const int done = real_call::rename(from.c_str(), to.c_str());
  if (done == 0)
    disk->changes.push_back({DirectoryChange::Kind::rename, from, to, std::move(parked)});
  return done;
}

int do_remove(const std::string& path, bool directory) {
  Guard guard{disk_registry().mutex};
  SimDisk::State* disk = PastTheDisk::active() ? nullptr : disk_registry().of_path(path);
  if (disk == nullptr)
    return directory ? real_call::rmdir(path.c_str()) : real_call::unlink(path.c_str());
  switch (fate_of(*disk)) {
    case Fate::fail:
      return -1;
    case Fate::vanish:
      return 0;
    case Fate::happen:
      break;
  }
  std::string parked = directory ? std::string{} : park(*disk, path);
  const int done = directory ? real_call::rmdir(path.c_str()) : real_call::unlink(path.c_str());
  if (done == 0)
    disk->changes.push_back(
        {directory ? DirectoryChange::Kind::rmdir : DirectoryChange::Kind::unlink, path, "",
         std::move(parked)});
  return done;
}

int do_mkdir(const std::string& path, mode_t mode) {
  Guard guard{disk_registry().mutex};
  SimDisk::State* disk = PastTheDisk::active() ? nullptr : disk_registry().of_path(path);
  if (disk != nullptr && fate_of(*disk) == Fate::fail) return -1;
  const int done = real_call::mkdir(path.c_str(), mode);
  if (disk != nullptr && done == 0 && !disk->detached && !disk->cut)
    disk->changes.push_back({DirectoryChange::Kind::mkdir, path, "", ""});
  return done;
}

int do_truncate(int fd, off_t size) {
  Guard guard{disk_registry().mutex};
  const Target target = target_of(fd);
  if (target.file != nullptr) {
    switch (fate_of(*target.disk)) {
      case Fate::fail:
        return -1;
      case Fate::vanish:
        return 0;
      case Fate::happen:
        break;
    }
    if (size < target.status.st_size)
      remember(*target.file, size, static_cast<std::size_t>(target.status.st_size - size),
               target.status.st_size);
    target.file->size_changed = true;
  }
  return real_call::ftruncate(fd, size);
}

}  // namespace

}  // namespace mainstay::harness

namespace harness = mainstay::harness;

extern "C" {

ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset) {
  return harness::do_pwrite(fd, data, bytes, offset);
}
ssize_t pwrite64(int fd, const void* data, std::size_t bytes, off64_t offset) {
  return harness::do_pwrite(fd, data, bytes, offset);
}
ssize_t write(int fd, const void* data, std::size_t bytes) {
  return harness::do_write(fd, data, bytes);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  ssize_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t done = harness::do_write(fd, parts[i].iov_base, parts[i].iov_len);
    if (done < 0) return sum > 0 ? sum : -1;
    sum += done;
    if (static_cast<std::size_t>(done) < parts[i].iov_len) break;
  }
  return sum;
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  ssize_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t done = harness::do_pwrite(fd, parts[i].iov_base, parts[i].iov_len,
                                            offset + static_cast<off_t>(sum));
    if (done < 0) return sum > 0 ? sum : -1;
    sum += done;
  }
  return sum;
}
int fdatasync(int fd) {
  return harness::do_sync(fd, SYS_fdatasync);
}
int fsync(int fd) {
  return harness::do_sync(fd, SYS_fsync);
}
int ftruncate(int fd, off_t size) noexcept {
  return harness::do_truncate(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  return harness::do_truncate(fd, size);
}
int rename(const char* from, const char* to) noexcept {
  return harness::do_rename(harness::absolute(AT_FDCWD, from), harness::absolute(AT_FDCWD, to));
}
int unlink(const char* path) noexcept {
  return harness::do_remove(harness::absolute(AT_FDCWD, path), false);
}
int unlinkat(int directory, const char* path, int flags) noexcept {
  return harness::do_remove(harness::absolute(directory, path), (flags & AT_REMOVEDIR) != 0);
}
int rmdir(const char* path) noexcept {
  return harness::do_remove(harness::absolute(AT_FDCWD, path), true);
}
int remove(const char* path) noexcept {
  struct stat status {};
  if (::lstat(path, &status) != 0) return -1;
  return harness::do_remove(harness::absolute(AT_FDCWD, path), S_ISDIR(status.st_mode));
}
int mkdir(const char* path, mode_t mode) noexcept {
  return harness::do_mkdir(harness::absolute(AT_FDCWD, path), mode);
}
}
