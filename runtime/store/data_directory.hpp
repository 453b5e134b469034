// The data directory as a whole: its parts, and the changes that touch more than one of them.
// Private to runtime/store.
#pragma once

#include "runtime/store/identity.hpp"
#include "runtime/store/record_store_open.hpp"

namespace mainstay::store {

inline constexpr const char* evidence_name = "evidence";
inline constexpr const char* lock_name = "lock";

// A directory without identity.json must be empty of data. Errors: corrupt.
Result<void> check_fresh(const std::filesystem::path& directory);

// Removes what an interrupted initialisation may have left. Phase `initialising` only.
Result<void> clear_parts(const std::filesystem::path& directory);

// Moves log and records of the given incarnation below evidence/ and forgets older evidence and all
// snapshots. Phase `starting_over` only; repeatable.
Result<void> move_to_evidence(const std::filesystem::path& directory, Incarnation incarnation,
                              const std::string& reason);

// Finishes or discards an installation of a snapshot that a crash interrupted: the log's start
// decides. Neither directory may be open. Errors: corrupt when a part is missing or the records are
// older than the log's start.
Result<void> settle_records(const RecordStoreOptions& options, consensus::Index log_start);

}  // namespace mainstay::store
