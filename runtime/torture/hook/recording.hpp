// The recording of what a process did to the files below a directory, in the order in which it was
// done: what the hook writes and crash_image.cpp reads. A record of a write stands behind the
// write, that of a sync's begin before it and that of its end behind it: whatever the process could
// rely on is covered.
//
//   recording := record*
//   record    := kind:u32 ∙ file:u32 ∙ offset:u64 ∙ bytes:u64 ∙ body (bytes)
//   Byte order of the machine: it is read where it was made.
#pragma once

#include <cstdint>

namespace mainstay::torture {

enum class RecordKind : std::uint32_t {
  name = 1,   // body: path of `file`, which is seen for the first time; offset: its size then
  write = 2,  // body: the data
  write_through = 3,   // the same, through a descriptor with O_DSYNC: durable
  resize = 4,          // offset: the new size
  sync_begin = 5,      // of `file`; offset: a number that its end has, too
  sync_end = 6,        // only if it succeeded
  sync_directory = 7,  // body: its path; stands behind it
  rename = 8,          // body: from ∙ '\0' ∙ to
  unlink = 9,          // body: path
  make_directory = 10,
  remove_directory = 11,
};

struct RecordHeader {
  RecordKind kind;
  std::uint32_t file;  // from 1; a file keeps its number when it is renamed
  std::uint64_t offset;
  std::uint64_t bytes;
};
static_assert(sizeof(RecordHeader) == 24);

inline constexpr std::uint64_t recording_bytes_max = 512ULL << 20;  // then nothing more is recorded

}  // namespace mainstay::torture
