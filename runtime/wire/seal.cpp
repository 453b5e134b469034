#include "runtime/wire/seal.hpp"

#include "runtime/base/checksum.hpp"
#include "runtime/base/mutant.hpp"

namespace mainstay::wire {

namespace {

void put_little_endian(std::string& out, std::size_t offset, std::size_t bytes,
                       std::uint32_t value) {
  for (std::size_t i = 0; i < bytes; ++i)
    out[offset + i] = static_cast<char>(value >> (8 * i) & 0xffu);
}

std::uint32_t get_little_endian(std::string_view in, std::size_t offset, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(in[offset + i])) << (8 * i);
  return value;
}

Failure corrupt(SealKind kind, const std::string& why) {
  return fail(Errc::corrupt, std::string{to_string(kind)} + ": " + why);
}

}  // namespace

std::string_view to_string(SealKind kind) {
  switch (kind) {
    case SealKind::frame:
      return "frame";
    case SealKind::batch:
      return "batch";
    case SealKind::log_batch:
      return "log batch";
    case SealKind::entry:
      return "log entry";
    case SealKind::hard_state:
      return "hard state";
    case SealKind::membership:
      return "membership";
    case SealKind::snapshot_meta:
      return "snapshot description";
    case SealKind::record:
      return "record";
    case SealKind::operation:
      return "operation";
    case SealKind::counters:
      return "counters";
    case SealKind::commit:
      return "commit";
    case SealKind::collection:
      return "collection";
    case SealKind::balance:
      return "balance";
  }
  return "unknown";
}

void close_seal(SealKind kind, std::string& sealed) {
  ASSERT(sealed.size() >= seal_bytes);
  put_little_endian(sealed, 4, 2, static_cast<std::uint16_t>(kind));
  put_little_endian(sealed, 6, 2, seal_format);
  put_little_endian(sealed, 0, 4, crc32c(std::string_view{sealed}.substr(4)));
}

Result<void> check_seal(SealKind kind, std::string_view sealed, std::size_t bytes_max) {
  if (sealed.size() < seal_bytes)
    return corrupt(kind, std::to_string(sealed.size()) + " bytes are too few for a seal");
  if (sealed.size() > bytes_max)
    return fail(Errc::too_large, std::string{to_string(kind)} + ": " +
                                     std::to_string(sealed.size()) + " bytes, at most " +
                                     std::to_string(bytes_max) + " are allowed");
  if (!MUTANT(crc_not_checked) && get_little_endian(sealed, 0, 4) != crc32c(sealed.substr(4)))
    return corrupt(kind, "the checksum does not match");
  const std::uint32_t format = get_little_endian(sealed, 6, 2);
  if (format != seal_format)
    return fail(Errc::wrong_version, std::string{to_string(kind)} + ": format " +
                                         std::to_string(format) + " is not known to this release");
  const std::uint32_t found = get_little_endian(sealed, 4, 2);
  if (found != static_cast<std::uint16_t>(kind))
    return corrupt(kind, "the seal is of kind " + std::to_string(found));
  return {};
}

Bytes aligned(Bytes bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.view().data());
  if (address % 8 == 0) return bytes;
  return Bytes{std::string{bytes.view()}};
}

}  // namespace mainstay::wire
