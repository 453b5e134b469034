// identity.json: who the owner of a data directory is, and how far a change of the directory as a
// whole has come. Private to runtime/store. Written by write-sync-rename; a check value over all
// fields makes damage visible. docs/formats/data-directory.md.
#pragma once

#include <optional>
#include <string>

#include "runtime/store/node_store.hpp"

namespace mainstay::store {

inline constexpr std::uint32_t directory_format = 1;

// Each change of phase is one durable replacement of the file; a crash repeats the phase it finds.
enum class Phase : std::uint8_t {
  initialising,   // log/ and records/ may be missing or half made, and hold nothing yet
  ready,          // both are there
  starting_over,  // both go to evidence/, then a new incarnation initialises
};

struct IdentityFile {
  Identity identity;
  Phase phase = Phase::initialising;
  std::string reason;  // starting_over: why
};

std::string format_identity(const IdentityFile& file);
// Errors: corrupt, wrong_version.
Result<IdentityFile> parse_identity(const std::string& text);

// nullopt: there is no such file.
Result<std::optional<IdentityFile>> read_identity(const std::filesystem::path& directory);
Result<void> write_identity(const std::filesystem::path& directory, const IdentityFile& file);

}  // namespace mainstay::store
