// The seal in front of every durable value and every frame: 8 bytes that say what follows and
// whether it is whole.
//
//   offset  bytes  what
//   0       4      CRC32C of everything from offset 4 on, little endian
//   4       2      kind (SealKind), little endian
//   6       2      format, little endian: 1
//   8       ...    one Cap'n Proto message of exactly one segment, with its segment table
//
// The message starts at a multiple of 8 bytes, so that sealed bytes in aligned memory, also those
// nested in another message, are read in place. Pure functions, any thread. docs/formats/frame.md
// has the same grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::wire {

// What is sealed. Numbers are never used again.
enum class SealKind : std::uint16_t {
  frame = 1,
  batch = 2,
  log_batch = 3,
  entry = 4,
  hard_state = 5,
  membership = 6,
  snapshot_meta = 7,
  record = 8,
  operation = 9,
  counters = 10,
  commit = 11,
  collection = 12,
  balance = 13,
};

inline constexpr std::size_t seal_bytes = 8;
inline constexpr std::uint16_t seal_format = 1;

std::string_view to_string(SealKind kind);

// Writes the seal into the first 8 bytes of `sealed`, whose message stands behind them already.
void close_seal(SealKind kind, std::string& sealed);

// Checks the seal. REQUIRES nothing of the bytes. Errors: corrupt (too short, checksum, another
// kind), wrong_version (a newer format), too_large (more than `bytes_max`).
Result<void> check_seal(SealKind kind, std::string_view sealed, std::size_t bytes_max);

// The same bytes at an address that Cap'n Proto can read in place: `bytes` itself, or a copy.
Bytes aligned(Bytes bytes);

}  // namespace mainstay::wire
