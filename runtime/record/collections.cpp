#include "runtime/record/collections.hpp"

#include "runtime/base/assert.hpp"

namespace mainstay::record {

const InForce& Declarations::in_force(const StateReader& state, std::string_view collection,
                                      const Collection& row) {
  const auto at = parsed_.find(collection);
  if (at != parsed_.end() && at->second.declared == row.declared) return at->second;
  const auto record = state.find_record(system_collection::collections, collection);
  ASSERT_MSG(record && !record->tombstone, "a collection's row goes with its declaration");
  auto declaration = parse_declaration(record->value.view());
  ASSERT_MSG(declaration, "a stored declaration is a good one");
  InForce& entry = parsed_[std::string{collection}];
  entry = {row.declared, record->created_revision,
           std::make_shared<const Declaration>(*std::move(declaration))};
  return entry;
}

void Declarations::begin(const StateReader& state, std::uint64_t index) {
  if (index_ == 0 || index != index_ + 1) {
    count_ = 0;
    index_work_.clear();
    state.scan_collections([&](std::string_view name, const Collection& row) {
      ++count_;
      for (const IndexState& each : row.indexes)
        if (!each.ready) index_work_.emplace(name);
      return true;
    });
  }
  index_ = index;
}

void Declarations::removed(std::string_view collection) {
  --count_;
  if (const auto at = parsed_.find(collection); at != parsed_.end()) parsed_.erase(at);
  if (const auto at = index_work_.find(collection); at != index_work_.end()) index_work_.erase(at);
}

Place& Collections::find(std::string_view name) {
  const auto at = places_.find(name);
  if (at != places_.end()) return at->second;
  const auto made = places_.emplace(std::string{name}, Place{}).first;
  Place& place = made->second;
  place.name = made->first;
  if (const Declaration* system = system_declaration(name); system != nullptr) {
    // Not owned: system declarations live as long as the program.
    place.in_force.declaration =
        std::shared_ptr<const Declaration>{std::shared_ptr<const Declaration>{}, system};
    return place;
  }
  auto row = state_.find_collection(name);
  if (!row) return place;
  place.row = *std::move(row);
  place.has_row = true;
  place.in_force = declarations_.in_force(state_, name, place.row);
  return place;
}

void Collections::finish() {
  for (const auto& [name, place] : places_) {
    if (!place.changed) continue;
    if (place.has_row)
      state_.put_collection(name, place.row);
    else
      state_.erase_collection(name);
  }
}

}  // namespace mainstay::record
