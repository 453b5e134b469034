// What the real store makes of a data directory: opened as a starting node opens it, every record
// of the log read and compared with its checksum and chain. In a process of its own, since a store
// that meets damage ends its process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "runtime/base/result.hpp"

namespace mainstay::torture {

struct Opened {
  std::uint64_t term = 0;
  std::uint64_t vote = 0;        // 0: none in this term
  std::uint64_t last_index = 0;  // of the log
  std::uint64_t applied = 0;     // of the records
  bool operator==(const Opened&) const = default;
};

// Errors: those of the store.
Result<Opened> open_image(const std::filesystem::path& directory, std::uint32_t node);

// The same as one line, and back. Errors of parsing: invalid_argument.
std::string to_line(const Opened& opened);
Result<Opened> opened_of(const std::string& line);

}  // namespace mainstay::torture
