#include "runtime/base/ids.hpp"

#include <charconv>
#include <cstdio>

namespace mainstay {

std::string hex_of(const std::array<std::uint64_t, 2>& words) {
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx",
                static_cast<unsigned long long>(words[0]),
                static_cast<unsigned long long>(words[1]));
  return std::string{text.data(), 32};
}

Result<std::array<std::uint64_t, 2>> words_of_hex(std::string_view text) {
  std::array<std::uint64_t, 2> words{};
  bool good = text.size() == 32;
  for (std::size_t i = 0; good && i < words.size(); ++i) {
    const char* first = text.data() + 16 * i;
    auto [end, error] = std::from_chars(first, first + 16, words[i], 16);
    good = error == std::errc{} && end == first + 16;
  }
  if (!good)
    return fail(Errc::invalid_argument,
                "'" + std::string{text} + "' is not an id: 32 hexadecimal digits are expected");
  return words;
}

}  // namespace mainstay
