// Reads the parts of requests that several resources share: deadline, operation id, conditions,
// level, body. All errors are invalid_argument with what is expected, unless said otherwise. Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/api/backend.hpp"
#include "runtime/http/message.hpp"

namespace mainstay::api {

// Header fields of our own.
inline constexpr std::string_view deadline_header = "Mainstay-Deadline-Ms";
inline constexpr const char* operation_header = "Mainstay-Operation";
inline constexpr const char* revision_header = "Mainstay-Revision";
inline constexpr const char* replayed_header = "Mainstay-Replayed";

// Only these query parameters, each once.
Result<void> check_query(const http::Request& request,
                         std::initializer_list<std::string_view> known);

// Mainstay-Deadline-Ms, 1 to limits::request_ms_max, else `standard`.
Result<Millis> deadline_of(const http::Request& request, Millis standard);

// Idempotency-Key, without the quotes that some clients put around it; nothing if there is none.
Result<std::optional<std::string>> operation_of(const http::Request& request);

// If-Match and If-None-Match.
Result<record::Condition> condition_of(const http::Request& request);

// ?level=linearizable|local
Result<ReadLevel> level_of(const http::Request& request);

// ?limit=, 1 to limits::list_records_max.
Result<std::size_t> limit_of(const http::Request& request);

// The body is one JSON value of the right media type. Errors also: unsupported (another media
// type), too_large.
Result<void> check_json(const http::Request& request);

std::string etag_of(record::Version version);  // "\"7\""

// The same for a request and its repetitions, another for any other request: over method,
// collection, key, body and conditions, each with its length. The deadline is not part of it: a
// repetition may wait longer.
Hash128 request_hash(http::Method method, const record::Command& command);

}  // namespace mainstay::api
