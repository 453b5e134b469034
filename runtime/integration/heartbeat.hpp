// Heartbeats: an adapter's paths each carry one from end to end, through the same fetches, commits,
// feed and calls as what they are there for, so that a path that is stuck shows although its
// process lives, and so that everybody sees how long a path takes.
//
//   source   sent when a fetch begins; arrives with the commit of everything that the counterpart
//            had by then
//   export   sent as a commit; arrives when the export has it from the change feed, with the
//            commit of all effects of the changes before it
//   lane-N   the same heartbeat, behind the effects that are ready before it; arrives when the
//            counterpart has answered a harmless question (Adapter::probe)
//
// hub-paths/<adapter>/<path> keeps the newest that arrived: whatever is later than its `sent` may
// still be under way. Pure; one writer a row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/integration/definition.hpp"
#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::integration {

inline constexpr std::string_view source_path = "source";
inline constexpr std::string_view export_path = "export";
std::string lane_path(std::size_t number);

// hub-paths/<adapter>/<path>. Times are RFC 3339.
struct PathRow {
  std::string adapter;
  std::string path;
  std::uint64_t every_ms = 0;  // a heartbeat is sent so often
  std::string since;           // the path is there
  std::string next;            // export: sent, not seen in the feed yet
  std::string sent;            // the newest that arrived; "": none has
  std::string arrived;
  std::string reached;  // lanes: "counterpart"; "lane" when the adapter has no harmless question
  std::string breaker;  // lanes: "open" while the counterpart is left alone, else "closed"
  std::string trouble;  // with the counterpart, as the worker last saw it; "": none

  bool operator==(const PathRow&) const = default;
};
json::Value to_value(const PathRow& row);
// Errors: corrupt.
Result<PathRow> path_row(const json::Value& value);
std::string path_key(std::string_view adapter, std::string_view path);

// The paths that a definition asks for, each as it stands in `view`, or as it begins now.
std::vector<PathRow> paths_of(const record::StateReader& view, const AdapterDefinition& definition,
                              WallTime now);
// That one of them. REQUIRES: the definition asks for it.
PathRow path_of(const record::StateReader& view, const AdapterDefinition& definition,
                std::string_view path, WallTime now);
// What must be written so that the rows are those of the definition: new ones begin now, those of
// paths that are no more go.
std::vector<record::Action> path_changes(const record::StateReader& view,
                                         const AdapterDefinition& definition, WallTime now);
record::Action put_path(const PathRow& row);

// How long the newest heartbeat that arrived is under way or over; without one, how long the path
// has been waiting for its first.
Millis heartbeat_age(const PathRow& row, WallTime now);
// How long it took; 0 without one.
Millis heartbeat_delay(const PathRow& row);
// Three were missed, and some seconds more.
bool is_overdue(const PathRow& row, WallTime now);

}  // namespace mainstay::integration
