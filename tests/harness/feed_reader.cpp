#include "tests/harness/feed_reader.hpp"

#include "runtime/record/state_machine.hpp"
#include "tests/harness/audit.hpp"
#include "tests/harness/violation.hpp"

namespace mainstay::harness {

using record::ChangeKind;
using record::ChangeView;
using record::Record;
using record::StateReader;

FeedReader::FeedReader(SimWorld world, std::uint64_t number, std::function<SimNode*()> pick)
    : world_{world}, number_{number}, pick_{std::move(pick)} {}

void FeedReader::start() {
  world_.scheduler.after(world_.random.between(1, 100) * sim_ms, [this] { poll(); });
}

void FeedReader::violated(NodeId node, const std::string& what) const {
  throw Violation{"the feed shows each change once, in order",
                  "reader " + std::to_string(number_) + " at " + std::to_string(after_) + "+" +
                      std::to_string(within_) + " on n" + to_string(node) + ": " + what};
}

void FeedReader::poll() {
  if (stopped_) return;
  if (node_ == nullptr || !node_->up() || world_.random.between(0, 9) == 0) node_ = pick_();
  if (node_ != nullptr && node_->up()) {
    const NodeId id = node_->id();
    if (const auto view = node_->local_view()) read_some(view->state(), id, 8);
  }
  world_.scheduler.after(world_.random.between(5, 120) * sim_ms, [this] { poll(); });
}

void FeedReader::read_some(const StateReader& state, NodeId node, std::size_t most) {
  const record::Counters counters = state.counters();
  if (counters.revision < after_ + (within_ > 0 ? 1 : 0)) return;  // that node is behind
  std::size_t left = most;
  const Result<void> read =
      record::scan_changes(state, after_, within_, [&](const ChangeView& view) {
        take(view, node);
        return --left > 0;
      });
  world_.trace.mark("feed", number_, after_, within_);
  if (read) {
    if (left == most && counters.revision > after_) violated(node, "nothing where changes are");
    if (counters.revision == after_ && within_ == 0) compare(state, node);
    return;
  }
  if (read.error().code != Errc::compacted || after_ >= counters.floor)
    violated(node, to_string(read.error()));
  hand_over(state, node);
}

void FeedReader::take(const ChangeView& view, NodeId node) {
  const record::Commit& commit = *view.commit;
  if (commit.revision != after_ + 1 || view.position != within_)
    violated(node, "came " + std::to_string(commit.revision) + "+" + std::to_string(view.position));
  const Model::Commit& wanted = world_.model.commit(commit.revision);
  if (commit.operation != wanted.operation || commit.changes.size() != wanted.changes.size() ||
      !(*view.change == wanted.changes[within_]))
    violated(node, "not the change that was made");
  const record::Change& change = *view.change;
  check_record(change.collection, change.key, view.record, commit.revision, world_.model, node);
  if (view.record.tombstone != (change.kind == ChangeKind::remove))
    violated(node, "a deletion that is none");
  const Model::Key key{change.collection, change.key};
  if (change.kind == ChangeKind::put)
    copy_[key] = change.version;
  else
    copy_.erase(key);
  ++changes_;
  if (++within_ == commit.changes.size()) {
    after_ = commit.revision;
    within_ = 0;
  }
}

void FeedReader::hand_over(const StateReader& state, NodeId node) {
  world_.trace.say(node.value, "hands reader {} over from {} to {}", number_, after_,
                   state.counters().revision);
  copy_.clear();
  state.scan_all_records(
      [this](std::string_view collection, std::string_view key, const Record& record) {
        if (!record.tombstone) copy_[{std::string{collection}, std::string{key}}] = record.version;
        return true;
      });
  after_ = state.counters().revision;
  within_ = 0;
  ++hand_overs_;
}

void FeedReader::compare(const StateReader& state, NodeId node) const {
  std::size_t live = 0;
  state.scan_all_records(
      [&](std::string_view collection, std::string_view key, const Record& record) {
        if (record.tombstone) return true;
        ++live;
        const auto at = copy_.find({std::string{collection}, std::string{key}});
        if (at == copy_.end() || at->second != record.version)
          violated(node, "the copy differs at " + std::string{collection} + "/" + std::string{key});
        return true;
      });
  if (live != copy_.size()) violated(node, "the copy has records that are gone");
}

void FeedReader::finish(SimNode& node) {
  const auto view = node.local_view();
  if (!view) violated(node.id(), "no read view");
  read_some(view->state(), node.id(), static_cast<std::size_t>(-1));
  if (after_ != view->state().counters().revision || within_ != 0)
    violated(node.id(), "not to the end");
  compare(view->state(), node.id());
}

}  // namespace mainstay::harness
