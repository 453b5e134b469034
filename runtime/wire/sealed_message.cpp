#include "runtime/wire/sealed_message.hpp"

#include <algorithm>
#include <cstring>

namespace mainstay::wire {

kj::ArrayPtr<capnp::word> StringBuilder::allocateSegment(unsigned minimum) {
  if (!started_ && minimum <= words_) {
    started_ = true;
    return {reinterpret_cast<capnp::word*>(bytes_.data() + message_offset), words_};
  }
  started_ = true;
  auto& segment = overflow_.emplace_back(std::max<std::size_t>(minimum, 1024));
  return {reinterpret_cast<capnp::word*>(segment.data()), segment.size()};
}

std::size_t StringBuilder::words_needed() {
  std::size_t words = 0;
  for (const auto& segment : getSegmentsForOutput()) words += segment.size();
  // Overflow wastes the end of the first segment, and pointers between segments take words that one
  // segment does not need.
  return words + 1;
}

std::string StringBuilder::seal(SealKind kind) {
  const auto segments = getSegmentsForOutput();
  ASSERT(fits() && segments.size() == 1);
  const std::size_t words = segments[0].size();
  bytes_.resize(message_offset + words * sizeof(capnp::word));
  const auto count = static_cast<std::uint32_t>(words);  // the number of segments less one stays 0
  for (unsigned i = 0; i < 4; ++i)
    bytes_[seal_bytes + 4 + i] = static_cast<char>(count >> (8 * i) & 0xffu);
  close_seal(kind, bytes_);
  return std::move(bytes_);
}

Result<kj::ArrayPtr<const capnp::word>> open_segment(SealKind kind, std::string_view sealed) {
  const auto refuse = [kind](const char* why) {
    return fail(Errc::corrupt, std::string{to_string(kind)} + ": " + why);
  };
  if (sealed.size() < message_offset + sizeof(capnp::word) ||
      sealed.size() % sizeof(capnp::word) != 0)
    return refuse("the size is not that of a message");
  std::uint64_t expected = (sealed.size() - message_offset) / sizeof(capnp::word);
  std::uint64_t table = 0;
  for (unsigned i = 0; i < 8; ++i)
    table |= static_cast<std::uint64_t>(static_cast<unsigned char>(sealed[seal_bytes + i]))
             << (8 * i);
  if (table != expected << 32) return refuse("the segment table does not match the size");
  ASSERT(reinterpret_cast<std::uintptr_t>(sealed.data()) % sizeof(capnp::word) == 0);
  return kj::ArrayPtr<const capnp::word>{
      reinterpret_cast<const capnp::word*>(sealed.data() + message_offset), expected};
}

Failure not_readable(SealKind kind, const kj::Exception& exception) {
  return fail(Errc::corrupt,
              std::string{to_string(kind)} + ": " + exception.getDescription().cStr());
}

Result<std::string> read_text(capnp::Text::Reader text, std::size_t bytes_max, const char* field) {
  if (text.size() > bytes_max)
    return fail(Errc::corrupt, std::string{field} + ": " + std::to_string(text.size()) +
                                   " bytes, at most " + std::to_string(bytes_max));
  return string_of(text);
}

Failure too_many(std::size_t items, std::size_t most, const char* list) {
  return fail(Errc::corrupt, std::string{list} + ": " + std::to_string(items) + " items, at most " +
                                 std::to_string(most));
}

capnp::Text::Reader refusal_name(Errc code) {
  // Names come from a table of string literals, so they end in a zero byte as Cap'n Proto wants it.
  return capnp::Text::Reader{to_string(code).data(), to_string(code).size()};
}

}  // namespace mainstay::wire
