// Checks of a command that need no state: what the edge refuses before anything is proposed.
#include "runtime/base/limits.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::record {

namespace {

unsigned char byte_at(std::string_view text, std::size_t offset) {
  return static_cast<unsigned char>(text[offset]);
}

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// One code point of well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates,
// nothing above U+10FFFF.
struct CodePoint {
  std::size_t bytes = 0;  // 0: not well-formed
  std::uint32_t value = 0;
};

CodePoint code_point_at(std::string_view text, std::size_t offset) {
  const unsigned char first = byte_at(text, offset);
  if (first < 0x80) return {1, first};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || offset + bytes > text.size()) return {};
  std::uint32_t value = first & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const unsigned char next = byte_at(text, offset + i);
    if ((next & 0xc0) != 0x80) return {};
    value = value << 6 | (next & 0x3fu);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[bytes] || surrogate || value > 0x10ffff) return {};
  return {bytes, value};
}

bool is_control(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

std::string size_text(std::size_t size, std::size_t most) {
  return std::to_string(size) + " bytes long; at most " + std::to_string(most) + " are allowed";
}

Result<void> check_operation(const std::string& operation) {
  if (operation.empty())
    return fail(Errc::invalid_argument, "the operation id is empty; give 1 to 128 characters");
  if (operation.size() > limits::operation_id_bytes_max)
    return fail(
        Errc::invalid_argument,
        "the operation id is " + size_text(operation.size(), limits::operation_id_bytes_max));
  for (const char c : operation)
    if (c < 0x20 || c > 0x7e)
      return fail(Errc::invalid_argument,
                  "the operation id holds a character that is not printable ASCII");
  return {};
}

Result<void> check_collection(const std::string& name) {
  bool good = !name.empty() && name.size() <= limits::collection_name_bytes_max &&
              is_name_start(name.front());
  for (const char c : name) good = good && (is_name_start(c) || c == '_' || c == '-');
  if (!good)
    return fail(Errc::invalid_argument,
                "a collection name has 1 to 64 characters of a-z, 0-9, '_' and '-', and starts "
                "with a letter or digit");
  return {};
}

Result<void> check_key(const std::string& key) {
  if (key.empty()) return fail(Errc::invalid_argument, "the key is empty");
  if (key.size() > limits::record_key_bytes_max)
    return fail(Errc::invalid_argument,
                "the key is " + size_text(key.size(), limits::record_key_bytes_max));
  for (std::size_t at = 0; at < key.size();) {
    const CodePoint point = code_point_at(key, at);
    if (point.bytes == 0)
      return fail(Errc::invalid_argument,
                  "the key is not valid UTF-8 at byte " + std::to_string(at));
    if (is_control(point.value))
      return fail(Errc::invalid_argument,
                  "the key holds a control character at byte " + std::to_string(at));
    at += point.bytes;
  }
  return {};
}

Result<void> check_value(const Command& command) {
  const std::size_t size = command.value.size();
  if (size > limits::record_value_bytes_max)
    return fail(Errc::too_large, "the value is " + size_text(size, limits::record_value_bytes_max));
  if (command.kind == CommandKind::put && size == 0)
    return fail(Errc::invalid_argument, "the value is empty; a record holds a JSON text");
  if (command.kind == CommandKind::remove && size != 0)
    return fail(Errc::invalid_argument, "a deletion takes no value");
  return {};
}

}  // namespace

Result<void> validate(const Command& command) {
  TRY(check_operation(command.operation));
  TRY(check_collection(command.collection));
  TRY(check_key(command.key));
  TRY(check_value(command));
  if (command.condition.version_is_not.size() > limits::condition_versions_max)
    return fail(Errc::invalid_argument, "a condition names at most " +
                                            std::to_string(limits::condition_versions_max) +
                                            " versions");
  return {};
}

}  // namespace mainstay::record
