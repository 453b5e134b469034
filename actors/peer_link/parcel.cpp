#include "actors/peer_link/parcel.hpp"

namespace mainstay::peer_link {

namespace {

void append_word(std::string& to, std::uint64_t word) {
  for (int shift = 0; shift < 64; shift += 8) to += static_cast<char>(word >> shift & 0xff);
}

std::uint64_t word_at(std::string_view from, std::size_t offset) {
  std::uint64_t word = 0;
  for (std::size_t i = 8; i-- > 0;) word = word << 8 | static_cast<unsigned char>(from[offset + i]);
  return word;
}

}  // namespace

std::string seal_parcel(std::string frame, std::uint64_t token, std::uint64_t received) {
  append_word(frame, token);
  append_word(frame, received);
  return frame;
}

std::optional<Parcel> open_parcel(std::string blob) {
  const Bytes bytes{std::move(blob)};
  if (bytes.size() < parcel_trailer_bytes) return std::nullopt;
  const std::size_t end = bytes.size() - parcel_trailer_bytes;
  return Parcel{bytes.slice(0, end), word_at(bytes.view(), end), word_at(bytes.view(), end + 8)};
}

}  // namespace mainstay::peer_link
