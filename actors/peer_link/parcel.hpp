// What a kit::WireFrame holds: an encoded wire::Frame, or nothing, and a trailer of 16 bytes:
//   8 bytes  token     little-endian: which connection this was sent on (from the TLS exporter, so
//   that only its two ends know it) 8 bytes  received  little-endian: how many frame bytes the
//   sender has taken from this connection so far (returns credit)
// The trailer is last so that frames need not be moved in memory.
// docs/decisions/0003-frames-over-basp.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/bytes.hpp"

namespace mainstay::peer_link {

struct Parcel {
  Bytes frame;  // empty: the parcel only returns credit
  std::uint64_t token = 0;
  std::uint64_t received = 0;
};

inline constexpr std::size_t parcel_trailer_bytes = 16;

std::string seal_parcel(std::string frame, std::uint64_t token, std::uint64_t received);
// Any bytes are safe to give; none when they are no parcel.
std::optional<Parcel> open_parcel(std::string blob);

}  // namespace mainstay::peer_link
