// Where files lie: a directory of this machine, or of a server that speaks SFTP. Paths are relative
// to the folder: "in/orders.csv". One thread. Errors: not_found; too_large; io_error (this file);
// unavailable and deadline_exceeded (the folder as a whole: try later); unauthorized.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::adapters {

struct FolderEntry {
  std::string name;
  std::uint64_t size = 0;
  std::string stamp;  // changes with the content: size, time of change, identity
};

class Folder {
 public:
  virtual ~Folder() = default;

  // The plain files of a directory, sorted by name.
  virtual Result<std::vector<FolderEntry>> list(const std::string& directory) = 0;
  virtual Result<std::string> read(const std::string& path, std::size_t bytes_max) = 0;
  // Under a temporary name first, then renamed: nobody sees a part of it. Durable afterwards.
  virtual Result<void> write(const std::string& path, std::string_view content) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  // Renames the file if it still has this stamp. not_found: it has gone, or is another now. What
  // was at `to` is replaced.
  virtual Result<void> move(const std::string& from, const std::string& stamp,
                            const std::string& to) = 0;
  // Creates it where missing.
  virtual Result<void> make_directory(const std::string& directory) = 0;
  // Makes the moves out of and into a directory durable, where that is possible.
  virtual Result<void> sync(const std::string& directory) = 0;
};

}  // namespace mainstay::adapters
