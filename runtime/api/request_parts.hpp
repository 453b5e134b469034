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
inline constexpr const char* session_header = "Mainstay-Session";
inline constexpr std::string_view merge_patch_type = "application/merge-patch+json";

// Only these query parameters, each once.
Result<void> check_query(const http::Request& request,
                         std::initializer_list<std::string_view> known);

// Mainstay-Deadline-Ms, 1 to limits::request_ms_max, else `standard`.
Result<Millis> deadline_of(const http::Request& request, Millis standard);

// Under such ids the node writes its audit trail, each entry once: nobody may take them before.
inline constexpr std::string_view audit_operation_prefix = "~audit-";
// An operation id that a client names. Errors: forbidden.
Result<void> check_operation_name(std::string_view operation);

// Idempotency-Key, without the quotes that some clients put around it; nothing if there is none.
Result<std::optional<std::string>> operation_of(const http::Request& request);

// If-Match and If-None-Match.
Result<record::Condition> condition_of(const http::Request& request);

// ?level=linearizable|session|local; session reads Mainstay-Session.
Result<ReadNeed> need_of(const http::Request& request);

// A query parameter that is a whole number; nothing if it is not given.
Result<std::optional<std::uint64_t>> number_parameter(const http::Request& request,
                                                      std::string_view name, std::uint64_t low,
                                                      std::uint64_t high);

// ?limit=, 1 to limits::list_records_max.
Result<std::size_t> limit_of(const http::Request& request, std::size_t standard = 100);

// ?prefix= or ?after=: a key as far as its form goes; "" if it is not given.
Result<std::string> key_parameter(const http::Request& request, std::string_view name);

// The body has no content coding and the media type JSON, or `also`. Errors also: unsupported.
Result<void> check_media(const http::Request& request, std::string_view also = {});

// The body has the right media type and a size that a record may have; record::validate() looks
// whether it is JSON. Errors also: unsupported (another media type), too_large.
Result<void> check_value(const http::Request& request, std::string_view also = {});

Result<void> check_no_body(const http::Request& request);

// Opaque places in lists: any bytes as text that needs no encoding in a URL. Errors of the reverse:
// invalid_argument.
std::string token_of_place(std::string_view bytes);
Result<std::string> place_of_token(std::string_view token);

std::string etag_of(record::Version version);  // "\"7\""

std::string session_of(record::Revision revision);  // "r17"

// What If-Match and If-None-Match ask for, as one text.
std::string text_of(const record::Condition& condition);

// The same for a request and its repetitions, another for any other request: over its parts, each
// with its length. The deadline is not one of them: a repetition may wait longer.
Hash128 request_hash(std::initializer_list<std::string_view> parts);

}  // namespace mainstay::api
