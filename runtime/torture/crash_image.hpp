// What a power cut would have left of a directory: built from a copy of it and the recording of
// everything that was done to it since (hook/recording.hpp). At any moment of the recording, what a
// sync has covered is there; of everything else any part may be: of each block as many of its
// writes as a disk would have got to, the next one torn at a sector; of the changes of names a
// beginning in order, as journals do.
//
// Names of new files count as durable once the file is (as ext4 has it); mapped memory is not seen,
// and LMDB writes no page through it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"
#include "runtime/torture/hook/recording.hpp"

namespace mainstay::torture {

inline constexpr std::uint64_t image_block_bytes = 4096;
inline constexpr std::uint64_t image_sector_bytes = 512;

// How much of what no sync has covered an image keeps.
enum class Kept : std::uint8_t { nothing, everything, some };

// Goes through a recording once, forwards. One thread.
class CrashImages {
 public:
  // `root` is the recorded directory's path, `base` what it held when the recording began, and
  // `work` a directory for the state of the disk (made, and removed at the end). Errors: io_error.
  static Result<CrashImages> open(const std::filesystem::path& recording,
                                  const std::filesystem::path& root,
                                  const std::filesystem::path& base,
                                  const std::filesystem::path& work);
  CrashImages(CrashImages&&) = default;
  CrashImages& operator=(CrashImages&&) = default;
  ~CrashImages();

  // Goes on until `records` of them are done, or all there are. Errors: corrupt (not a recording),
  // io_error.
  Result<void> advance(std::uint64_t records);
  std::uint64_t position() const { return position_; }
  bool at_end() const;

  // Writes into `directory`, which must not exist, what the power could have left at this position.
  Result<void> build(const std::filesystem::path& directory, Kept kept, Random& random) const;

  std::uint64_t unsynced() const;  // writes that no sync has covered

 private:
  struct Change {  // of a file's content
    bool resize = false;
    std::uint64_t offset = 0;  // resize: the new size
    std::string data;
    std::uint64_t record = 0;
  };
  struct File {
    std::vector<Change> pending;
    std::map<std::uint64_t, std::uint64_t> syncs;  // number -> records done when it began
  };
  struct Naming {  // a change of names
    RecordKind kind;
    std::string from, to;
  };
  CrashImages() = default;
  Result<void> carry_out(const RecordHeader& header, const std::string& body);
  Result<void> see_file(const RecordHeader& header, const std::string& body);
  Result<void> finish_sync(std::uint32_t file, std::uint64_t number);
  void finish_directory_sync(const std::string& directory);
  std::filesystem::path content(std::uint32_t file) const;
  std::string relative(const std::string& path) const;

  std::filesystem::path recording_, root_, work_;
  std::uint64_t position_ = 0, offset_ = 0, size_ = 0;
  std::map<std::uint32_t, File> files_;
  std::map<std::string, std::uint32_t> names_;       // as of what is durable
  std::map<std::string, std::uint32_t> live_names_;  // as the process saw them
  std::vector<std::string> directories_;
  std::vector<Naming> namings_;               // that no sync has covered
  std::uint32_t next_base_file_ = 1'000'000;  // of the base, not seen in the recording yet
};

}  // namespace mainstay::torture
