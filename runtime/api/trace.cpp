// The whole story of one thing, by the key that people follow it by (an order's number): what came
// in, which records that made, what was done outside, what is parked, in the order of time.
#include <algorithm>
#include <set>

#include "runtime/api/flows.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/times.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/record/index_key.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Response;
using json::Type;
using json::Value;
namespace hub = integration::hub;

constexpr std::size_t rows_max = 1000;       // of each collection
constexpr std::size_t versions_max = 100;    // of each record
constexpr std::size_t scanned_max = 20'000;  // while an index is not there yet

Value text(std::string_view value) {
  return Value::string(std::string{value});
}

class Story {
 public:
  Story(const record::StateReader& view, const Principal& principal, std::string key)
      : view_{view}, principal_{principal}, key_{std::move(key)} {}

  Value tell() {
    for (const char* collection : {hub::inbox, hub::effects, hub::letters}) gather(collection);
    namesakes();
    for (const auto& [collection, key] : records_) record_versions(collection, key);
    std::stable_sort(events_.begin(), events_.end(), [](const Value& a, const Value& b) {
      return text_member(a, "time") < text_member(b, "time");
    });
    return Value::object({{"key", text(key_)},
                          {"complete", Value::boolean(complete_)},
                          {"events", Value::array(std::move(events_))}});
  }

 private:
  void add(const std::string& time, const char* what, const Value& row, Value event = {}) {
    Value whole = Value::object({{"time", text(time)}, {"what", text(what)}});
    for (const char* name : {"adapter", "type", "subject"})
      if (!text_member(row, name).empty()) whole.set(name, text(text_member(row, name)));
    if (event.is(Type::object))
      for (auto& [name, member] : event.members()) whole.set(name, std::move(member));
    events_.push_back(std::move(whole));
  }

  // The rows whose member `trace` or `subject` is the key, each once.
  void gather(const char* collection) {
    std::set<std::string> found;
    for (const char* by : {"trace", "subject"}) by_index(collection, by, found);
    for (const std::string& row_key : found) {
      const auto row = integration::find_value(view_, collection, row_key);
      if (!row) continue;
      if (collection == hub::inbox) came_in(*row);
      if (collection == hub::effects) went_out(*row);
      if (collection == hub::letters) parked(row_key, *row);
    }
  }

  void by_index(const char* collection, const char* by, std::set<std::string>& found) {
    const auto row = view_.find_collection(collection);
    if (!row) return;
    const auto fits = [&](std::string_view row_key) {
      const auto value = integration::find_value(view_, collection, row_key);
      if (value && text_member(*value, by) == key_) found.insert(std::string{row_key});
      if (found.size() >= rows_max) complete_ = false;
      return found.size() < rows_max;
    };
    for (const record::IndexState& index : row->indexes) {
      if (index.name != by || !index.ready) continue;
      const auto wanted = record::index_key(text(key_));
      view_.scan_index(row->id, index.id, *wanted, "",
                       [&](std::string_view value, std::string_view row_key) {
                         return value == *wanted && fits(row_key);
                       });
      return;
    }
    std::size_t scanned = 0;
    view_.scan_records(collection, "", "", [&](std::string_view row_key, const record::Record&) {
      if (++scanned > scanned_max) complete_ = false;
      return scanned <= scanned_max && fits(row_key);
    });
  }

  void remember(const Value& place) {
    const std::string collection = text_member(place, "collection"),
                      key = text_member(place, "key");
    if (!collection.empty() && principal_.may_see(collection)) records_.emplace(collection, key);
  }

  void came_in(const Value& row) {
    Value event = Value::object({{"id", text(text_member(row, "id"))},
                                 {"version", text(text_member(row, "version"))},
                                 {"mapping", text(text_member(row, "mapping"))}});
    add(text_member(row, "at"), "received", row, std::move(event));
    if (const Value* records = row.find("records"); records != nullptr && records->is(Type::array))
      for (const Value& place : records->items()) remember(place);
  }

  void went_out(const Value& row) {
    const std::string state = text_member(row, "state");
    const auto event = [&](const char* member, bool last) {
      Value value = Value::object({{"effect", text(text_member(row, "key"))}});
      if (last && row.find("receipt") != nullptr) value.set("receipt", *row.find("receipt"));
      if (last && !text_member(row, "detail").empty())
        value.set("detail", text(text_member(row, "detail")));
      if (std::string_view{member} == "sent") {
        value.set("attempt", Value::number(std::to_string(number_member(row, "attempt"))));
        value.set("state", text(state));
      }
      return value;
    };
    add(text_member(row, "created"), "intended", row, event("created", false));
    if (!text_member(row, "sent").empty())
      add(text_member(row, "sent"), "sent", row, event("sent", false));
    if (!text_member(row, "finished").empty())
      add(text_member(row, "finished"), state == "refused" ? "refused" : "acknowledged", row,
          event("finished", true));
    if (const Value* source = row.find("source"); source != nullptr) remember(*source);
  }

  void parked(const std::string& row_key, const Value& row) {
    const std::string letter = row_key.substr(std::min(row_key.find('/') + 1, row_key.size()));
    Value event = Value::object({{"letter", text(letter)},
                                 {"class", text(text_member(row, "class"))},
                                 {"detail", text(text_member(row, "reason"))},
                                 {"state", text(text_member(row, "state"))}});
    add(text_member(row, "first"), "parked", row, event);
    const std::string state = text_member(row, "state");
    if (state == "resolved" || state == "discarded")
      add(text_member(row, "last"), state == "resolved" ? "resolved" : "discarded", row,
          Value::object({{"letter", text(letter)}}));
  }

  // Documents that have this very key.
  void namesakes() {
    if (!record::check_record_key(key_)) return;
    view_.scan_collections([&](std::string_view name, const record::Collection&) {
      const bool own = name.starts_with('_') || name.starts_with(integration::hub_prefix);
      if (!own && principal_.may_see(name) && view_.find_record(name, key_))
        records_.emplace(std::string{name}, key_);
      return true;
    });
  }

  void record_versions(const std::string& collection, const std::string& key) {
    const auto tell_version = [&](const record::Record& version) {
      Value event = Value::object({{"collection", text(collection)},
                                   {"key", text(key)},
                                   {"version", Value::number(std::to_string(version.version))},
                                   {"revision", Value::number(std::to_string(version.revision))}});
      add(time_text(version.stamp.millis), version.tombstone ? "deleted" : "written", Value{},
          std::move(event));
    };
    const auto newest = view_.find_record(collection, key);
    if (!newest) return;
    tell_version(*newest);
    std::size_t versions = 1;
    view_.scan_history(collection, key, newest->revision, [&](const record::Record& version) {
      if (++versions > versions_max) complete_ = false;
      if (versions <= versions_max) tell_version(version);
      return versions <= versions_max;
    });
  }

  const record::StateReader& view_;
  const Principal& principal_;
  const std::string key_;
  bool complete_ = true;
  json::Array events_;
  std::set<std::pair<std::string, std::string>> records_;
};

void trace(const CallPtr& call) {
  const auto need = [&]() -> Result<ReadNeed> {
    TRY(check_query(call->request, {"level"}));
    TRY(need_flows(call->principal, {hub::inbox, hub::effects, hub::letters}));
    if (call->request.captures.at(0).empty())
      return fail(Errc::invalid_argument, "the key to follow is empty");
    return need_of(call->request);
  }();
  if (!need) return call->refuse(need.error());
  read(call, *need, [call](const record::StateReader& view) -> Result<Response> {
    const std::string& key = call->request.captures.at(0);
    Value story = Story{view, call->principal, key}.tell();
    if (story.find("events")->items().empty())
      return fail(Errc::not_found, "nothing is known under '" + key + "'");
    return http::json_response(200, json::to_text(story));
  });
}

}  // namespace

void add_trace_routes(Routes& routes) {
  routes.add(Method::get, "/v1/trace/{key}", trace);
}

}  // namespace mainstay::api
