#include "runtime/api/request_parts.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/limits.hpp"

namespace mainstay::api {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Result<std::uint64_t> number_of(std::string_view text, std::string_view what, std::uint64_t low,
                                std::uint64_t high) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number < low || number > high)
    return fail(Errc::invalid_argument, std::string{what} + " must be a whole number from " +
                                            std::to_string(low) + " to " + std::to_string(high));
  return number;
}

// A field that may be given once.
Result<std::optional<std::string_view>> single(const http::Request& request,
                                               std::string_view name) {
  if (request.headers.count(name) > 1)
    return fail(Errc::invalid_argument, std::string{name} + " is given more than once");
  return request.headers.find(name);
}

Result<record::Version> version_of_etag(std::string_view tag, std::string_view field) {
  record::Version version = 0;
  const bool quoted = tag.size() > 2 && tag.front() == '"' && tag.back() == '"';
  if (quoted) {
    const char* end = tag.data() + tag.size() - 1;
    auto [rest, error] = std::from_chars(tag.data() + 1, end, version);
    if (error != std::errc{} || rest != end) version = 0;
  }
  if (version == 0)
    return fail(Errc::invalid_argument,
                std::string{field} + ": '" + std::string{tag} +
                    "' is not the ETag of a record: a version in quotes such as \"3\", or *");
  return version;
}

Result<std::vector<record::Version>> versions_of(std::string_view list, std::string_view field) {
  std::vector<record::Version> versions;
  while (true) {
    const auto comma = list.find(',');
    TRY_ASSIGN(const record::Version version,
               version_of_etag(trimmed(list.substr(0, comma)), field));
    versions.push_back(version);
    if (comma == std::string_view::npos) return versions;
    list.remove_prefix(comma + 1);
  }
}

void append_part(std::string& whole, std::string_view part) {
  const std::uint64_t size = part.size();
  for (int shift = 0; shift < 64; shift += 8) whole += static_cast<char>(size >> shift & 0xff);
  whole += part;
}

}  // namespace

Result<void> check_query(const http::Request& request,
                         std::initializer_list<std::string_view> known) {
  for (auto at = request.query.begin(); at != request.query.end(); ++at) {
    if (std::find(known.begin(), known.end(), at->first) == known.end()) {
      std::string names;
      for (const std::string_view name : known)
        names += (names.empty() ? "" : ", ") + std::string{name};
      return fail(Errc::invalid_argument, "there is no query parameter '" + at->first + "' here" +
                                              (names.empty() ? "" : "; known: " + names));
    }
    const bool again = std::any_of(request.query.begin(), at,
                                   [&](const auto& earlier) { return earlier.first == at->first; });
    if (again)
      return fail(Errc::invalid_argument,
                  "query parameter '" + at->first + "' is given more than once");
  }
  return {};
}

Result<Millis> deadline_of(const http::Request& request, Millis standard) {
  TRY_ASSIGN(const auto text, single(request, deadline_header));
  if (!text) return standard;
  TRY_ASSIGN(const std::uint64_t millis,
             number_of(*text, deadline_header, 1, limits::request_ms_max));
  return Millis{static_cast<std::int64_t>(millis)};
}

Result<void> check_operation_name(std::string_view operation) {
  if (!operation.starts_with(audit_operation_prefix)) return {};
  return fail(Errc::forbidden, "operation ids that start with '" +
                                   std::string{audit_operation_prefix} + "' are Mainstay's own");
}

Result<std::optional<std::string>> operation_of(const http::Request& request) {
  TRY_ASSIGN(const auto text, single(request, "Idempotency-Key"));
  if (!text) return std::optional<std::string>{};
  std::string_view key = trimmed(*text);
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"')
    key = key.substr(1, key.size() - 2);
  if (key.empty()) return fail(Errc::invalid_argument, "Idempotency-Key is empty");
  TRY(check_operation_name(key));
  return std::optional<std::string>{key};
}

Result<record::Condition> condition_of(const http::Request& request) {
  record::Condition condition;
  TRY_ASSIGN(const auto match, single(request, "If-Match"));
  TRY_ASSIGN(const auto none_match, single(request, "If-None-Match"));
  if (match && trimmed(*match) == "*") {
    condition.must_exist = true;
  } else if (match) {
    TRY_ASSIGN(const auto versions, versions_of(*match, "If-Match"));
    if (versions.size() > 1)
      return fail(Errc::invalid_argument, "If-Match: one version is taken, not a list");
    condition.version_is = versions.front();
  }
  if (none_match && trimmed(*none_match) == "*") {
    condition.must_be_absent = true;
  } else if (none_match) {
    TRY_ASSIGN(condition.version_is_not, versions_of(*none_match, "If-None-Match"));
    if (condition.version_is_not.size() > limits::condition_versions_max)
      return fail(Errc::invalid_argument, "If-None-Match: at most " +
                                              std::to_string(limits::condition_versions_max) +
                                              " versions are taken");
  }
  return condition;
}

Result<ReadNeed> need_of(const http::Request& request) {
  const std::string* level = request.parameter("level");
  TRY_ASSIGN(const auto session, single(request, session_header));
  if (level == nullptr || *level == "linearizable") return ReadNeed{ReadLevel::linearizable, 0};
  if (*level == "local") return ReadNeed{ReadLevel::local, 0};
  if (*level != "session")
    return fail(Errc::invalid_argument, "level must be linearizable, session or local");
  if (!session)
    return fail(Errc::invalid_argument,
                "level=session needs the header Mainstay-Session of an earlier answer");
  ReadNeed need{ReadLevel::session, 0};
  const char* end = session->data() + session->size();
  bool formed = session->size() > 1 && session->front() == 'r';
  if (formed) {
    auto [rest, error] = std::from_chars(session->data() + 1, end, need.at_least);
    formed = error == std::errc{} && rest == end;
  }
  if (!formed)
    return fail(Errc::invalid_argument, "Mainstay-Session: '" + std::string{*session} +
                                            "' is not what an answer of this cluster said");
  return need;
}

Result<std::optional<std::uint64_t>> number_parameter(const http::Request& request,
                                                      std::string_view name, std::uint64_t low,
                                                      std::uint64_t high) {
  const std::string* text = request.parameter(name);
  if (text == nullptr) return std::optional<std::uint64_t>{};
  TRY_ASSIGN(const std::uint64_t number, number_of(*text, name, low, high));
  return std::optional{number};
}

Result<std::size_t> limit_of(const http::Request& request, std::size_t standard) {
  TRY_ASSIGN(const auto limit, number_parameter(request, "limit", 1, limits::list_records_max));
  return static_cast<std::size_t>(limit.value_or(standard));
}

Result<std::string> key_parameter(const http::Request& request, std::string_view name) {
  const std::string* value = request.parameter(name);
  if (value == nullptr) return std::string{};
  if (value->size() > limits::record_key_bytes_max)
    return fail(Errc::invalid_argument, std::string{name} + " is longer than any key");
  return *value;
}

Result<void> check_media(const http::Request& request, std::string_view also) {
  TRY_ASSIGN(const auto type, single(request, "Content-Type"));
  if (type) {
    const std::string_view media = trimmed(type->substr(0, type->find(';')));
    std::string lower{media};
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    // What curl says when it is not told otherwise is taken too; the body decides.
    const bool json = lower == "application/json" || lower == also ||
                      lower == "application/x-www-form-urlencoded";
    if (!json)
      return fail(Errc::unsupported, "Content-Type '" + std::string{media} +
                                         "' is not taken here; send " +
                                         std::string{also.empty() ? "application/json" : also});
  }
  if (request.headers.find("Content-Encoding"))
    return fail(Errc::unsupported, "Content-Encoding is not supported; send the JSON as it is");
  return {};
}

Result<void> check_value(const http::Request& request, std::string_view also) {
  TRY(check_media(request, also));
  if (request.body.empty())
    return fail(Errc::invalid_argument, "the body is empty; a JSON value is expected");
  if (request.body.size() > limits::record_value_bytes_max)
    return fail(Errc::too_large,
                "the value is " + std::to_string(request.body.size()) + " bytes long; at most " +
                    std::to_string(limits::record_value_bytes_max) + " are allowed");
  return {};
}

Result<void> check_no_body(const http::Request& request) {
  if (request.body.empty()) return {};
  return fail(Errc::invalid_argument,
              std::string{to_string(request.method)} + " takes no body here");
}

std::string token_of_place(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string token;
  token.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    token += digits[byte >> 4];
    token += digits[byte & 15];
  }
  return token;
}

Result<std::string> place_of_token(std::string_view token) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  bool formed = token.size() % 2 == 0 && token.size() <= 4 * limits::lmdb_key_bytes_max;
  for (std::size_t i = 0; formed && i < token.size(); i += 2) {
    const int high = digit(token[i]), low = digit(token[i + 1]);
    formed = high >= 0 && low >= 0;
    bytes += static_cast<char>(high * 16 + low);
  }
  if (!formed)
    return fail(Errc::invalid_argument, "after is not the `next` of an earlier page of this list");
  return bytes;
}

std::string etag_of(record::Version version) {
  return "\"" + std::to_string(version) + "\"";
}

std::string session_of(record::Revision revision) {
  return "r" + std::to_string(revision);
}

std::string text_of(const record::Condition& condition) {
  std::string text = condition.version_is ? "is " + std::to_string(*condition.version_is) : "";
  for (const record::Version version : condition.version_is_not)
    text += " not " + std::to_string(version);
  if (condition.must_exist) text += " exists";
  if (condition.must_be_absent) text += " absent";
  return text;
}

Hash128 request_hash(std::initializer_list<std::string_view> parts) {
  std::string whole;
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size() + 8;
  whole.reserve(size);
  for (const std::string_view part : parts) append_part(whole, part);
  return xxh3_128(whole);
}

}  // namespace mainstay::api
