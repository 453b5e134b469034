// How much an environment holds.
#pragma once

#include <cstdint>

namespace mainstay::store {

// Space taken by one environment.
struct StoreUsage {
  std::uint64_t used_bytes = 0;  // pages that hold something
  std::uint64_t file_bytes = 0;  // of the data file; the difference is reused before the file grows
  std::uint64_t map_bytes = 0;   // address space: used_bytes cannot pass it
};

}  // namespace mainstay::store
