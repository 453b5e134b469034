// Files of a directory as a source of messages: what is complete is read, each file once; after
// the commit it goes to the archive. Nothing is kept but the position:
//
//   {"done": [[name, stamp, hash, reason?], ...],   read whole and not seen to be gone since
//    "part": [name, stamp, hash, messages]}         the one in the middle of which the page ended
//
// A file of a name and stamp in `done` is not read again; one that comes late with an earlier name
// is, because nothing is judged by names being greater. A lost acknowledgement therefore costs
// nothing: the next one carries the same files.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/adapters/folder/folder.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapters {

// The type of message that a file which cannot be read at all becomes: its body is the reason, and
// decoding it fails with that, so that it is a dead letter.
inline constexpr std::string_view unreadable_content = "application/x-unreadable";

struct FolderSourceOptions {
  std::string directory = "in";
  std::string archive = "archive";
  std::string quarantine = "quarantine";
  bool by_rename = false;  // else a file must stand still for `settle`
  Millis settle{2'000};
  std::size_t file_bytes_max = 64U << 20;
  bool stamp_in_version = false;  // the same content once more is a new version
};

class FolderSource {
 public:
  // The messages of one file. Errors: invalid_argument, it is not what it should be.
  using Split = std::function<Result<std::vector<integration::RawMessage>>(
      const std::string& name, std::string content, const std::string& version)>;
  // The type of the messages in a file of this name; nullopt: not ours.
  using TypeOf = std::function<std::optional<std::string>(std::string_view name)>;

  // Called before a file that was read goes to the archive; if it fails, the file waits.
  using BeforeArchive = std::function<Result<void>(const std::string& name, std::string content)>;

  // `folder` and `clock` must outlive this.
  FolderSource(Folder& folder, const sys::Clock& clock, FolderSourceOptions options, TypeOf type_of,
               Split split, BeforeArchive before_archive = nullptr);

  Result<integration::Page> fetch(const std::string& position, std::size_t messages_max);
  Result<void> acknowledge(const std::string& position);
  // Archived files whose names are from `from` to `to` ("": no bound), those of one type if given.
  Result<integration::Page> backfill(const integration::Range& range, const std::string& position,
                                     std::size_t messages_max);

 private:
  struct Position;
  struct Done {
    std::string name, stamp, hash, reason;
  };
  struct Opened {
    std::string name, stamp, hash, reason;
    std::vector<integration::RawMessage> messages;
  };
  static Result<Position> parse(const std::string& text);
  static std::string to_text(const Position& position);

  std::string hash_of(std::string_view content, const std::string& stamp) const;
  Result<void> list_anew(Position& at);
  bool is_settled(const FolderEntry& entry);
  // nullopt: it has gone.
  Result<std::optional<Opened>> open(const std::string& directory, const FolderEntry& entry,
                                     const std::string& name);
  Result<void> put_away(const Done& file);

  Folder& folder_;
  const sys::Clock& clock_;
  const FolderSourceOptions options_;
  const TypeOf type_of_;
  const Split split_;
  const BeforeArchive before_archive_;

  // Only to be fast: what the next fetch needs if it goes on where the last one ended.
  std::string expected_;
  std::vector<FolderEntry> round_;
  std::size_t cursor_ = 0;
  bool round_valid_ = false;
  std::optional<Opened> opened_;
  std::set<std::pair<std::string, std::string>> put_away_;  // name, stamp

  struct Seen {
    std::string stamp;
    MonotonicTime since;
  };
  std::map<std::string, Seen, std::less<>> seen_;  // not settled when last looked at
};

}  // namespace mainstay::adapters
