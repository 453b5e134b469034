#include "runtime/store/data_directory.hpp"

#include <fmt/format.h>

#include "runtime/base/log.hpp"
#include "runtime/store/checkpoint.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::store {

using consensus::Index;
using std::filesystem::path;

namespace {

bool present(const path& wanted) {
  std::error_code error;
  return std::filesystem::exists(wanted, error);
}

Failure missing(const path& part) {
  return fail(Errc::corrupt,
              fmt::format("'{}' is missing from the data directory. {}", part.string(), way_out));
}

}  // namespace

Result<void> check_fresh(const path& directory) {
  for (const char* name : {log_name, records_name, next_records_name, old_records_name})
    if (present(directory / name))
      return fail(Errc::corrupt, fmt::format("'{}' holds '{}' but no identity.json: this is no "
                                             "empty data directory and not a whole one. {}",
                                             directory.string(), name, way_out));
  return {};
}

Result<void> clear_parts(const path& directory) {
  for (const char* name : {log_name, records_name, next_records_name, old_records_name})
    TRY(sys::remove_durably(directory / name));
  return {};
}

Result<void> move_to_evidence(const path& directory, Incarnation incarnation,
                              const std::string& reason) {
  const path evidence = directory / evidence_name;
  const path kept = evidence / fmt::format("{:016x}", incarnation.value);
  TRY(sys::make_directory(evidence));
  std::vector<path> older;
  for (const auto& entry : std::filesystem::directory_iterator{evidence})
    if (entry.path() != kept) older.push_back(entry.path());
  for (const path& one : older) TRY(sys::remove_durably(one));
  TRY(sys::make_directory(kept));
  TRY(sys::write_file_durably(kept / "reason.txt", reason + "\n"));
  for (const char* name : {log_name, records_name, next_records_name, old_records_name})
    if (present(directory / name)) TRY(sys::rename_durably(directory / name, kept / name));
  return sys::remove_durably(directory / snapshots_name);
}

Result<void> settle_records(const RecordStoreOptions& options, Index log_start) {
  const path& directory = options.data_directory;
  const bool staged = present(directory / next_records_name);
  if (!present(directory / records_name)) {
    // Between the two renames of a switch; the log had restarted before it began.
    if (!staged) return missing(directory / records_name);
    return switch_records(directory);
  }
  // Without it the environment would be taken as it is, in part from before a power cut and in part
  // from behind it.
  if (!present(directory / records_name / checkpoint_name))
    return missing(directory / records_name / checkpoint_name);
  TRY_ASSIGN(const Index applied, applied_of(options, records_name));
  if (applied >= log_start) {
    TRY(sys::remove_durably(directory / next_records_name));
    return sys::remove_durably(directory / old_records_name);
  }
  if (staged) {
    TRY_ASSIGN(const Index staged_applied, applied_of(options, next_records_name));
    if (staged_applied == log_start) {
      log_info("store", "finishing the installation of the snapshot at {}", log_start);
      return switch_records(directory);
    }
  }
  return fail(Errc::corrupt, fmt::format("the records in '{}' end at entry {}, but the log starts "
                                         "behind entry {}: what is between them is "
                                         "not here. {}",
                                         directory.string(), applied, log_start, way_out));
}

}  // namespace mainstay::store
