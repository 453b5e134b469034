#include "runtime/api/request_parts.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/basic_parser_impl.hpp>

#include "runtime/base/limits.hpp"

namespace mainstay::api {

namespace {

constexpr std::size_t json_depth_max = 64;
constexpr std::size_t list_limit_default = 100;

// Takes every event of the parser and keeps nothing: only well-formedness is asked for.
struct Ignore {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  using Error = boost::json::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t, Error&) { return true; }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t, Error&) { return true; }
  bool on_key_part(Text, std::size_t, Error&) { return true; }
  bool on_key(Text, std::size_t, Error&) { return true; }
  bool on_string_part(Text, std::size_t, Error&) { return true; }
  bool on_string(Text, std::size_t, Error&) { return true; }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t, Text, Error&) { return true; }
  bool on_uint64(std::uint64_t, Text, Error&) { return true; }
  bool on_double(double, Text, Error&) { return true; }
  bool on_bool(bool, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }
};

Result<void> check_json_text(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  boost::json::basic_parser<Ignore> parser{options};
  boost::json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used == text.size()) return {};
  const std::string what = error ? error.message() : "more follows the value";
  return fail(Errc::invalid_argument,
              "the body is not JSON: " + what + " at byte " + std::to_string(used));
}

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

Result<std::optional<std::string>> operation_of(const http::Request& request) {
  TRY_ASSIGN(const auto text, single(request, "Idempotency-Key"));
  if (!text) return std::optional<std::string>{};
  std::string_view key = trimmed(*text);
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"')
    key = key.substr(1, key.size() - 2);
  if (key.empty()) return fail(Errc::invalid_argument, "Idempotency-Key is empty");
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

Result<ReadLevel> level_of(const http::Request& request) {
  const std::string* level = request.parameter("level");
  if (level == nullptr || *level == "linearizable") return ReadLevel::linearizable;
  if (*level == "local") return ReadLevel::local;
  return fail(Errc::invalid_argument, "level must be linearizable or local");
}

Result<std::size_t> limit_of(const http::Request& request) {
  const std::string* limit = request.parameter("limit");
  if (limit == nullptr) return list_limit_default;
  TRY_ASSIGN(const std::uint64_t number, number_of(*limit, "limit", 1, limits::list_records_max));
  return static_cast<std::size_t>(number);
}

Result<void> check_json(const http::Request& request) {
  TRY_ASSIGN(const auto type, single(request, "Content-Type"));
  if (type) {
    const std::string_view media = trimmed(type->substr(0, type->find(';')));
    std::string lower{media};
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    // What curl says when it is not told otherwise is taken too; the body decides.
    const bool json = lower == "application/json" || lower.ends_with("+json") ||
                      lower == "application/x-www-form-urlencoded";
    if (!json)
      return fail(Errc::unsupported,
                  "Content-Type '" + std::string{media} + "' is not JSON; send application/json");
  }
  if (request.headers.find("Content-Encoding"))
    return fail(Errc::unsupported, "Content-Encoding is not supported; send the JSON as it is");
  if (request.body.empty())
    return fail(Errc::invalid_argument, "the body is empty; a JSON value is expected");
  if (request.body.size() > limits::record_value_bytes_max)
    return fail(Errc::too_large,
                "the value is " + std::to_string(request.body.size()) + " bytes long; at most " +
                    std::to_string(limits::record_value_bytes_max) + " are allowed");
  return check_json_text(request.body.view());
}

std::string etag_of(record::Version version) {
  return "\"" + std::to_string(version) + "\"";
}

Hash128 request_hash(http::Method method, const record::Command& command) {
  const record::Condition& condition = command.condition;
  std::string conditions =
      condition.version_is ? "is " + std::to_string(*condition.version_is) : "";
  for (const record::Version version : condition.version_is_not)
    conditions += " not " + std::to_string(version);
  if (condition.must_exist) conditions += " exists";
  if (condition.must_be_absent) conditions += " absent";
  std::string whole;
  whole.reserve(command.key.size() + command.value.size() + conditions.size() + 128);
  append_part(whole, to_string(method));
  append_part(whole, command.collection);
  append_part(whole, command.key);
  append_part(whole, command.value.view());
  append_part(whole, conditions);
  return xxh3_128(whole);
}

}  // namespace mainstay::api
