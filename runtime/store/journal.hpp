// The write-ahead journal of a CheckpointedEnv: what was committed since its checkpoint, one flush
// a commit. Private to runtime/store.
//
// Frames belong to generations. The checkpoint's note names the generation to replay from; taking a
// checkpoint begins the next one in the other of two files, so that commits go on while the
// checkpoint is flushed. At most two generations are alive: the noted one, and the next.
//
//   files "journal.0", "journal.1", of their full size from the start on, so that a flush writes no
//   metadata; each sector sealed (sealed_file.hpp). Generation g is in file g mod 2, from its
//   beginning; of the content:
//   frame := crc32c:u32 (of all that follows) ∙ bytes:u32 (of the body) ∙ generation:u64 ∙
//            sequence:u64 ∙ body ∙ zeros to a multiple of 8
//   mark  := crc32c:u32 (of all that follows) ∙ ffffffff:u32 ∙ generation:u64 ∙ sequence:u64
//   Little-endian.
//
// Behind a frame that became durable stands the mark with its sequence, until the next frame takes
// its place. The mark is not flushed: a power cut may take it, the end of the process does not.
//
// Reading ends at the first frame that is not valid. One that was being written when the power went
// was never acknowledged: nothing can follow it, because a frame is written only after the one
// before is durable. A valid frame of the generation further on, or the mark of a frame that is not
// found, therefore means damage; and so does any sector whose seal is broken, since a power cut
// leaves each as it was or as it was to be. Were the last frame taken for one that was never whole
// because it is damaged, the node would forget what it acknowledged.
//
// Owner: the writer thread of the environment.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/store/sealed_file.hpp"

namespace mainstay::store {

class Journal {
 public:
  using Replay = std::function<Result<void>(std::string_view body)>;

  // Makes both files; `file_bytes` is the size of each. `owner`: whose journal it is; another
  // node's is refused.
  static Result<Journal> create(const std::filesystem::path& directory, Incarnation owner,
                                std::uint64_t file_bytes);
  // Errors: corrupt (a file is missing or cut off), io_error.
  static Result<Journal> open(const std::filesystem::path& directory, Incarnation owner);

  // Where a replay begins.
  struct Position {
    std::uint64_t generation = 0;
    std::uint64_t sequence = 0;  // of its first frame
  };

  // Calls `replay` for each body from `from` on, oldest first; returns where the next generation
  // begins, of which nothing is written yet. Errors: corrupt, and what `replay` returns.
  Result<Position> read(Position from, const Replay& replay) const;

  // From now on append() writes from the beginning of this generation's file.
  // REQUIRES: what the file holds is of no generation that a replay still needs.
  void begin(Position at);
  // Where the next generation would begin.
  Position next() const { return {at_.generation + 1, at_.sequence}; }

  bool fits(std::size_t body_bytes) const;
  // Durable when it returns ok: one flush. Errors: io_error; nothing may follow it. REQUIRES:
  // fits(body.size()).
  Result<void> append(std::string_view body);

 private:
  Result<void> read_generation(Position& at, const Replay& replay) const;

  std::filesystem::path directory_;
  SealedFile& file() { return files_[at_.generation % files_.size()]; }
  const SealedFile& file() const { return files_[at_.generation % files_.size()]; }

  std::array<SealedFile, 2> files_;
  Position at_;        // the generation written, and the sequence of the next frame
  std::string frame_;  // kept for its memory
};

}  // namespace mainstay::store
