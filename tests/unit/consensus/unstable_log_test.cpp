// The log arithmetic, against a plain vector as the model.
#include "runtime/consensus/unstable_log.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/consensus/persist_queue.hpp"
#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

Entry entry(Index index, Term term) {
  Entry one;
  one.index = index;
  one.term = term;
  one.kind = EntryKind::batch;
  one.payload = Bytes{std::to_string(index) + "@" + std::to_string(term)};
  return one;
}

// The log, its writer and the disk, all of them as simple as possible.
struct Machine {
  explicit Machine(std::size_t recent_bytes_max) : log{disk, recent_bytes_max} {}

  void append() {
    model.push_back(term);
    log.append(entry(model.size(), term));
  }
  void truncate(Index from) {
    model.resize(from - 1);
    log.truncate(from);
    queue.truncated(from);
    ++term;  // only another leader truncates
  }
  void hand_over() {
    Persist persist;
    persist.truncate_from = log.take_truncation();
    persist.entries = log.take_unhanded();
    if (persist.empty()) return;
    queue.push(persist, 0);
    writing.push_back(persist);
  }
  void write_one() {
    if (written == writing.size()) return;
    disk.write(writing[written++]);
  }
  void report() {
    if (written == reported) return;
    reported = written;  // a group commit reports its last
    for (const PendingPersist& done : queue.complete(writing[reported - 1].mark))
      if (done.stores_to > log.stored()) log.stored_to(done.stores_to);
  }

  void check() const {
    RC_ASSERT(log.last() == model.size());
    RC_ASSERT(log.last_term() == (model.empty() ? 0 : model.back()));
    RC_ASSERT(log.stored() <= log.last());
    // What counts as stored is on the disk, and no write under way takes it back.
    for (Index index = 1; index <= log.stored(); ++index) {
      RC_ASSERT(disk.term(index) == model[index - 1]);
      for (std::size_t i = written; i < writing.size(); ++i)
        RC_ASSERT(!writing[i].truncate_from || *writing[i].truncate_from > log.stored());
    }
    for (Index index = 1; index <= model.size(); ++index)
      RC_ASSERT(log.term(index) == model[index - 1]);
    RC_ASSERT(!log.term(model.size() + 1).has_value());
    if (model.empty()) return;
    const auto low = *rc::gen::inRange<Index>(1, model.size() + 1);
    const auto bytes_max = *rc::gen::inRange<std::size_t>(1, 500);
    const auto entries = log.entries(low, model.size(), bytes_max);
    RC_ASSERT(!entries.empty());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      RC_ASSERT(entries[i].index == low + i);
      RC_ASSERT(entries[i].term == model[low + i - 1]);
      bytes += entries[i].bytes();
    }
    RC_ASSERT(entries.size() == 1 || bytes <= bytes_max);
  }

  MemoryLog disk;
  UnstableLog log;
  PersistQueue queue;
  std::vector<Term> model;
  Term term = 1;
  std::vector<Persist> writing;
  std::size_t written = 0;
  std::size_t reported = 0;
};

TEST(UnstableLogTest, AgreesWithAPlainVectorWhateverTheDiskIsDoing) {
  EXPECT_TRUE(rc::check([] {
    Machine machine{*rc::gen::element<std::size_t>(0, 200, 1 << 20)};
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 10));
    for (int step : steps) {
      if (step < 4) machine.append();
      if (step == 4 && !machine.model.empty())
        machine.truncate(*rc::gen::inRange<Index>(1, machine.model.size() + 1));
      if (step == 5 || step == 6) machine.hand_over();
      if (step == 7 || step == 8) machine.write_one();
      if (step == 9) machine.report();
      machine.check();
    }
  }));
}

TEST(UnstableLogTest, UpToDateComparesTermsFirstThenLengths) {
  EXPECT_TRUE(rc::check([] {
    MemoryLog disk;
    const auto terms = *rc::gen::container<std::vector<Term>>(rc::gen::inRange<Term>(1, 4));
    auto sorted = terms;
    std::sort(sorted.begin(), sorted.end());
    for (Term term : sorted) disk.append(term);
    const UnstableLog log{disk, 0};
    const auto index = *rc::gen::inRange<Index>(0, 8);
    const auto term = *rc::gen::inRange<Term>(0, 5);
    RC_ASSERT(log.not_ahead_of(index, term) ==
              (std::pair{term, index} >= std::pair{log.last_term(), log.last()}));
  }));
}

TEST(UnstableLogTest, FindsWhereTwoLogsMayAgree) {
  MemoryLog disk;
  for (Term term : {1, 1, 4, 4, 4, 7}) disk.append(term);
  const UnstableLog log{disk, 0};
  EXPECT_EQ(log.last_with_term_at_most(6, 7, 0), 6U);
  EXPECT_EQ(log.last_with_term_at_most(6, 6, 0), 5U);
  EXPECT_EQ(log.last_with_term_at_most(6, 3, 0), 2U);
  EXPECT_EQ(log.last_with_term_at_most(99, 3, 0), 2U);
  EXPECT_EQ(log.last_with_term_at_most(6, 0, 0), 0U);
  EXPECT_EQ(log.last_with_term_at_most(6, 3, 4), 4U) << "not below the floor";
}

TEST(UnstableLogTest, KeepsOnlyABoundedPartOfTheStoredEntries) {
  MemoryLog disk;
  UnstableLog log{disk, 500};
  PersistQueue queue;
  for (Index index = 1; index <= 100; ++index) {
    log.append(entry(index, 1));
    Persist persist;
    persist.entries = log.take_unhanded();
    queue.push(persist, 0);
    disk.write(persist);
    log.stored_to(index);
  }
  // Entries that left memory are asked of the reader: when it forgets them, so does the log.
  disk.compact(90);
  EXPECT_TRUE(log.entries(50, 100, 1 << 20).empty());
  EXPECT_EQ(log.entries(99, 100, 1 << 20).size(), 2U);
}

TEST(UnstableLogTest, RestartsAfterASnapshot) {
  MemoryLog disk;
  UnstableLog log{disk, 500};
  log.append(entry(1, 1));
  log.restart_after(10, 3);
  EXPECT_EQ(log.last(), 10U);
  EXPECT_EQ(log.stored(), 10U);
  EXPECT_EQ(log.last_term(), 3U);
  EXPECT_FALSE(log.has_unhanded());
}

}  // namespace
}  // namespace mainstay::consensus::testing
