// The bytes of one log record. Private to runtime/store; docs/formats/log.md tells the same.
//
//   record := crc32c:u32   of all that follows
//           ∙ version:u8   1
//           ∙ kind:u8      consensus::EntryKind: memberships are found without decoding
//           ∙ zero:u16
//           ∙ chain:2×u64  XXH3-128 of (previous chain ∙ index ∙ term ∙ XXH3-128 of entry):
//                          a record fits only behind its predecessor
//           ∙ index:u64
//           ∙ term:u64
//           ∙ entry        wire::encode(Entry)
//   Little-endian; the high word of a 128-bit value first.
#pragma once

#include "runtime/base/checksum.hpp"
#include "runtime/base/result.hpp"
#include "runtime/consensus/types.hpp"

namespace mainstay::store {

inline constexpr std::size_t log_header_bytes = 40;
inline constexpr std::uint8_t log_record_version = 1;

struct LogHeader {
  consensus::EntryKind kind = consensus::EntryKind::noop;
  Hash128 chain{};
  consensus::Index index = 0;
  consensus::Term term = 0;
};

Hash128 next_chain(const Hash128& previous, consensus::Index index, consensus::Term term,
                   std::string_view encoded);

// Fills `out` (log_header_bytes + encoded.size() bytes) and returns the record's chain.
Hash128 write_log_record(char* out, const consensus::Entry& entry, std::string_view encoded,
                         const Hash128& previous);

// Checks checksum and place, not the chain. Errors: corrupt, wrong_version.
Result<LogHeader> read_log_header(std::string_view record, consensus::Index expected);

// Checks everything, the chain included.
Result<LogHeader> check_log_record(std::string_view record, consensus::Index expected,
                                   const Hash128& previous);

// The entry of a record that was checked.
Result<consensus::Entry> decode_log_record(std::string_view record, const LogHeader& header);

}  // namespace mainstay::store
