// Writes answers: JSON of the API's values, problems with what belongs to a request. Pure.
#pragma once

#include <string>

#include "runtime/api/backend.hpp"
#include "runtime/http/message.hpp"

namespace mainstay::api {

// The outcome of a write: 201 or 200 with its version and revision, or the problem of a refusal.
http::Response outcome_response(const record::Outcome& outcome, const std::string& operation,
                                const std::string& instance);

// A failed write or read; `operation` may be empty.
http::Response failure_response(const Error& error, const std::string& operation,
                                const std::string& instance);

std::string json_string(std::string_view text);  // quoted and escaped

// {"operation":…,"state":"committed"|"refused",…}
std::string operation_json(const std::string& id, const record::Operation& operation);
std::string cluster_json(const ClusterView& view);
http::Response checks_response(bool ok, const std::vector<Check>& checks);

}  // namespace mainstay::api
