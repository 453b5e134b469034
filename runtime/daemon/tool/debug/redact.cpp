#include "runtime/daemon/tool/debug/redact.hpp"

#include <cctype>
#include <string_view>

namespace mainstay::tool {

namespace {

constexpr std::string_view mask = "(redacted)";

bool is_secret_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

// Replaces the run of letters behind each `mark`, but for its first `keep`.
void mask_behind(std::string& text, std::string_view mark, std::size_t keep) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
    const std::size_t begin = at + mark.size();
    std::size_t end = begin;
    while (end < text.size() && is_secret_letter(text[end])) ++end;
    at = begin;
    if (end <= begin + keep) continue;
    text.replace(begin + keep, end - begin - keep, mask);
    at = begin + keep + mask.size();
  }
}

void mask_keys(std::string& text) {
  constexpr std::string_view open = "PRIVATE KEY-----", close = "-----END";
  for (std::size_t at = 0; (at = text.find(open, at)) != std::string::npos;) {
    const std::size_t begin = at + open.size();
    const std::size_t end = std::min(text.find(close, begin), text.size());
    text.replace(begin, end - begin, mask);
    at = text.find(open, begin + mask.size() + close.size());  // behind the END line's own
    if (at == std::string::npos) return;
    at += open.size();
  }
}

}  // namespace

std::string redacted(const std::string& text) {
  constexpr std::size_t id_size = 8;
  std::string result = text;
  mask_behind(result, "mst_", id_size);
  mask_behind(result, "sha256:", 0);
  mask_behind(result, "Bearer ", 4 + id_size);
  mask_keys(result);
  return result;
}

}  // namespace mainstay::tool
