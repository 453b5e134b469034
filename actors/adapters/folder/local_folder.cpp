#include "actors/adapters/folder/local_folder.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

#include "runtime/sys/file.hpp"

namespace mainstay::adapters {

namespace {

using sys::Path;

std::string stamp_of(const struct stat& status) {
  return std::to_string(status.st_size) + "-" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec) + "-" + std::to_string(status.st_ino);
}

// Errors: not_found also for what is no plain file.
Result<FolderEntry> look_at(const Path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    return Failure{sys::system_error("look at", path, errno)};
  if (!S_ISREG(status.st_mode)) return fail(Errc::not_found, "'" + path.string() + "' is no file");
  return FolderEntry{path.filename().string(), static_cast<std::uint64_t>(status.st_size),
                     stamp_of(status)};
}

// What is wrong with a file is the file's only while its directory is there: otherwise the whole
// folder has gone (unmounted, moved away), and every file of it will be back with it.
Error blamed(const Path& file, const Error& error) {
  struct stat status {};
  if (::stat(file.parent_path().c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return error;
  return Error{Errc::unavailable, error.message};
}

}  // namespace

Result<std::vector<FolderEntry>> LocalFolder::list(const std::string& directory) {
  const Path path = root_ / directory;
  std::error_code error;
  std::vector<FolderEntry> entries;
  std::filesystem::directory_iterator at{path, error};
  for (; !error && at != std::filesystem::directory_iterator{}; at.increment(error)) {
    auto entry = look_at(at->path());
    if (entry) entries.push_back(std::move(*entry));  // else it has gone meanwhile
  }
  // A directory that is not there: perhaps a file system that is not mounted.
  if (error) return fail(Errc::unavailable, sys::system_error("list", path, error.value()).message);
  std::sort(entries.begin(), entries.end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
  return entries;
}

Result<std::string> LocalFolder::read(const std::string& path, std::size_t bytes_max) {
  const Path whole = root_ / path;
  const auto file = sys::File::open(whole, sys::File::Mode::read);
  if (!file) return Failure{blamed(whole, file.error())};
  const auto size = file->size();
  if (!size) return Failure{blamed(whole, size.error())};
  if (*size > bytes_max)
    return fail(Errc::too_large, "'" + whole.string() + "' has " + std::to_string(*size) +
                                     " bytes, at most " + std::to_string(bytes_max) +
                                     " are taken (file_bytes_max)");
  auto content = file->read_at(0, static_cast<std::size_t>(*size));
  if (!content) return Failure{blamed(whole, content.error())};
  return content;
}

Result<void> LocalFolder::write(const std::string& path, std::string_view content) {
  return sys::write_file_durably(root_ / path, content);
}

Result<bool> LocalFolder::exists(const std::string& path) {
  struct stat status {};
  if (::lstat((root_ / path).c_str(), &status) == 0) return true;
  if (errno == ENOENT) return false;
  return Failure{sys::system_error("look at", root_ / path, errno)};
}

Result<void> LocalFolder::move(const std::string& from, const std::string& stamp,
                               const std::string& to) {
  const Path source = root_ / from;
  const Path target = root_ / to;
  TRY_ASSIGN(const FolderEntry before, look_at(source));
  if (before.stamp != stamp)
    return fail(Errc::not_found, "'" + source.string() + "' is another file now");
  if (::rename(source.c_str(), target.c_str()) != 0)
    return Failure{sys::system_error("rename", source, errno)};
  // Somebody may have put another file under this name between the two calls: it goes back, unless
  // a third one is there already.
  TRY_ASSIGN(const FolderEntry after, look_at(target));
  if (after.stamp == stamp) return {};
  for (std::uint32_t attempt = 0;; ++attempt) {
    Path back = source;
    if (attempt > 0)
      back.replace_filename(source.stem().string() + "~" + std::to_string(attempt) +
                            source.extension().string());
    if (::link(target.c_str(), back.c_str()) == 0) break;
    if (errno != EEXIST || attempt == 100)
      return Failure{sys::system_error("put back", back, errno)};
  }
  ::unlink(target.c_str());
  return fail(Errc::not_found, "'" + source.string() + "' is another file now");
}

Result<void> LocalFolder::make_directory(const std::string& directory) {
  return sys::make_directory(root_ / directory);
}

Result<void> LocalFolder::sync(const std::string& directory) {
  return sys::sync_directory(root_ / directory);
}

}  // namespace mainstay::adapters
