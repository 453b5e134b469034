#include "actors/adapters/folder/names.hpp"

#include <algorithm>

#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"

namespace mainstay::adapters {

namespace {

constexpr std::size_t archive_digits = 16;
constexpr std::size_t part_bytes_max = 120;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-';
}

// Where the extension begins; the size if there is none.
std::size_t extension_at(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name.size() : dot;
}

// Calls `place` with the name of each placeholder; it adds its text to the result.
template <class Place>
Result<std::string> walk_template(std::string_view text, const Place& place) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos)
      return fail(Errc::invalid_argument, "expected a '}' behind every '{'");
    TRY_ASSIGN(const std::string part, place(text.substr(open + 1, close - open - 1)));
    out += part;
    text.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string archive_name(std::string_view name, std::string_view hash) {
  const std::size_t extension = extension_at(name);
  return std::string{name.substr(0, extension)} + "." +
         std::string{hash.substr(0, archive_digits)} + std::string{name.substr(extension)};
}

std::optional<std::string> name_of_archived(std::string_view archived) {
  // With an extension the digits stand before it, else they are what looks like one.
  for (const std::size_t end : {extension_at(archived), archived.size()}) {
    if (end <= archive_digits) continue;
    const std::size_t begin = end - archive_digits - 1;
    if (archived[begin] != '.' || !is_hex(archived.substr(begin + 1, archive_digits))) continue;
    return std::string{archived.substr(0, begin)} + std::string{archived.substr(end)};
  }
  return std::nullopt;
}

std::string file_name_part(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string part;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '/') {
      part += '_';
    } else if (is_plain(c) && !(c == '.' && part.empty())) {
      part += c;
    } else {
      part += '%';
      part += digits[byte >> 4];
      part += digits[byte & 15];
    }
  }
  if (part.size() <= part_bytes_max) return part;
  // '=' stands in no other part.
  return part.substr(0, part_bytes_max - 33) + "=" + content_hash(text);
}

Result<void> check_template(std::string_view text) {
  bool key = false;
  if (text.find('/') < text.find('{') || text.empty() || text.front() == '.')
    return fail(Errc::invalid_argument, "expected a file name, such as {key}.json");
  TRY_ASSIGN(const std::string unused,
             walk_template(text, [&key](std::string_view name) -> Result<std::string> {
               key = key || name == "key";
               if (name == "key" || name == "type" || name == "subject") return std::string{"x"};
               if (name.starts_with('/') && json::check_pointer(name)) return std::string{"x"};
               return fail(Errc::invalid_argument,
                           "{" + std::string{name} +
                               "}: expected {key}, {type}, {subject} or a pointer into the "
                               "document such as {/number}");
             }));
  if (std::count(unused.begin(), unused.end(), '/') != 0)
    return fail(Errc::invalid_argument, "expected a file name without directories");
  if (unused.ends_with(".tmp") || unused.ends_with(".part"))
    return fail(Errc::invalid_argument, "names that end in .tmp or .part are for unfinished files");
  if (!key)
    return fail(Errc::invalid_argument,
                "expected {key} in it: the name is what makes a file unique");
  return {};
}

Result<std::string> fill_template(std::string_view text, const integration::Effect& effect) {
  return walk_template(text, [&effect](std::string_view name) -> Result<std::string> {
    if (name == "key") return file_name_part(effect.key);
    if (name == "type") return file_name_part(effect.type);
    if (name == "subject") return file_name_part(effect.subject);
    const json::Value* found = json::find(effect.document, name);
    if (found == nullptr || found->is(json::Type::object) || found->is(json::Type::array) ||
        found->is(json::Type::null))
      return fail(Errc::invalid_argument,
                  "the document has no text or number at " + std::string{name});
    return file_name_part(found->is(json::Type::boolean) ? json::to_text(*found) : found->text());
  });
}

std::string content_hash(std::string_view content) {
  return hex_of(xxh3_128(content));
}

}  // namespace mainstay::adapters
