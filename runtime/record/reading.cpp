#include <optional>

#include "runtime/record/state_machine.hpp"

namespace mainstay::record {

namespace {

Failure compacted(std::string_view what) {
  return fail(Errc::compacted, std::string{what});
}

// The newest superseded version at or below a revision.
std::optional<Record> held_at(const StateReader& state, std::string_view collection,
                              std::string_view key, Revision revision) {
  std::optional<Record> found;
  state.scan_history(collection, key, revision, [&](const Record& record) {
    found = record;
    return false;
  });
  return found;
}

// The record as the commit of this revision made it.
std::optional<Record> made_by(const StateReader& state, const Change& change, Revision revision) {
  auto current = state.find_record(change.collection, change.key);
  if (current && current->revision == revision) return current;
  auto held = held_at(state, change.collection, change.key, revision);
  if (held && held->revision == revision) return held;
  return std::nullopt;
}

}  // namespace

Result<std::optional<Record>> record_at(const StateReader& state, std::string_view collection,
                                        std::string_view key, Revision revision) {
  const Counters counters = state.counters();
  if (revision > counters.revision)
    return fail(Errc::invalid_argument, "revision " + std::to_string(revision) +
                                            " has not been yet; the newest is " +
                                            std::to_string(counters.revision));
  auto current = state.find_record(collection, key);
  if (current && current->revision <= revision) return current;
  // What is held of a record has no gaps, so that the newest version at or below is the one.
  if (auto held = held_at(state, collection, key, revision); held) return held;
  // Below the floor it may have been, and been forgotten.
  if (revision >= counters.floor) return std::optional<Record>{};
  return compacted("what the record was at revision " + std::to_string(revision) +
                   " is no longer held");
}

Result<void> scan_changes(const StateReader& state, Revision after, std::size_t skip,
                          const std::function<bool(const ChangeView&)>& visit) {
  const Counters counters = state.counters();
  if (after < counters.floor)
    return compacted("changes up to revision " + std::to_string(counters.floor) +
                     " are no longer held");
  Result<void> result;
  state.scan_commits(after, [&](const Commit& commit) {
    const bool is_first = commit.revision == after + 1;
    for (std::size_t i = is_first ? skip : 0; i < commit.changes.size(); ++i) {
      auto record = made_by(state, commit.changes[i], commit.revision);
      if (!record) {
        result = fail(Errc::corrupt, "revision " + std::to_string(commit.revision) +
                                         " stands in the timeline without its record");
        return false;
      }
      const ChangeView view{&commit, &commit.changes[i], i, *std::move(record)};
      if (!visit(view)) return false;
    }
    return true;
  });
  return result;
}

}  // namespace mainstay::record
