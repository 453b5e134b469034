// Writes answers: JSON of the API's values, problems with what belongs to a request. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/api/backend.hpp"
#include "runtime/http/message.hpp"

namespace mainstay::api {

// The outcome of a single write: 201 or 200 with its version and revision. REQUIRES: done.
http::Response written_response(const record::Outcome& outcome, const std::string& operation);

// Why a write was refused: with the version that was found, where there is one.
http::Response refusal_response(const record::Outcome& outcome, const std::string& operation,
                                const std::string& instance, const std::string& pointer);

// A failed write or read; `operation` and `pointer` may be empty. `members`: further members of the
// problem, name and JSON.
http::Response failure_response(const Error& error, const std::string& operation,
                                const std::string& instance, const std::string& pointer = {},
                                std::vector<std::pair<std::string, std::string>> members = {});

std::string json_string(std::string_view text);  // quoted and escaped

// {"version":…,"created":…,"changed":…}
std::string result_json(const record::ActionResult& result);

// {"operation":…,"state":"committed"|"refused"|"fenced",…}; `recorded_millis` 0: not known. Without
// `whole`, no more than that: neither what it changed nor what it met.
std::string operation_json(const std::string& id, const record::Outcome& outcome,
                           std::uint64_t recorded_millis, bool whole);
std::string cluster_json(const ClusterView& view);
http::Response checks_response(bool ok, const std::vector<Check>& checks);

}  // namespace mainstay::api
