// A node's data directory, read without opening its stores: works on a dead node's and beside a
// running one, and changes nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/daemon/tool/doctor/evidence.hpp"

namespace mainstay::tool::doctor {

DirectorySeen look_at_directory(const std::filesystem::path& directory);

// The two header pages of an LMDB environment, as its newest one tells.
struct EnvironmentHeader {
  std::uint32_t page_bytes = 0;
  std::uint64_t map_bytes = 0;
  std::uint64_t pages = 0;  // in use or free, from the start of the file
  std::uint64_t transaction = 0;
  std::uint64_t file_bytes = 0;
  std::string problem;  // what is wrong with it; "" nothing that shows
};
EnvironmentHeader read_environment(const std::filesystem::path& data_file);

}  // namespace mainstay::tool::doctor
