// Cap'n Proto messages behind a seal: the one place where messages are built and opened, and where
// kj exceptions end. Only for the .cpp files of this folder: nobody else may see capnp.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include "runtime/base/checksum.hpp"
#include "runtime/wire/seal.hpp"

namespace mainstay::wire {

// Behind the seal: the segment table of a message with one segment.
inline constexpr std::size_t segment_table_bytes = 8;
inline constexpr std::size_t message_offset = seal_bytes + segment_table_bytes;

// Words of a struct's own data and pointers.
template <class Schema>
constexpr std::size_t words_of = capnp::_::structSize<Schema>().total();
// Words that a text or data field takes outside its struct.
constexpr std::size_t text_words(std::string_view text) {
  return text.size() / 8 + 1;
}
constexpr std::size_t data_words(std::string_view data) {
  return (data.size() + 7) / 8;
}

// Builds a message in the memory of the string that is returned in the end. When the room given at
// first is too small, the rest goes to throw-away segments and the caller starts again with
// words_needed(): the bytes never depend on the guess.
class StringBuilder final : public capnp::MessageBuilder {
 public:
  explicit StringBuilder(std::size_t words)
      : words_{words}, bytes_(message_offset + words * sizeof(capnp::word), '\0') {}

  kj::ArrayPtr<capnp::word> allocateSegment(unsigned minimum) override;

  bool fits() { return overflow_.empty(); }
  std::size_t words_needed();
  // The finished bytes. REQUIRES: fits(). The builder must not be used afterwards.
  std::string seal(SealKind kind);

 private:
  std::size_t words_;
  std::string bytes_;
  bool started_ = false;
  std::vector<std::vector<std::uint64_t>> overflow_;
};

// `fill` writes the root struct and is called again if `words` (without the root pointer) was a bad
// guess.
template <class Schema, class Fill>
std::string encode_sealed(SealKind kind, std::size_t words, Fill&& fill) {
  for (std::size_t room = words + 1;;) {
    StringBuilder builder{room};
    fill(builder.initRoot<Schema>());
    if (builder.fits()) return builder.seal(kind);
    room = builder.words_needed();
  }
}

// The segment behind a seal that was checked. Errors: corrupt.
Result<kj::ArrayPtr<const capnp::word>> open_segment(SealKind kind, std::string_view sealed);
Failure not_readable(SealKind kind, const kj::Exception& exception);

// `read` takes Schema::Reader and returns Result<T>. `sealed` must be aligned.
template <class Schema, class T, class Read>
Result<T> decode_sealed(SealKind kind, std::string_view sealed, std::size_t bytes_max,
                        Read&& read) {
  TRY(check_seal(kind, sealed, bytes_max));
  TRY_ASSIGN(const kj::ArrayPtr<const capnp::word> segment, open_segment(kind, sealed));
  capnp::ReaderOptions options;
  // A sound message is walked about once; pointers that alias each other to blow a small message up
  // end here.
  options.traversalLimitInWords = 2 * segment.size() + 64;
  options.nestingLimit = 16;
  try {
    const kj::ArrayPtr<const capnp::word> segments[] = {segment};
    capnp::SegmentArrayMessageReader message{kj::arrayPtr(segments, 1), options};
    return read(message.getRoot<Schema>());
  } catch (const kj::Exception& exception) {
    return not_readable(kind, exception);
  }
}

inline capnp::Text::Reader text_of(const std::string& text) {
  return capnp::Text::Reader{text.data(), text.size()};
}
inline std::string string_of(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

inline capnp::Data::Reader data_of(std::string_view data) {
  return capnp::Data::Reader{reinterpret_cast<const kj::byte*>(data.data()), data.size()};
}
// Shares the owner of the bytes that the message was read from.
inline Bytes slice_of(const Bytes& message, capnp::Data::Reader data) {
  if (data.size() == 0) return {};
  return message.slice(std::string_view{reinterpret_cast<const char*>(data.begin()), data.size()});
}

template <class Group>
void write_hash(Group group, const Hash128& hash) {
  group.setHigh(hash[0]);
  group.setLow(hash[1]);
}
template <class Group>
Hash128 read_hash(Group group) {
  return {group.getHigh(), group.getLow()};
}

// A text no longer than `bytes_max`. Errors: corrupt, naming the field.
Result<std::string> read_text(capnp::Text::Reader text, std::size_t bytes_max, const char* field);

// A list with more items than may be.
Failure too_many(std::size_t items, std::size_t most, const char* list);

// Refusals travel by their stable name, "" for none.
capnp::Text::Reader refusal_name(Errc code);

}  // namespace mainstay::wire
