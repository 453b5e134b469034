// The rows of the integration hub (runtime/integration/hub.hpp) as the API shows and changes them;
// internal to runtime/api. Everything is read from and written to those rows, so that every node
// gives the same answers, whichever of them runs an adapter.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/api/context.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/writing.hpp"
#include "runtime/base/json.hpp"

namespace mainstay::api {

// Whether the token may see flows: it is limited to collections, or has these. Errors: forbidden.
Result<void> need_flows(const Principal& principal, std::initializer_list<const char*> rows);

// The adapter of the path. Errors: invalid_argument (no name of an adapter), not_found.
Result<std::string> adapter_of(const http::Request& request);
Result<void> check_adapter(const record::StateReader& view, const std::string& adapter);

// A read whose parameters are checked by `prepare` first.
struct FlowPage {
  std::string prefix;  // of the keys
  std::string after;   // behind the prefix
  std::size_t limit = 0;
};
// One page of the rows that `show` turns into an object; null: not shown. `next` is a key without
// the prefix.
http::Response row_page(
    const record::StateReader& view, std::string_view name, const char* collection,
    const FlowPage& page,
    const std::function<json::Value(std::string_view key, json::Value row)>& show);

// A change that depends on what is there: read, planned, submitted, audited.
using PlanChange =
    std::function<Result<Write>(const record::StateReader& view, const std::string& operation)>;
void change_rows(const CallPtr& call, std::string what, std::string target, PlanChange plan,
                 Render render = {});

// A patch of a row that must be there; `state`: what its member state must be, if given.
void add_patch(Write& write, const char* collection, const std::string& key,
               const json::Value& patch, std::string_view state = {});
void add_put(Write& write, const char* collection, const std::string& key,
             const json::Value& value);

std::string text_member(const json::Value& object, std::string_view name);
std::uint64_t number_member(const json::Value& object, std::string_view name);
bool flag_member(const json::Value& object, std::string_view name);

}  // namespace mainstay::api
