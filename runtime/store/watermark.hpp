// When inserts are refused because the disk runs full. Pure. Private to runtime/store.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/store/usage.hpp"

namespace mainstay::store {

class Watermark {
 public:
  // Low below `min`, high again above `resume`. REQUIRES: min <= resume.
  Watermark(std::uint64_t min, std::uint64_t resume) : min_{min}, resume_{resume} {}

  // Every insert grows the log and the records; both reuse their own free pages before their files
  // grow. So what is left is the disk's free space and the smaller of the two reuses; but some of
  // it must be the disk's own, because reuse needs pages in a row.
  static std::uint64_t left(std::uint64_t disk_free, const StoreUsage& log,
                            const StoreUsage& records) {
    return disk_free + std::min(reusable(log), reusable(records));
  }

  // Returns whether inserts are refused from now on.
  bool update(std::uint64_t disk_free, const StoreUsage& log, const StoreUsage& records) {
    const std::uint64_t bound = low_ ? resume_ : min_;
    const std::uint64_t percent = low_ ? 70 : 80;  // of the address space
    low_ = left(disk_free, log, records) < bound || disk_free < bound / 4 || filled(log, percent) ||
           filled(records, percent);
    return low_;
  }

 private:
  static std::uint64_t reusable(const StoreUsage& usage) {
    return usage.file_bytes > usage.used_bytes ? usage.file_bytes - usage.used_bytes : 0;
  }
  static bool filled(const StoreUsage& usage, std::uint64_t percent) {
    return usage.map_bytes != 0 && usage.used_bytes / percent > usage.map_bytes / 100;
  }

  std::uint64_t min_;
  std::uint64_t resume_;
  bool low_ = false;
};

}  // namespace mainstay::store
