// Files and directories, with the syncs that make a change survive a power cut. Errors are io_error
// (or not_found where said) and name the path and the system's reason. Nothing here retries a
// failed sync: after one, the page cache may hold what the disk does not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace mainstay::sys {

using Path = std::filesystem::path;

// "cannot <action> '<path>': <system's reason>", of errno.
Error system_error(std::string_view action, const Path& path, int error_number);

// An open file; closes itself. Owned by one thread at a time; read_at() may be called by several.
class File {
 public:
  enum class Mode : std::uint8_t {
    read,    // must exist
    write,   // read and write; created when missing
    create,  // read and write; emptied when it exists
  };
  // Errors: not_found when it must exist and does not.
  static Result<File> open(const Path& path, Mode mode);

  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  // Up to `bytes_max` bytes from `offset`; fewer only at the end of the file.
  Result<std::string> read_at(std::uint64_t offset, std::size_t bytes_max) const;
  Result<void> write_at(std::uint64_t offset, std::string_view data);
  Result<std::uint64_t> size() const;
  // Content and size are durable when it returns ok (fdatasync).
  Result<void> sync();
  int descriptor() const { return descriptor_; }
  // From now on every write, by whomever holds the descriptor, fails for lack of space: ends a
  // library's long write that cannot be told to stop. Any thread.
  void refuse_writes() const;

 private:
  int descriptor_ = -1;
  Path path_;
};

// The whole content. Errors: not_found; too_large above `bytes_max`.
Result<std::string> read_file(const Path& path, std::size_t bytes_max);

// Replaces the file by `content` so that after a crash at any moment it holds the old content or
// the new one, whole: written beside it as "<path>.tmp", synced, renamed, directory synced.
Result<void> write_file_durably(const Path& path, std::string_view content);

// Makes names created, renamed or removed in this directory durable.
Result<void> sync_directory(const Path& directory);

// Creates the directory and its parents where missing, and makes the names durable.
Result<void> make_directory(const Path& directory);

// Renames within one file system and syncs the directories concerned.
Result<void> rename_durably(const Path& from, const Path& to);

// Removes a file or a directory with everything in it, if it is there; the removal is durable.
Result<void> remove_durably(const Path& path);

// What an unprivileged process may still write to the file system that holds `path`.
Result<std::uint64_t> free_bytes(const Path& path);
// The size of that file system.
Result<std::uint64_t> total_bytes(const Path& path);

// An advisory lock on a file, held as long as the object lives; the kernel frees it when the
// process ends.
class LockFile {
 public:
  // Creates the file when missing and writes the process id into it, for people. Errors: conflict
  // when it is held, naming that process id.
  static Result<LockFile> acquire(const Path& path);

 private:
  explicit LockFile(File file) : file_{std::move(file)} {}
  File file_;
};

}  // namespace mainstay::sys
