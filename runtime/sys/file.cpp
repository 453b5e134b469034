#include "runtime/sys/file.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace mainstay::sys {
namespace {

Failure system_failure(std::string_view action, const Path& path, int error_number) {
  return Failure{system_error(action, path, error_number)};
}

int open_flags(File::Mode mode) {
  switch (mode) {
    case File::Mode::read:
      return O_RDONLY | O_CLOEXEC;
    case File::Mode::write:
      return O_RDWR | O_CREAT | O_CLOEXEC;
    case File::Mode::create:
      return O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
  }
  UNREACHABLE();
}

// "." for a bare name, so that it can be opened.
Path parent_of(const Path& path) {
  const Path parent = path.parent_path();
  return parent.empty() ? Path{"."} : parent;
}

}  // namespace

Error system_error(std::string_view action, const Path& path, int error_number) {
  std::string message = "cannot ";
  message.append(action).append(" '").append(path.string()).append("': ");
  message.append(std::generic_category().message(error_number));
  return Error{error_number == ENOENT ? Errc::not_found : Errc::io_error, std::move(message)};
}

Result<File> File::open(const Path& path, Mode mode) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), open_flags(mode), 0640);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return system_failure("open", path, errno);
  File file;
  file.descriptor_ = descriptor;
  file.path_ = path;
  return file;
}

File::File(File&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)}, path_{std::move(other.path_)} {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::string> File::read_at(std::uint64_t offset, std::size_t bytes_max) const {
  std::string data(bytes_max, '\0');
  std::size_t done = 0;
  while (done < bytes_max) {
    const ssize_t got = ::pread(descriptor_, data.data() + done, bytes_max - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("read", path_, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  data.resize(done);
  return data;
}

Result<void> File::write_at(std::uint64_t offset, std::string_view data) {
  while (!data.empty()) {
    const ssize_t put = ::pwrite(descriptor_, data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_failure("write", path_, errno);
    data.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<std::uint64_t> File::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return system_failure("look at", path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> File::sync() {
  if (::fdatasync(descriptor_) != 0) return system_failure("sync", path_, errno);
  return {};
}

void File::refuse_writes() const {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) return;
  ::dup3(full, descriptor_, O_CLOEXEC);
  ::close(full);
}

Result<std::string> read_file(const Path& path, std::size_t bytes_max) {
  TRY_ASSIGN(const File file, File::open(path, File::Mode::read));
  TRY_ASSIGN(std::string content, file.read_at(0, bytes_max + 1));
  if (content.size() > bytes_max)
    return fail(Errc::too_large,
                "'" + path.string() + "' holds more than " + std::to_string(bytes_max) + " bytes");
  return content;
}

Result<void> write_file_durably(const Path& path, std::string_view content) {
  Path temporary = path;
  temporary += ".tmp";
  {
    TRY_ASSIGN(File file, File::open(temporary, File::Mode::create));
    TRY(file.write_at(0, content));
    TRY(file.sync());
  }
  return rename_durably(temporary, path);
}

Result<void> sync_directory(const Path& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("open", directory, errno);
  const int failed = ::fsync(descriptor) != 0 ? errno : 0;
  ::close(descriptor);
  if (failed != 0) return system_failure("sync", directory, failed);
  return {};
}

Result<void> make_directory(const Path& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return {};
  const Path parent = parent_of(directory);
  if (parent != directory && !std::filesystem::exists(parent, error)) TRY(make_directory(parent));
  if (::mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST)
    return system_failure("create directory", directory, errno);
  return sync_directory(parent);
}

Result<void> rename_durably(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("rename", from, errno);
  TRY(sync_directory(parent_of(to)));
  if (parent_of(from) != parent_of(to)) TRY(sync_directory(parent_of(from)));
  return {};
}

Result<void> remove_durably(const Path& path) {
  std::error_code error;
  const auto removed = std::filesystem::remove_all(path, error);
  if (error) return system_failure("remove", path, error.value());
  if (removed == 0) return {};
  return sync_directory(parent_of(path));
}

Result<std::uint64_t> free_bytes(const Path& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0)
    return system_failure("ask the free space of", path, errno);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<std::uint64_t> total_bytes(const Path& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return system_failure("ask the size of", path, errno);
  return static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize;
}

Result<LockFile> LockFile::acquire(const Path& path) {
  TRY_ASSIGN(File file, File::open(path, File::Mode::write));
  if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_failure("lock", path, errno);
    const auto holder = file.read_at(0, 32);
    const std::string process = holder ? holder->substr(0, holder->find('\n')) : std::string{};
    return fail(Errc::conflict, "'" + path.string() + "' is held by process " + process);
  }
  if (::ftruncate(file.descriptor(), 0) != 0) return system_failure("empty", path, errno);
  TRY(file.write_at(0, std::to_string(::getpid()) + "\n"));
  return LockFile{std::move(file)};
}

}  // namespace mainstay::sys
