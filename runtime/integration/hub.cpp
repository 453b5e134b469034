#include "runtime/integration/hub.hpp"

#include <algorithm>

#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"

namespace mainstay::integration {

namespace {

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Bytes of the UTF-8 character here; 0: it is none, or a control character.
std::size_t character_at(std::string_view text, std::size_t at) {
  const unsigned char first = byte_at(text, at);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + bytes > text.size()) return 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((byte_at(text, at + i) & 0xc0) != 0x80) return 0;
  const unsigned char second = byte_at(text, at + 1);
  const bool wrong = (first == 0xc2 && second < 0xa0) ||  // U+0080 to U+009F
                     (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return wrong ? 0 : bytes;
}

std::string escaped(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string part;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = character_at(text, at);
    if (bytes > 0 && text[at] != '/' && text[at] != '%') {
      part.append(text.substr(at, bytes));
      at += bytes;
      continue;
    }
    part += '%';
    part += hex[byte_at(text, at) >> 4];
    part += hex[byte_at(text, at) & 0xf];
    ++at;
  }
  return part;
}

DeclaredCollection own(const char* name, std::string_view what, std::string_view indexes) {
  std::string text = R"({"description":")";
  text.append(what).append(R"(","indexes":[)");
  while (!indexes.empty()) {
    const std::size_t end = std::min(indexes.find(' '), indexes.size());
    const std::string index{indexes.substr(0, end)};
    text.append(R"({"name":")").append(index);
    text.append(R"(","pointer":"/)").append(index).append("\"}");
    indexes.remove_prefix(std::min(end + 1, indexes.size()));
    if (!indexes.empty()) text += ',';
  }
  return {name, text + "]}"};
}

}  // namespace

const std::vector<DeclaredCollection>& hub_collections() {
  // `open` is there only while a record asks for something to be done: the index by it holds no
  // others, however many there were.
  static const std::vector<DeclaredCollection> collections = {
      own(hub::adapters, "Adapters: where each runs", ""),
      own(hub::nodes, "Which adapters each node could run", ""),
      own(hub::positions, "How far each source and each feed is read", ""),
      own(hub::inbox, "What came in, and which records it made", "subject trace"),
      own(hub::effects, "What shall happen outside, and its receipt", "open subject trace state"),
      own(hub::letters, "Messages and effects that somebody must look at",
          "open subject trace adapter"),
      own(hub::commands, "Commands to adapters: backfill, reconcile, replay", "open"),
      own(hub::fingerprints, "The shape of each adapter's messages", ""),
      own(hub::reconciliations, "How far the records agree with each counterpart", ""),
      own(hub::discrepancies, "Differences between records and counterparts", "open"),
      own(hub::paths, "The last heartbeat that came through each path of an adapter", ""),
  };
  return collections;
}

std::string key_part(std::string_view text) {
  constexpr std::size_t hash_bytes = 2 + 32;  // "%~" never comes from an escape
  std::string part = escaped(text);
  if (part.size() <= limits::key_part_bytes_max) return part;
  std::size_t kept = limits::key_part_bytes_max - hash_bytes;
  // Neither a character nor an escape is cut.
  while ((byte_at(part, kept) & 0xc0) == 0x80) --kept;
  for (std::size_t back = 1; back <= 2; ++back)
    if (part[kept - back] == '%') kept -= back;
  part.resize(kept);
  return part + "%~" + hex_of(xxh3_128(text));
}

}  // namespace mainstay::integration
