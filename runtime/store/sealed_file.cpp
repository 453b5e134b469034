#include "runtime/store/sealed_file.hpp"

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"
#include "runtime/store/record_store_open.hpp"

namespace mainstay::store {

Result<SealedFile> SealedFile::create(const sys::Path& path, Place place,
                                      std::uint64_t file_bytes) {
  ASSERT(file_bytes > 0 && file_bytes % sector_bytes == 0);
  SealedFile made;
  made.path_ = path;
  made.place_ = place;
  made.sectors_ = file_bytes / sector_bytes;
  TRY_ASSIGN(made.file_, sys::File::open(path, sys::File::Mode::create));
  constexpr std::size_t piece_bytes = 1 << 20;
  std::string piece;
  std::uint64_t offset = 0;
  for (std::uint64_t sector = 0; sector < made.sectors_; ++sector) {
    made.append_sector(piece, sector, {});
    if (piece.size() < piece_bytes && sector + 1 < made.sectors_) continue;
    TRY(made.file_.write_at(offset, piece));
    offset += piece.size();
    piece.clear();
  }
  TRY(made.file_.sync());
  return made;
}

Result<SealedFile> SealedFile::open(const sys::Path& path, Place place) {
  SealedFile opened;
  opened.path_ = path;
  opened.place_ = place;
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return fail(Errc::corrupt, fmt::format("'{}' is missing. {}", path.string(), way_out));
  TRY_ASSIGN(opened.file_, sys::File::open(path, sys::File::Mode::write));
  TRY_ASSIGN(const std::uint64_t bytes, opened.file_.size());
  if (bytes == 0 || bytes % sector_bytes != 0)
    return fail(Errc::corrupt, fmt::format("'{}' has been cut off: it has {} bytes. {}",
                                           path.string(), bytes, way_out));
  opened.sectors_ = bytes / sector_bytes;
  return opened;
}

std::uint32_t SealedFile::seal_of(std::uint64_t sector, std::string_view content) const {
  char place[32];
  put_little(place, place_.owner);
  put_little(place + 8, place_.file);
  put_little(place + 16, sectors_ * sector_bytes);
  put_little(place + 24, sector);
  return crc32c(content, crc32c({place, sizeof place}));
}

void SealedFile::append_sector(std::string& out, std::uint64_t sector,
                               std::string_view content) const {
  const std::size_t begin = out.size();
  out.append(content);
  out.resize(begin + content_bytes, '\0');
  append_little(out, seal_of(sector, std::string_view{out}.substr(begin)));
}

Result<std::string> SealedFile::read() const {
  TRY_ASSIGN(const std::string bytes, file_.read_at(0, sectors_ * sector_bytes));
  std::string content;
  content.reserve(capacity());
  for (std::uint64_t sector = 0; sector < sectors_; ++sector) {
    const auto whole = std::string_view{bytes}.substr(sector * sector_bytes, sector_bytes);
    const std::string_view own = whole.substr(0, content_bytes);
    const bool sealed =
        whole.size() == sector_bytes &&
        (MUTANT(seal_ignored) ||
         get_little<std::uint32_t>(whole.data() + content_bytes) == seal_of(sector, own));
    if (!sealed)
      return fail(Errc::corrupt,
                  fmt::format("'{}' is damaged, or not this node's: the sector at byte {} does not "
                              "fit its checksum. {}",
                              path_.string(), sector * sector_bytes, way_out));
    content += own;
  }
  return content;
}

void SealedFile::go_to(std::uint64_t sector) {
  position_ = sector * content_bytes;
  begun_.clear();
}

Result<void> SealedFile::put(std::string_view data) {
  ASSERT(position_ + data.size() <= capacity());
  const std::uint64_t first = position_ / content_bytes;
  written_.clear();
  std::uint64_t sector = first;
  begun_.append(data.substr(0, content_bytes - begun_.size()));
  append_sector(written_, sector, begun_);
  begun_.resize(position_ % content_bytes);
  for (std::size_t at = content_bytes - begun_.size(); at < data.size(); at += content_bytes)
    append_sector(written_, ++sector, data.substr(at, content_bytes));
  return file_.write_at(first * sector_bytes, written_);
}

Result<void> SealedFile::append(std::string_view data) {
  TRY(put(data));
  position_ += data.size();
  const std::size_t in_sector = position_ % content_bytes;
  if (in_sector > data.size())
    begun_ += data;
  else
    begun_ = data.substr(data.size() - in_sector);
  return {};
}

}  // namespace mainstay::store
