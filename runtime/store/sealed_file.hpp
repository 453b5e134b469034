// A file of fixed size whose every sector carries a checksum, so that a sector that the disk has
// damaged is never taken for one that was not written yet. Private to runtime/store.
//
//   file   := sector …
//   sector := 508 bytes of content ∙ crc32c:u32 (of owner:u64 ∙ file:u64 ∙ bytes of the file:u64 ∙
//             number of the sector:u64, then of the content)
//   Little-endian. The contents of the sectors, one behind the other, are the content of the file;
//   made anew it is zeros.
//
// Disks write sectors of 512 bytes, or multiples, whole: after a power cut each is the old one or
// the new one, and both are sealed. So content that is not what its writer meant, in sectors that
// are sealed, was never written as a whole; a sector without a seal was, and has changed since. A
// sector of another place, another file or another node does not fit either.
//
// Owner: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::store {

class SealedFile {
 public:
  static constexpr std::size_t sector_bytes = 512;
  static constexpr std::size_t content_bytes = 508;  // of a sector

  // Whose file it is and which of its owner's.
  struct Place {
    std::uint64_t owner = 0;
    std::uint64_t file = 0;
  };

  // A new file of this size, or the old one made anew; durable. REQUIRES: a multiple of
  // sector_bytes.
  static Result<SealedFile> create(const sys::Path& path, Place place, std::uint64_t file_bytes);
  // Errors: corrupt (missing, or no multiple of a sector), io_error.
  static Result<SealedFile> open(const sys::Path& path, Place place);

  SealedFile() = default;

  // What the sectors can hold.
  std::uint64_t capacity() const { return sectors_ * content_bytes; }
  // The whole content. Errors: corrupt, naming the first sector whose seal is broken.
  Result<std::string> read() const;

  // Writing goes on from the beginning of this sector.
  void go_to(std::uint64_t sector);
  void rewind() { go_to(0); }
  std::uint64_t position() const { return position_; }
  // Writes here, and goes on behind it. Not synced. REQUIRES: position() + data.size() <=
  // capacity().
  Result<void> append(std::string_view data);
  // Writes here, and goes on here: what comes next takes its place.
  Result<void> put(std::string_view data);
  Result<void> sync() { return file_.sync(); }

 private:
  std::uint32_t seal_of(std::uint64_t sector, std::string_view content) const;
  void append_sector(std::string& out, std::uint64_t sector, std::string_view content) const;

  sys::Path path_;
  sys::File file_;
  Place place_;
  std::uint64_t sectors_ = 0;
  std::uint64_t position_ = 0;  // in the content
  std::string begun_;           // what stands before it in its sector
  std::string written_;         // kept for its memory
};

}  // namespace mainstay::store
