// How a record store comes to be, and where its directories are. Private to runtime/store.
#pragma once

#include "runtime/base/limits.hpp"
#include "runtime/store/fatal.hpp"
#include "runtime/store/record_store.hpp"
#include "runtime/store/sealed_meta.hpp"

namespace mainstay::store {

// Below one data directory.
inline constexpr const char* log_name = "log";
inline constexpr const char* records_name = "records";
inline constexpr const char* next_records_name = "records.next";  // a staged snapshot
inline constexpr const char* old_records_name = "records.old";    // for the length of a switch
inline constexpr const char* snapshots_name = "snapshots";

// What a refusal of a damaged part ends with.
inline constexpr const char* way_out =
    "If the other nodes hold the data, move the data directory away and start the node empty: it "
    "joins again as a new member";

struct RecordStoreOptions {
  std::filesystem::path data_directory;
  std::uint64_t map_bytes = 0;
  std::uint64_t free_bytes_min = 0;  // what staging and making snapshots leave free
  bool background = true;            // flush in a thread of its own
  Ownership owner;
  FatalHandler fatal;
  FreeBytes free_bytes;
  std::uint64_t view_wait_ms = 0;
  std::size_t scrub_piece_bytes = limits::scrub_piece_bytes;
  record::ApplyOptions apply;
};

// A new, empty record store, durable when it returns.
Result<std::unique_ptr<RecordStore>> create_record_store(const RecordStoreOptions& options);

// An existing one. A cluster of zero inside is filled in from the owner: formation was interrupted.
// What it shows as applied is durable. Errors: corrupt, wrong_version, wrong_cluster, io_error.
Result<std::unique_ptr<RecordStore>> open_record_store(const RecordStoreOptions& options);

// The applied index of an environment directory that nobody has open.
Result<consensus::Index> applied_of(const RecordStoreOptions& options, const char* name);

// Puts the staged directory in the place of the current one; neither may be open. Repeatable after
// a crash at any of its steps.
Result<void> switch_records(const std::filesystem::path& data_directory);

}  // namespace mainstay::store
