// A tar archive, compressed with zstd, written file by file. Not thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::tool {

class Archive {
 public:
  // Errors: already_exists, io_error.
  static Result<Archive> create(const std::filesystem::path& path, WallTime now);
  Archive(Archive&& other) noexcept;
  ~Archive();

  // Errors: io_error; too_large above 256 MiB.
  Result<void> add(const std::string& name, std::string_view content);
  // Writes what is left; nothing is added afterwards.
  Result<void> close();

 private:
  struct State;
  explicit Archive(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mainstay::tool
