#include "runtime/api/index_query.hpp"

#include <algorithm>
#include <compare>

#include "runtime/api/render.hpp"
#include "runtime/record/index_key.hpp"

namespace mainstay::api {

namespace {

using record::IndexState;

// A JSON scalar, or text as it is: ACME is the same as "ACME".
Result<json::Value> scalar_of(const std::string& text, std::string_view name) {
  auto value = json::parse(text);
  if (!value) return json::Value::string(text);
  if (value->is(json::Type::array) || value->is(json::Type::object))
    return fail(Errc::invalid_argument,
                std::string{name} + " must be a JSON scalar, or text as it is");
  return value;
}

// A place in an index: the encoded value, ended by its length, and the key.
std::string place_of(std::string_view value, std::string_view key) {
  std::string place;
  place += static_cast<char>(value.size());
  place += value;
  place += key;
  return place;
}

Result<std::pair<std::string, std::string>> split_place(const std::string& place) {
  const std::size_t size = place.empty() ? 0 : static_cast<unsigned char>(place.front());
  if (place.empty() || 1 + size >= place.size())
    return fail(Errc::invalid_argument, "after is not the `next` of an earlier page of this list");
  return std::pair{place.substr(1, size), place.substr(1 + size)};
}

Failure being_built(const std::string& collection, const std::string& name) {
  return fail(Errc::not_ready, "index '" + name + "' of collection '" + collection +
                                   "' is being built; try again soon");
}

Result<const IndexState*> index_in(const std::string& collection,
                                   const std::optional<record::Collection>& row,
                                   const std::string& name) {
  std::string names;
  if (row)
    for (const IndexState& index : row->indexes) {
      if (index.name != name) {
        names += (names.empty() ? "" : ", ") + index.name;
        continue;
      }
      if (!index.ready) return being_built(collection, name);
      return &index;
    }
  return fail(Errc::invalid_argument, "collection '" + collection + "' has no index '" + name +
                                          "'" +
                                          (names.empty() ? "; declare one" : "; it has " + names));
}

// The pointer that the index was declared with.
Result<std::string> pointer_of(const record::StateReader& view, const std::string& collection,
                               const std::string& index) {
  const auto record = view.find_record(record::system_collection::collections, collection);
  if (record && !record->tombstone) {
    TRY_ASSIGN(const json::Value declared, json::parse(record->value.view()));
    if (const json::Value* list = declared.find("indexes"); list != nullptr)
      for (const json::Value& item : list->items())
        if (item.find("name")->text() == index) return item.find("pointer")->text();
  }
  return fail(Errc::not_ready, "index '" + index + "' is being changed; try again soon");
}

// Strings longer than what the index holds are compared once more, in the record itself.
bool within(const IndexQuery& query, const record::Record& record, const std::string& pointer) {
  const auto value = json::parse(record.value.view());
  const json::Value* found = value ? json::find(*value, pointer) : nullptr;
  if (found == nullptr || found->is(json::Type::array) || found->is(json::Type::object))
    return false;
  if (query.from && record::compare_scalars(*found, *query.from) < 0) return false;
  return !query.to || record::compare_scalars(*found, *query.to) <= 0;
}

// The encoded bounds; a row that equals one of them may be of a cut string.
struct Bounds {
  std::string from, to;
  bool has_to = false;

  bool behind(std::string_view value) const { return has_to && value > to; }
  bool at_edge(std::string_view value) const {
    return value.size() >= record::index_value_bytes_max &&
           (value == from || (has_to && value == to));
  }
};

Bounds bounds_of(const IndexQuery& query) {
  Bounds bounds;
  if (query.from) bounds.from = record::index_key(*query.from).value_or("");
  bounds.has_to = query.to.has_value();
  if (query.to) bounds.to = record::index_key(*query.to).value_or("");
  return bounds;
}

}  // namespace

void append_record(std::string& out, std::string_view key, const record::Record& record) {
  out += "{\"key\":";
  json::append_string(out, key);
  out += ",\"version\":" + std::to_string(record.version);
  out += ",\"revision\":" + std::to_string(record.revision);
  out += ",\"value\":";
  out += record.value.view();
  out += '}';
}

Result<std::optional<IndexQuery>> index_query_of(const http::Request& request) {
  const std::string* index = request.parameter("index");
  const std::string* value = request.parameter("value");
  const std::string* from = request.parameter("from");
  const std::string* to = request.parameter("to");
  if (index == nullptr) {
    if (value != nullptr || from != nullptr || to != nullptr)
      return fail(Errc::invalid_argument, "from, to and value need an index: ?index=NAME");
    return std::optional<IndexQuery>{};
  }
  if (request.parameter("prefix") != nullptr)
    return fail(Errc::invalid_argument, "prefix and index are not taken together");
  if (value != nullptr && (from != nullptr || to != nullptr))
    return fail(Errc::invalid_argument, "value and from or to are not taken together");
  IndexQuery query;
  query.index = *index;
  for (const auto& [text, target, name] : {std::tuple{value, &query.from, "value"},
                                           {value, &query.to, "value"},
                                           {from, &query.from, "from"},
                                           {to, &query.to, "to"}})
    if (text != nullptr) {
      TRY_ASSIGN(*target, scalar_of(*text, name));
    }
  if (const std::string* after = request.parameter("after"); after != nullptr) {
    TRY_ASSIGN(query.after, place_of_token(*after));
    TRY(split_place(query.after));
  }
  return std::optional{std::move(query)};
}

Result<void> scan_query(const record::StateReader& view, const std::string& collection,
                        const std::optional<record::Collection>& row, const IndexQuery& query,
                        Page& page, std::string& next) {
  TRY_ASSIGN(const IndexState* index, index_in(collection, row, query.index));
  TRY_ASSIGN(const std::string pointer, pointer_of(view, collection, query.index));
  const Bounds bounds = bounds_of(query);
  std::pair<std::string, std::string> begin{bounds.from, ""};
  if (!query.after.empty()) {
    TRY_ASSIGN(begin, split_place(query.after));
  }
  std::string last;
  view.scan_index(row->id, index->id, begin.first, begin.second,
                  [&](std::string_view value, std::string_view key) {
                    if (bounds.behind(value) || !page.take_row()) return false;
                    last = place_of(value, key);
                    const auto record = view.find_record(collection, key);
                    if (!record || record->tombstone) return true;
                    if (bounds.at_edge(value) && !within(query, *record, pointer)) return true;
                    append_record(page.begin_item(), key, *record);
                    return true;
                  });
  next = json_string(token_of_place(last));
  return {};
}

}  // namespace mainstay::api
