// What those who are not let in may cost a node: one for all its requests, on any thread. Internal
// to runtime/api.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>

#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::api {

class Gate {
 public:
  // A place for looking once more for an unknown token; false: there are too many. Each that was
  // given is given back.
  bool begin_look();
  void end_look();

  // Whether the denial of an administrative call goes into the audit trail now: how many were left
  // out since the last that did. Nothing: it is left out.
  std::optional<std::size_t> tell_denial(MonotonicTime now);

 private:
  std::mutex mutex_;
  std::size_t looks_ = 0;
  std::size_t entries_ = limits::denial_entries_max;
  std::size_t left_out_ = 0;
  MonotonicTime counted_{};  // up to here, time has been turned into entries
};

}  // namespace mainstay::api
