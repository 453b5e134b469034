// The log store against a std::map: the same random appends, truncations, compactions, snapshots
// and restarts must show the same log.
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

using consensus::Entry;
using consensus::HardState;
using consensus::Index;
using consensus::Membership;
using consensus::Persist;
using consensus::Term;

struct Model {
  std::map<Index, Entry> entries;
  Index start = 0;
  Term start_term = 0;
  Membership start_membership;
  HardState hard_state;

  Index last() const { return entries.empty() ? start : entries.rbegin()->first; }
  Term last_term() const { return entries.empty() ? start_term : entries.rbegin()->second.term; }

  void take(const Persist& persist) {
    if (persist.truncate_from)
      entries.erase(entries.lower_bound(*persist.truncate_from), entries.end());
    for (const Entry& entry : persist.entries) entries.emplace(entry.index, entry);
    if (persist.hard_state) hard_state = *persist.hard_state;
  }

  void compact(Index to) {
    while (!entries.empty() && entries.begin()->first <= to) {
      const Entry& entry = entries.begin()->second;
      start = entry.index;
      start_term = entry.term;
      if (entry.membership != nullptr) start_membership = *entry.membership;
      entries.erase(entries.begin());
    }
  }
};

class Life {
 public:
  explicit Life(const std::filesystem::path& directory)
      : options_{test_options(directory / "life0")} {
    options_.locked = options_.background = false;
    options_.journal_bytes = 16 << 10;  // small: checkpoints come often
    options_.log_map_bytes = 64ULL << 20;
    open();
    RC_ASSERT(node_->form(test_cluster, members({1, 2})).has_value());
    model_.start_membership = members({1, 2});
  }

  void step() {
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1:
      case 2:
        write();
        break;
      case 3:
        compact();
        break;
      case 4:
        open();
        break;
      case 5:
        RC_ASSERT(node_->log().verify().has_value());
        break;
      case 6:
        kill();
        break;
    }
    compare();
  }

 private:
  // The files as kill -9 leaves them, without a clean close: the journal is replayed. A compaction
  // may be undone, which nobody is promised; it is repeated.
  void kill() {
    const auto before = options_.directory;
    options_.directory = before.parent_path() / ("life" + std::to_string(++lives_));
    std::filesystem::copy(before, options_.directory, std::filesystem::copy_options::recursive);
    open();
    std::filesystem::remove_all(before);
    while (node_->log().first_index() <= model_.start)
      RC_ASSERT(node_->log().compact(model_.start).has_value());
  }

  void open() {
    node_.reset();
    auto node = NodeStore::open(options_, random_);
    RC_ASSERT(node.has_value());
    node_ = *std::move(node);
  }

  Persist some_persist(Model& ahead) {
    Persist persist;
    if (*rc::gen::inRange(0, 3) == 0 && ahead.last() > applied_)
      persist.truncate_from = *rc::gen::inRange<Index>(applied_ + 1, ahead.last() + 2);
    if (*rc::gen::inRange(0, 3) == 0)
      persist.hard_state =
          HardState{*rc::gen::inRange<Term>(1, 9), NodeId{*rc::gen::inRange<std::uint64_t>(0, 4)}};
    Model after = ahead;
    after.take(persist);
    Term term = after.last_term();
    for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
      term += *rc::gen::inRange<Term>(0, 2);
      const Index index = after.last() + 1;
      Entry entry =
          *rc::gen::inRange(0, 4) == 0
              ? membership_entry(index, term, members({1, index + 1}))
              : opaque(index, term, std::string(*rc::gen::inRange<std::size_t>(0, 3000), 'p'));
      persist.entries.push_back(entry);
      after.entries.emplace(index, entry);
    }
    ahead.take(persist);
    return persist;
  }

  void write() {
    Model ahead = model_;
    std::vector<Persist> persists;
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) persists.push_back(some_persist(ahead));
    std::vector<const Persist*> all;
    for (const Persist& persist : persists) all.push_back(&persist);
    const std::uint64_t before = node_->log().commits();
    RC_ASSERT(node_->log().write(all).has_value());
    RC_ASSERT(node_->log().commits() == before + 1);
    model_ = ahead;
  }

  void compact() {
    if (model_.entries.empty()) return;
    const Index to = *rc::gen::inRange<Index>(model_.start, model_.last() + 1);
    // What the log forgets the records must hold, and what they hold is never truncated.
    std::vector<Entry> entries;
    for (const auto& [index, entry] : model_.entries)
      if (index <= to) entries.push_back(noop(index, entry.term));
    RC_ASSERT(node_->records().apply(entries).has_value());
    RC_ASSERT(node_->records().sync().has_value());
    applied_ = std::max(applied_, to);
    const auto first = node_->log().compact(to);
    RC_ASSERT(first.has_value());
    model_.compact(to);
    RC_ASSERT(*first == model_.start + 1);
  }

  void compare() const {
    const LogStore& log = node_->log();
    RC_ASSERT(log.first_index() == model_.start + 1);
    RC_ASSERT(log.last_index() == model_.last());
    RC_ASSERT(log.hard_state() == model_.hard_state);
    RC_ASSERT(log.start_membership() == model_.start_membership);
    RC_ASSERT(log.term(model_.start) == std::optional{model_.start_term});
    RC_ASSERT(!log.term(model_.last() + 1));
    std::size_t memberships = 0;
    for (const auto& [index, entry] : model_.entries) {
      RC_ASSERT(log.term(index) == std::optional{entry.term});
      if (entry.membership != nullptr) ++memberships;
    }
    RC_ASSERT(log.membership_entries().size() == memberships);
    if (model_.entries.empty()) return;
    const Index low = *rc::gen::inRange<Index>(model_.start + 1, model_.last() + 1);
    const auto found = log.entries(low, model_.last() + 1, 1 << 30);
    RC_ASSERT(found.size() == model_.last() + 1 - low);
    for (const Entry& entry : found) RC_ASSERT(same(entry, model_.entries.at(entry.index)));
  }

  StoreOptions options_;
  SeededRandom random_{1};
  std::unique_ptr<NodeStore> node_;
  Model model_;
  Index applied_ = 0;
  int lives_ = 0;
};

TEST(LogStoreModel, ShowsWhatTheModelShows) {
  const bool same_log = rc::check("the log store behaves like a map", [] {
    const TemporaryDirectory directory;
    Life life{directory.path()};
    const int steps = *rc::gen::inRange(1, 40);
    for (int i = 0; i < steps; ++i) life.step();
  });
  EXPECT_TRUE(same_log);
}

}  // namespace
}  // namespace mainstay::store
