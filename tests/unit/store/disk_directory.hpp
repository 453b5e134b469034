// A fresh place for a simulated disk, in memory where there is a memory file system.
#pragma once

#include <filesystem>
#include <string>

#include <unistd.h>

namespace mainstay::store {

inline std::filesystem::path fresh_directory(const std::string& what) {
  static int count = 0;
  const std::filesystem::path memory{"/dev/shm"};
  const auto base =
      std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
  return base /
         ("mainstay-" + what + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
}

}  // namespace mainstay::store
