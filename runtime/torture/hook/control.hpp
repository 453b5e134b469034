// What the hook in a node and the lab share: one page of memory, a file that both map. Every field
// is written by the lab and read by the hook, but for `recorded` and `syncs`.
#pragma once

#include <atomic>
#include <cstdint>

namespace mainstay::torture {

// Environment variables of a hooked process; not of the kind that a node takes for options.
inline constexpr const char* control_variable = "TORTURE_CONTROL";  // the page's file
inline constexpr const char* data_variable = "TORTURE_DATA";        // faults concern files below
inline constexpr const char* record_variable = "TORTURE_RECORD";    // where to; else none

struct Control {
  std::atomic<std::int64_t> clock_ahead_ms;  // of the wall clock; time since boot stays as it is
  std::atomic<std::uint32_t> sync_delay_ms;  // each sync takes this much longer
  std::atomic<std::uint32_t> sync_error;     // an errno; the next sync fails with it, once
  std::atomic<std::uint64_t> recorded;       // records written so far; by the hook
  std::atomic<std::uint64_t> syncs;          // by the hook
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace mainstay::torture
