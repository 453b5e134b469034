// How a log store comes to be. Private to runtime/store.
#pragma once

#include "runtime/base/limits.hpp"
#include "runtime/store/fatal.hpp"
#include "runtime/store/log_store.hpp"
#include "runtime/store/sealed_meta.hpp"

namespace mainstay::store {

struct LogStoreOptions {
  std::filesystem::path directory;
  std::uint64_t map_bytes = 0;
  std::uint64_t journal_bytes = 0;  // of each of its two files
  bool background = true;           // flush in a thread of its own
  std::size_t scrub_piece_bytes = limits::scrub_piece_bytes;
  Ownership owner;
  FatalHandler fatal;
};

// A new log in an empty directory, durable when it returns.
Result<std::unique_ptr<LogStore>> create_log_store(const LogStoreOptions& options);

// An existing log, every record of it checked. Its cluster may be set where the owner's is still
// zero: formation was interrupted, and `found_cluster` says with what to finish it. Errors:
// corrupt, wrong_version, wrong_cluster, io_error.
Result<std::unique_ptr<LogStore>> open_log_store(const LogStoreOptions& options,
                                                 ClusterId* found_cluster);

}  // namespace mainstay::store
