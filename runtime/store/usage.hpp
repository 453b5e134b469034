// How much an environment holds, and its disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "runtime/base/result.hpp"

namespace mainstay::store {

// Asks for the free bytes of the disk that holds a path.
using FreeBytes = std::function<Result<std::uint64_t>(const std::filesystem::path&)>;

// Space taken by one environment.
struct StoreUsage {
  std::uint64_t used_bytes = 0;  // pages that hold something
  std::uint64_t file_bytes = 0;  // of the data file; the difference is reused before the file grows
  std::uint64_t map_bytes = 0;   // address space: used_bytes cannot pass it
};

}  // namespace mainstay::store
