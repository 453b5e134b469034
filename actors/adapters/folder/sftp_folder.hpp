// A directory of a server that speaks SFTP as a Folder; the only place that sees libcurl. Host keys
// are checked against a file of known hosts, the login is by a key without passphrase.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "actors/adapters/folder/folder.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::adapters {

struct SftpPlace {
  std::string url;  // "sftp://user@host:port/dir", "/~/dir": below the user's home
  std::string key_file;
  std::string known_hosts;
  Millis call_timeout{10'000};
};

// Errors: invalid_argument.
Result<void> check_sftp_url(std::string_view url);

// A line of a listing as `ls -l` has it: nullopt unless it is a plain file. Its time is as coarse
// as the server writes it.
std::optional<FolderEntry> entry_of_line(std::string_view line);

// What write() has renamed is as durable as the server makes it: SFTP has no sync.
class SftpFolder final : public Folder {
 public:
  // REQUIRES: the url is one.
  explicit SftpFolder(SftpPlace place);
  ~SftpFolder() override;

  Result<std::vector<FolderEntry>> list(const std::string& directory) override;
  Result<std::string> read(const std::string& path, std::size_t bytes_max) override;
  Result<void> write(const std::string& path, std::string_view content) override;
  Result<bool> exists(const std::string& path) override;
  Result<void> move(const std::string& from, const std::string& stamp,
                    const std::string& to) override;
  Result<void> make_directory(const std::string& directory) override;
  Result<void> sync(const std::string& directory) override;

 private:
  struct Handle;
  std::string url_of(const std::string& path) const;
  std::string quoted(const std::string& path) const;  // in a command
  // `changed`: when the file was, seconds since 1970, if that was asked.
  Result<void> perform(const std::string& what, std::int64_t* changed = nullptr);
  Result<void> command(const std::string& text);
  // Seconds since 1970; not_found.
  Result<std::int64_t> changed(const std::string& path);

  const SftpPlace place_;
  std::string base_;  // the url without directory
  std::string root_;  // the directory, as commands name it
  std::unique_ptr<Handle> handle_;
  std::set<std::string> made_;  // directories; only to be fast
  // When the files were changed that were read: a listing tells it to the minute.
  std::map<std::string, std::int64_t> read_;
};

}  // namespace mainstay::adapters
