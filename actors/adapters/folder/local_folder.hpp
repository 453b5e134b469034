// A directory of this machine as a Folder.
#pragma once

#include <filesystem>

#include "actors/adapters/folder/folder.hpp"

namespace mainstay::adapters {

class LocalFolder final : public Folder {
 public:
  explicit LocalFolder(std::filesystem::path root) : root_{std::move(root)} {}

  Result<std::vector<FolderEntry>> list(const std::string& directory) override;
  Result<std::string> read(const std::string& path, std::size_t bytes_max) override;
  Result<void> write(const std::string& path, std::string_view content) override;
  Result<bool> exists(const std::string& path) override;
  Result<void> move(const std::string& from, const std::string& stamp,
                    const std::string& to) override;
  Result<void> make_directory(const std::string& directory) override;
  Result<void> sync(const std::string& directory) override;

 private:
  const std::filesystem::path root_;
};

}  // namespace mainstay::adapters
