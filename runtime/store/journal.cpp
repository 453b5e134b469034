#include "runtime/store/journal.hpp"

#include <optional>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"

namespace mainstay::store {
namespace {

constexpr std::size_t header_bytes = 24;
constexpr std::size_t alignment = 8;

constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

// Where a frame has the size of its body.
constexpr std::uint32_t mark_size = UINT32_MAX;

void append_header(std::string& out, std::uint32_t size, const Journal::Position& at) {
  append_little(out, std::uint32_t{0});
  append_little(out, size);
  append_little(out, at.generation);
  append_little(out, at.sequence);
}

// The checksum of what stands behind it.
void close_header(std::string& out) {
  put_little(out.data(), crc32c(std::string_view{out}.substr(4)));
}

struct Frame {
  std::uint64_t sequence = 0;
  std::string_view body;
};

// Nothing when no valid frame of this generation begins at `offset`.
std::optional<Frame> frame_at(std::string_view file, std::size_t offset, std::uint64_t generation) {
  if (file.size() < offset + header_bytes) return std::nullopt;
  const char* header = file.data() + offset;
  if (get_little<std::uint64_t>(header + 8) != generation) return std::nullopt;
  const std::size_t bytes = get_little<std::uint32_t>(header + 4);
  if (bytes > file.size() - offset - header_bytes) return std::nullopt;
  const std::string_view sealed = file.substr(offset + 4, header_bytes - 4 + bytes);
  if (get_little<std::uint32_t>(header) != crc32c(sealed)) return std::nullopt;
  return Frame{get_little<std::uint64_t>(header + 16), file.substr(offset + header_bytes, bytes)};
}

// The sequence in a mark of this generation at `offset`, if there is one.
std::optional<std::uint64_t> mark_at(std::string_view file, std::size_t offset,
                                     std::uint64_t generation) {
  if (file.size() < offset + header_bytes) return std::nullopt;
  const char* header = file.data() + offset;
  if (get_little<std::uint64_t>(header + 8) != generation) return std::nullopt;
  if (get_little<std::uint32_t>(header + 4) != mark_size) return std::nullopt;
  const std::string_view sealed = file.substr(offset + 4, header_bytes - 4);
  if (get_little<std::uint32_t>(header) != crc32c(sealed)) return std::nullopt;
  return get_little<std::uint64_t>(header + 16);
}

std::filesystem::path path_of(const std::filesystem::path& directory, std::size_t file) {
  return directory / fmt::format("journal.{}", file);
}

}  // namespace

Result<Journal> Journal::create(const std::filesystem::path& directory, Incarnation owner,
                                std::uint64_t file_bytes) {
  Journal journal;
  journal.directory_ = directory;
  for (std::size_t i = 0; i < journal.files_.size(); ++i) {
    TRY_ASSIGN(journal.files_[i],
               SealedFile::create(path_of(directory, i), {owner.value, i}, file_bytes));
  }
  TRY(sys::sync_directory(directory));
  return journal;
}

Result<Journal> Journal::open(const std::filesystem::path& directory, Incarnation owner) {
  Journal journal;
  journal.directory_ = directory;
  for (std::size_t i = 0; i < journal.files_.size(); ++i) {
    TRY_ASSIGN(journal.files_[i], SealedFile::open(path_of(directory, i), {owner.value, i}));
  }
  return journal;
}

Result<Journal::Position> Journal::read(Position from, const Replay& replay) const {
  Position at = from;
  TRY(read_generation(at, replay));
  ++at.generation;
  TRY(read_generation(at, replay));
  return Position{at.generation + 1, at.sequence};
}

Result<void> Journal::read_generation(Position& at, const Replay& replay) const {
  const std::size_t which = at.generation % files_.size();
  const auto damaged = [&](std::size_t offset, const char* why) {
    return fail(Errc::corrupt,
                fmt::format("'{}': the frame at byte {} of its content is damaged: {}",
                            path_of(directory_, which).string(), offset, why));
  };
  TRY_ASSIGN(const std::string content, files_[which].read());
  std::size_t offset = 0;
  while (const auto frame = frame_at(content, offset, at.generation)) {
    if (frame->sequence != at.sequence) return damaged(offset, "frames before it are missing");
    TRY(replay(frame->body));
    ++at.sequence;
    offset += padded(header_bytes + frame->body.size());
  }
  for (std::size_t later = offset; later < content.size(); later += alignment) {
    if (frame_at(content, later, at.generation)) return damaged(offset, "a valid one follows");
    const auto marked = mark_at(content, later, at.generation);
    if (marked && *marked >= at.sequence) return damaged(offset, "it was durable once");
  }
  return {};
}

void Journal::begin(Position at) {
  at_ = at;
  file().rewind();
}

bool Journal::fits(std::size_t body_bytes) const {
  const std::uint64_t with_mark = padded(header_bytes + body_bytes) + header_bytes;
  return file().position() + with_mark <= file().capacity();
}

Result<void> Journal::append(std::string_view body) {
  ASSERT(fits(body.size()));
  frame_.clear();
  append_header(frame_, static_cast<std::uint32_t>(body.size()), at_);
  frame_ += body;
  close_header(frame_);
  frame_.resize(padded(frame_.size()), '\0');
  SealedFile& to = file();
  TRY(to.append(frame_));
  if (!MUTANT(log_write_not_synced)) TRY(to.sync());
  frame_.clear();
  append_header(frame_, mark_size, at_);
  close_header(frame_);
  TRY(to.put(frame_));
  ++at_.sequence;
  return {};
}

}  // namespace mainstay::store
