// A library that the lab preloads into a node (LD_PRELOAD): it stands between the node and the C
// library for the calls by which files change and the wall clock is read. It makes syncs slow or
// fail, shifts the clock, and records what is written, as the page it shares with the lab says
// (control.hpp). Without the variables it does nothing. Depends on nothing but the C library, for
// it lives in processes it does not know.
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/torture/hook/control.hpp"
#include "runtime/torture/hook/recording.hpp"

namespace {

using mainstay::torture::Control;
using mainstay::torture::RecordHeader;
using mainstay::torture::RecordKind;

constexpr std::size_t files_max = 4096;

struct KnownFile {
  dev_t device;
  ino_t inode;
  std::uint32_t number;
};

Control* control = nullptr;
char data[PATH_MAX];  // with a slash at its end
std::size_t data_bytes = 0;
int recording = -1;
std::uint64_t recorded_bytes = 0;
KnownFile known[files_max];
std::size_t known_count = 0;
std::uint32_t next_file = 1;
std::atomic<std::uint64_t> next_sync{1};
int (*real_clock)(clockid_t, timespec*) = nullptr;  // without a system call, unlike the kernel's
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

class Locked {
 public:
  Locked() { pthread_mutex_lock(&mutex); }
  ~Locked() { pthread_mutex_unlock(&mutex); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
};

__attribute__((constructor)) void begin() {
  real_clock = reinterpret_cast<int (*)(clockid_t, timespec*)>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const char* page = std::getenv(mainstay::torture::control_variable);
  const char* below = std::getenv(mainstay::torture::data_variable);
  if (page == nullptr || below == nullptr) return;
  const int fd = ::open(page, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (mapped == MAP_FAILED) return;
  std::snprintf(data, sizeof data, "%s/", below);
  data_bytes = std::strlen(data);
  if (const char* to = std::getenv(mainstay::torture::record_variable); to != nullptr)
    recording = static_cast<int>(::syscall(
        SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  control = static_cast<Control*>(mapped);
}

bool is_recording() {
  return recording >= 0;
}

bool is_below(const char* path) {
  return std::strncmp(path, data, data_bytes) == 0;
}

// Where a descriptor leads; false when not below the directory.
bool path_of(int fd, char (&path)[PATH_MAX]) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t bytes = ::readlink(link, path, sizeof path - 2);
  if (bytes <= 0) return false;
  path[bytes] = '\0';
  if (is_below(path)) return true;
  path[bytes] = '/';  // the directory itself
  path[bytes + 1] = '\0';
  const bool itself = std::strcmp(path, data) == 0;
  path[bytes] = '\0';
  return itself;
}

// An absolute path; false when not below the directory.
bool absolute(int directory, const char* path, char (&out)[PATH_MAX]) {
  if (path[0] == '/') {
    std::snprintf(out, sizeof out, "%s", path);
  } else {
    char base[PATH_MAX];
    if (directory == AT_FDCWD ? ::getcwd(base, sizeof base) == nullptr : !path_of(directory, base))
      return false;
    if (std::snprintf(out, sizeof out, "%s/%s", base, path) >= static_cast<int>(sizeof out))
      return false;
  }
  return is_below(out);
}

// REQUIRES: the lock is held.
void record(RecordKind kind, std::uint32_t file, std::uint64_t offset, const void* body,
            std::uint64_t bytes) {
  if (recorded_bytes > mainstay::torture::recording_bytes_max) return;
  RecordHeader header{kind, file, offset, bytes};
  iovec parts[] = {{&header, sizeof header}, {const_cast<void*>(body), bytes}};
  const auto whole = static_cast<ssize_t>(sizeof header + bytes);
  // A recording with a hole proves nothing: better none from here on.
  if (::syscall(SYS_writev, recording, parts, bytes == 0 ? 1 : 2) != whole) {
    recorded_bytes = UINT64_MAX;
    return;
  }
  recorded_bytes += static_cast<std::uint64_t>(whole);
  control->recorded.fetch_add(1, std::memory_order_release);
}

void record_path(RecordKind kind, const char* path) {
  record(kind, 0, 0, path, std::strlen(path));
}

// The number of a regular file below the directory; 0 for any other. REQUIRES: the lock is held.
std::uint32_t number_of(int fd, off_t size_before_call = -1) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  for (std::size_t i = 0; i < known_count; ++i)
    if (known[i].inode == status.st_ino && known[i].device == status.st_dev) return known[i].number;
  char path[PATH_MAX];
  const bool ours = path_of(fd, path);
  if (known_count == files_max) known_count = 0;  // they are made known again
  known[known_count++] = {status.st_dev, status.st_ino, ours ? next_file : 0};
  if (!ours) return 0;
  const off_t size = size_before_call >= 0 ? size_before_call : status.st_size;
  record(RecordKind::name, next_file, static_cast<std::uint64_t>(size), path, std::strlen(path));
  return next_file++;
}

// Before its name goes: its inode may be another file's next. REQUIRES: the lock is held.
void forget(const char* path) {
  struct stat status {};
  if (::lstat(path, &status) != 0) return;
  for (std::size_t i = 0; i < known_count; ++i)
    if (known[i].inode == status.st_ino && known[i].device == status.st_dev)
      known[i--] = known[--known_count];
}

ssize_t do_pwrite(int fd, const void* bytes, std::size_t count, off_t offset) {
  if (!is_recording()) return ::syscall(SYS_pwrite64, fd, bytes, count, offset);
  const Locked locked;
  const std::uint32_t file = number_of(fd);
  const ssize_t done = ::syscall(SYS_pwrite64, fd, bytes, count, offset);
  if (file != 0 && done > 0) {
    const bool through = (::fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    record(through ? RecordKind::write_through : RecordKind::write, file,
           static_cast<std::uint64_t>(offset), bytes, static_cast<std::uint64_t>(done));
  }
  return done;
}

ssize_t do_write(int fd, const void* bytes, std::size_t count) {
  if (!is_recording()) return ::syscall(SYS_write, fd, bytes, count);
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || fd == recording)
    return ::syscall(SYS_write, fd, bytes, count);
  const Locked locked;
  const std::uint32_t file = number_of(fd);
  const ssize_t done = ::syscall(SYS_write, fd, bytes, count);
  if (file != 0 && done > 0)
    record(RecordKind::write, file, static_cast<std::uint64_t>(::lseek(fd, 0, SEEK_CUR) - done),
           bytes, static_cast<std::uint64_t>(done));
  return done;
}

void pause_for(std::uint32_t millis) {
  timespec left{static_cast<time_t>(millis / 1000), static_cast<long>(millis % 1000) * 1'000'000};
  while (::syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &left, &left) != 0 && errno == EINTR) {
  }
}

int do_sync(int fd, long call) {
  char path[PATH_MAX];
  if (control == nullptr || !path_of(fd, path)) return static_cast<int>(::syscall(call, fd));
  if (const std::uint32_t millis = control->sync_delay_ms; millis != 0) pause_for(millis);
  if (const std::uint32_t error = control->sync_error.exchange(0); error != 0) {
    errno = static_cast<int>(error);
    return -1;
  }
  control->syncs.fetch_add(1, std::memory_order_relaxed);
  if (!is_recording()) return static_cast<int>(::syscall(call, fd));
  std::uint32_t file = 0;
  const std::uint64_t number = next_sync.fetch_add(1);
  {
    const Locked locked;
    file = number_of(fd);
    if (file != 0) record(RecordKind::sync_begin, file, number, nullptr, 0);
  }
  const int done = static_cast<int>(::syscall(call, fd));
  if (done != 0) return done;
  const Locked locked;
  if (file != 0)
    record(RecordKind::sync_end, file, number, nullptr, 0);
  else
    record_path(RecordKind::sync_directory, path);
  return done;
}

int do_resize(int fd, off_t size) {
  if (!is_recording()) return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  const Locked locked;
  const std::uint32_t file = number_of(fd);
  const int done = static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  if (done == 0 && file != 0)
    record(RecordKind::resize, file, static_cast<std::uint64_t>(size), nullptr, 0);
  return done;
}

int do_rename(const char* from, const char* to) {
  char both[2 * PATH_MAX];
  char source[PATH_MAX], target[PATH_MAX];
  if (!is_recording() || !absolute(AT_FDCWD, from, source) || !absolute(AT_FDCWD, to, target))
    return static_cast<int>(::syscall(SYS_rename, from, to));
  const Locked locked;
  forget(target);
  const int done = static_cast<int>(::syscall(SYS_rename, from, to));
  if (done != 0) return done;
  const std::size_t first = std::strlen(source) + 1;
  std::memcpy(both, source, first);
  std::memcpy(both + first, target, std::strlen(target) + 1);
  record(RecordKind::rename, 0, 0, both, first + std::strlen(target));
  return done;
}

int do_remove(int directory, const char* path, bool is_directory) {
  char whole[PATH_MAX];
  const int flags = is_directory ? AT_REMOVEDIR : 0;
  if (!is_recording() || !absolute(directory, path, whole))
    return static_cast<int>(::syscall(SYS_unlinkat, directory, path, flags));
  const Locked locked;
  if (!is_directory) forget(whole);
  const int done = static_cast<int>(::syscall(SYS_unlinkat, directory, path, flags));
  if (done == 0)
    record_path(is_directory ? RecordKind::remove_directory : RecordKind::unlink, whole);
  return done;
}

int do_open(int directory, const char* path, int flags, mode_t mode) {
  const int fd = static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
  char whole[PATH_MAX];
  if (fd < 0 || !is_recording() || (flags & O_TRUNC) == 0 || !absolute(directory, path, whole))
    return fd;
  const Locked locked;
  if (const std::uint32_t file = number_of(fd); file != 0)
    record(RecordKind::resize, file, 0, nullptr, 0);
  return fd;
}

int open_with(int directory, const char* path, int flags, va_list rest) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return do_open(directory, path, flags, has_mode ? va_arg(rest, mode_t) : 0);
}

void shift(timespec& time) {
  const std::int64_t ahead = control == nullptr ? 0 : control->clock_ahead_ms.load();
  if (ahead == 0) return;
  const std::int64_t nanos = time.tv_nsec + (ahead % 1000) * 1'000'000;
  time.tv_sec += static_cast<time_t>(ahead / 1000);
  time.tv_nsec = static_cast<long>(nanos);
  if (time.tv_nsec < 0) {
    time.tv_nsec += 1'000'000'000;
    --time.tv_sec;
  } else if (time.tv_nsec >= 1'000'000'000) {
    time.tv_nsec -= 1'000'000'000;
    ++time.tv_sec;
  }
}

}  // namespace

extern "C" {

ssize_t pwrite(int fd, const void* bytes, std::size_t count, off_t offset) {
  return do_pwrite(fd, bytes, count, offset);
}
ssize_t pwrite64(int fd, const void* bytes, std::size_t count, off64_t offset) {
  return do_pwrite(fd, bytes, count, offset);
}
ssize_t write(int fd, const void* bytes, std::size_t count) {
  return do_write(fd, bytes, count);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  struct stat status {};
  if (!is_recording() || ::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return ::syscall(SYS_writev, fd, parts, count);
  ssize_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t done = do_write(fd, parts[i].iov_base, parts[i].iov_len);
    if (done < 0) return sum > 0 ? sum : -1;
    sum += done;
    if (static_cast<std::size_t>(done) < parts[i].iov_len) break;
  }
  return sum;
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  ssize_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t done = do_pwrite(fd, parts[i].iov_base, parts[i].iov_len, offset + sum);
    if (done < 0) return sum > 0 ? sum : -1;
    sum += done;
    if (static_cast<std::size_t>(done) < parts[i].iov_len) break;
  }
  return sum;
}
int fdatasync(int fd) {
  return do_sync(fd, SYS_fdatasync);
}
int fsync(int fd) {
  return do_sync(fd, SYS_fsync);
}
int ftruncate(int fd, off_t size) noexcept {
  return do_resize(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  return do_resize(fd, size);
}
int rename(const char* from, const char* to) noexcept {
  return do_rename(from, to);
}
int unlink(const char* path) noexcept {
  return do_remove(AT_FDCWD, path, false);
}
int unlinkat(int directory, const char* path, int flags) noexcept {
  return do_remove(directory, path, (flags & AT_REMOVEDIR) != 0);
}
int rmdir(const char* path) noexcept {
  return do_remove(AT_FDCWD, path, true);
}
int remove(const char* path) noexcept {
  struct stat status {};
  if (::lstat(path, &status) != 0) return -1;
  return do_remove(AT_FDCWD, path, S_ISDIR(status.st_mode));
}
int mkdir(const char* path, mode_t mode) noexcept {
  const int done = static_cast<int>(::syscall(SYS_mkdir, path, mode));
  char whole[PATH_MAX];
  if (done != 0 || !is_recording() || !absolute(AT_FDCWD, path, whole)) return done;
  const Locked locked;
  record_path(RecordKind::make_directory, whole);
  return done;
}
int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int fd = open_with(AT_FDCWD, path, flags, rest);
  va_end(rest);
  return fd;
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int fd = open_with(AT_FDCWD, path, flags | O_LARGEFILE, rest);
  va_end(rest);
  return fd;
}
int openat(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int fd = open_with(directory, path, flags, rest);
  va_end(rest);
  return fd;
}
int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  const int done = real_clock != nullptr
                       ? real_clock(clock, time)
                       : static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (done == 0 && clock == CLOCK_REALTIME) shift(*time);
  return done;
}
time_t time(time_t* out) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval* out, void* /*zone*/) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}
}
