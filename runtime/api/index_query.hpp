// Lists of records through a declared index; internal to runtime/api.
#pragma once

#include <optional>
#include <string>

#include "runtime/api/reading.hpp"
#include "runtime/base/json.hpp"

namespace mainstay::api {

// ?index=NAME&from=&to= (both inclusive) or &value=
struct IndexQuery {
  std::string index;
  std::optional<json::Value> from, to;  // scalars; the same one for `value`
  std::string after;                    // of the page before: a place as bytes; "" for the first
};

// Nothing when the request names no index. Errors: invalid_argument.
Result<std::optional<IndexQuery>> index_query_of(const http::Request& request);

// Fills the page in the order of values; `next` is its last place, as JSON. Errors:
// invalid_argument (no such index), not_ready (it is being built).
Result<void> scan_query(const record::StateReader& view, const std::string& collection,
                        const std::optional<record::Collection>& row, const IndexQuery& query,
                        Page& page, std::string& next);

// {"key":…,"version":…,"revision":…,"value":…}
void append_record(std::string& out, std::string_view key, const record::Record& record);

}  // namespace mainstay::api
