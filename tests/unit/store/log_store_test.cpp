#include "runtime/store/log_store.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/sys/file.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

using consensus::Entry;
using consensus::HardState;
using consensus::Index;
using consensus::Persist;
using consensus::SnapshotMeta;

constexpr std::size_t no_limit = 1 << 30;

class LogStoreTest : public StoreTest {
 protected:
  LogStoreTest() { formed(); }

  std::string data_file() const { return options_.directory / "log" / "data.mdb"; }

  // Opens a log whose data file was changed in one byte; every such change must be refused.
  void expect_refused_with_flip_at(const std::string& whole, std::size_t at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    close();
    write_whole(data_file(), damaged);
    auto node = NodeStore::open(options_, random_);
    ASSERT_FALSE(node) << "a flip at byte " << at << " went unseen";
    EXPECT_TRUE(node.error().code == Errc::corrupt || node.error().code == Errc::wrong_version)
        << to_string(node.error());
  }
};

TEST_F(LogStoreTest, StartsEmptyBehindItsFormation) {
  EXPECT_EQ(log().first_index(), 1U);
  EXPECT_EQ(log().last_index(), 0U);
  EXPECT_EQ(log().term(0), 0U);
  EXPECT_EQ(log().term(1), std::nullopt);
  EXPECT_EQ(log().start_membership(), members({1, 2, 3}));
  EXPECT_EQ(log().hard_state(), HardState{});
  EXPECT_EQ(log().snapshot(), SnapshotMeta{});
  EXPECT_TRUE(log().membership_entries().empty());
}

TEST_F(LogStoreTest, EverythingOfAPersistSurvivesReopening) {
  Persist persist = appends({noop(1, 1), opaque(2, 1, "payload"),
                             membership_entry(3, 2, members({1, 2})), check_entry(4, 2)});
  persist.hard_state = HardState{2, NodeId{3}};
  ASSERT_TRUE(write(persist));
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(log().last_index(), 4U);
    EXPECT_EQ(log().hard_state(), (HardState{2, NodeId{3}}));
    EXPECT_EQ(log().term(2), 1U);
    EXPECT_EQ(log().term(3), 2U);
    EXPECT_EQ(log().term(5), std::nullopt);
    const auto entries = log().entries(1, 5, no_limit);
    ASSERT_EQ(entries.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(same(entries[i], persist.entries[i])) << i;
    ASSERT_EQ(log().membership_entries().size(), 1U);
    EXPECT_TRUE(same(log().membership_entries()[0], persist.entries[2]));
    reopen();
  }
}

TEST_F(LogStoreTest, ManyPersistsAreOneCommit) {
  Persist first = appends({noop(1, 1), noop(2, 1)});
  first.hard_state = HardState{1, NodeId{1}};
  Persist second = appends({noop(2, 2)});
  second.truncate_from = 2;
  second.hard_state = HardState{2, NodeId{2}};
  Persist third = appends({noop(3, 2)});
  const std::uint64_t before = log().commits();
  ASSERT_TRUE(log().write({&first, &second, &third}));
  EXPECT_EQ(log().commits(), before + 1);
  reopen();
  EXPECT_EQ(log().last_index(), 3U);
  EXPECT_EQ(log().term(2), 2U);
  EXPECT_EQ(log().hard_state(), (HardState{2, NodeId{2}}));
}

TEST_F(LogStoreTest, TruncationRemovesTheWholeTail) {
  ASSERT_TRUE(write(appends({noop(1, 1), membership_entry(2, 1, members({1})), noop(3, 1)})));
  Persist cut;
  cut.truncate_from = 2;
  ASSERT_TRUE(write(cut));
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(log().last_index(), 1U);
    EXPECT_EQ(log().term(2), std::nullopt);
    EXPECT_TRUE(log().membership_entries().empty());
    reopen();
  }
  ASSERT_TRUE(write(appends({noop(2, 3)})));
  reopen();
  EXPECT_EQ(log().term(2), 3U);
  EXPECT_TRUE(log().verify());
}

TEST_F(LogStoreTest, ReadsStopAtTheByteLimitButGiveOneEntry) {
  ASSERT_TRUE(
      write(appends({opaque(1, 1, std::string(1000, 'a')), opaque(2, 1, std::string(1000, 'b')),
                     opaque(3, 1, std::string(1000, 'c'))})));
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(log().entries(1, 4, 1).size(), 1U);
    EXPECT_EQ(log().entries(1, 4, 2200).size(), 2U);
    EXPECT_EQ(log().entries(2, 4, no_limit).size(), 2U);
    EXPECT_EQ(log().entries(2, 3, no_limit).size(), 1U);
    reopen();
  }
}

TEST_F(LogStoreTest, CompactionKeepsTermChainAndMembership) {
  ASSERT_TRUE(write(
      appends({noop(1, 1), membership_entry(2, 1, members({1, 2})), noop(3, 2), noop(4, 2)})));
  EXPECT_EQ(log().compact(3).value(), 4U);
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(log().first_index(), 4U);
    EXPECT_EQ(log().last_index(), 4U);
    EXPECT_EQ(log().term(3), 2U);
    EXPECT_EQ(log().term(2), std::nullopt);
    EXPECT_TRUE(log().entries(3, 5, no_limit).empty());
    EXPECT_EQ(log().entries(4, 5, no_limit).size(), 1U);
    EXPECT_EQ(log().start_membership(), members({1, 2}));
    EXPECT_TRUE(log().membership_entries().empty());
    EXPECT_TRUE(log().verify());
    if (life == 1) break;
    // The records must hold what the log forgets.
    ASSERT_TRUE(records().apply(std::vector<Entry>{noop(1, 1), noop(2, 1), noop(3, 2)}));
    reopen();
  }
  EXPECT_EQ(log().compact(2).value(), 4U);
  EXPECT_EQ(log().compact(100).value(), 5U);
  EXPECT_EQ(log().term(4), 2U);
  ASSERT_TRUE(write(appends({noop(5, 3)})));
  EXPECT_TRUE(log().verify());
}

TEST_F(LogStoreTest, CompactionTakesBoundedSteps) {
  std::vector<Entry> entries;
  for (Index index = 1; index <= limits::compact_entries_max + 10; ++index)
    entries.push_back(noop(index, 1));
  ASSERT_TRUE(write(appends(entries)));
  EXPECT_EQ(log().compact(limits::compact_entries_max + 5).value(),
            limits::compact_entries_max + 1);
  EXPECT_EQ(log().compact(limits::compact_entries_max + 5).value(),
            limits::compact_entries_max + 6);
}

TEST_F(LogStoreTest, ASnapshotSwitchRestartsTheLog) {
  ASSERT_TRUE(write(appends({noop(1, 1), noop(2, 1)})));
  Persist persist = appends({noop(11, 5)});
  persist.snapshot = SnapshotMeta{10, 4, members({2, 3}), "10-4", 100, {}};
  persist.hard_state = HardState{5, {}};
  ASSERT_TRUE(write(persist));
  EXPECT_EQ(log().first_index(), 11U);
  EXPECT_EQ(log().last_index(), 11U);
  EXPECT_EQ(log().term(10), 4U);
  EXPECT_EQ(log().term(11), 5U);
  EXPECT_EQ(log().start_membership(), members({2, 3}));
  EXPECT_EQ(log().entries(11, 12, no_limit).size(), 1U);
  EXPECT_TRUE(log().verify());
}

TEST_F(LogStoreTest, RemembersTheSnapshotItOffers) {
  ASSERT_TRUE(write(appends({noop(1, 1), noop(2, 1)})));
  const SnapshotMeta offered{2, 1, members({1}), "2-1", 5, {7, 8}};
  ASSERT_TRUE(log().set_snapshot(offered));
  EXPECT_EQ(log().snapshot(), offered);
  Persist persist;
  persist.snapshot = SnapshotMeta{10, 4, members({2, 3}), "10-4", 100, {}};
  ASSERT_TRUE(write(persist));
  EXPECT_EQ(log().snapshot(), SnapshotMeta{}) << "entries behind an older snapshot are gone";
}

TEST_F(LogStoreTest, RefusesWhatTheCoreMustNeverAsk) {
  ASSERT_TRUE(write(appends({noop(1, 1)})));
  EXPECT_EQ(write(appends({noop(3, 1)})).error().code, Errc::internal);
  EXPECT_EQ(write(appends({noop(2, 1)})).error().code, Errc::io_error)
      << "after a failed write nothing may follow";
  reopen();
  Persist cut;
  cut.truncate_from = 0;
  EXPECT_EQ(write(cut).error().code, Errc::internal);
}

TEST_F(LogStoreTest, AFailedCommitLeavesTheOldState) {
  options_.log_map_bytes = 1 << 20;
  reopen();
  ASSERT_TRUE(write(appends({noop(1, 1)})));
  const auto full = write(appends({opaque(2, 1, std::string(2 << 20, 'x'))}));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::storage_full);
  EXPECT_EQ(log().last_index(), 1U);
  EXPECT_EQ(log().compact(1).error().code, Errc::io_error);
  reopen();
  EXPECT_EQ(log().last_index(), 1U);
}

TEST_F(LogStoreTest, EveryDamagedByteOfARecordIsRefused) {
  const std::string payload = "a payload that is found again in the file";
  ASSERT_TRUE(write(appends({noop(1, 1), opaque(2, 1, payload), noop(3, 1)})));
  close();
  const std::string whole = read_whole(data_file());
  const auto places = find_all(whole, payload);
  ASSERT_EQ(places.size(), 1U);
  // The record in front of the payload: 40 bytes of header, then what Cap'n Proto puts before it;
  // and the first bytes of the payload.
  const std::size_t begin = whole.rfind(std::string{"\x01\x01\0\0", 4}, places[0]) - 4;
  ASSERT_LT(places[0] - begin, 200U);
  for (std::size_t at = begin; at < places[0] + 4; ++at) expect_refused_with_flip_at(whole, at);
  expect_refused_with_flip_at(whole, places[0] + payload.size() - 1);
  write_whole(data_file(), whole);
  open();
  EXPECT_EQ(log().last_index(), 3U);
}

TEST_F(LogStoreTest, DamageMetWhileRunningStopsTheProcess) {
  std::vector<Entry> entries;
  const std::string payload = "met while running";
  entries.push_back(opaque(1, 1, payload));
  entries.push_back(noop(2, 1));
  ASSERT_TRUE(write(appends(entries)));
  reopen();  // nothing is in memory now
  std::string whole = read_whole(data_file());
  const auto places = find_all(whole, payload);
  ASSERT_EQ(places.size(), 1U);
  sys::File file = sys::File::open(data_file(), sys::File::Mode::write).value();
  ASSERT_TRUE(file.write_at(places[0], "M"));
  EXPECT_THROW(log().entries(1, 2, no_limit), Stopped);
  EXPECT_EQ(log().verify().error().code, Errc::corrupt);
}

// Between the pieces of a verification the log is compacted, truncated and written again.
TEST_F(LogStoreTest, VerifyFollowsWhatIsWrittenMeanwhile) {
  options_.scrub_piece_bytes = 1;
  reopen();
  std::vector<Entry> entries;
  for (Index index = 1; index <= 40; ++index) entries.push_back(noop(index, 1));
  ASSERT_TRUE(write(appends(entries)));
  Index pieces = 0;
  const auto verified = log().verify([&] {
    ++pieces;
    if (pieces == 5) {
      EXPECT_EQ(log().compact(20).value(), 21U);
    }
    if (pieces == 15) {
      Persist other = appends({noop(26, 2), noop(27, 2)});
      other.truncate_from = 26;
      EXPECT_TRUE(write(other));
    }
    return true;
  });
  EXPECT_TRUE(verified) << to_string(verified.error());
  EXPECT_GT(pieces, 20U);
}

TEST_F(LogStoreTest, VerifyEndsWhenToldTo) {
  options_.scrub_piece_bytes = 1;
  reopen();
  ASSERT_TRUE(write(appends({noop(1, 1), noop(2, 1), noop(3, 1)})));
  int pieces = 0;
  EXPECT_EQ(log().verify([&pieces] { return ++pieces < 3; }).error().code, Errc::busy);
  EXPECT_EQ(pieces, 3);
}

TEST_F(LogStoreTest, ACutDataFileIsRefusedNotASignal) {
  std::vector<Entry> entries;
  for (Index index = 1; index <= 50; ++index)
    entries.push_back(opaque(index, 1, std::string(5000, 'x')));
  ASSERT_TRUE(write(appends(entries)));
  close();
  const auto size = std::filesystem::file_size(data_file());
  for (const std::uint64_t kept : {size / 2, std::uintmax_t{3 * 4096}, std::uintmax_t{4096},
                                   std::uintmax_t{100}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(data_file(), kept);
    EXPECT_EQ(refused().code, Errc::corrupt) << kept;
  }
}

TEST_F(LogStoreTest, TheTailAndTheDiskTellTheSame) {
  std::vector<Entry> entries;
  for (Index index = 1; index <= 200; ++index)
    entries.push_back(opaque(index, index / 50 + 1, std::string(1 << 20, 'x')));
  for (Index index = 1; index <= 200; index += 20)
    ASSERT_TRUE(write(appends({entries.begin() + static_cast<long>(index) - 1,
                               entries.begin() + static_cast<long>(index) + 19})));
  // Far more than the tail holds: old ones come from the disk, new ones from memory.
  for (const Index low : {Index{1}, Index{100}, Index{165}, Index{195}}) {
    const auto found = log().entries(low, 201, 3 << 20);
    ASSERT_GE(found.size(), 2U);
    for (const Entry& entry : found) EXPECT_TRUE(same(entry, entries[entry.index - 1]));
  }
}

TEST_F(LogStoreTest, OneWriterAndReadersTogether) {
  constexpr Index last = 2000;
  std::atomic<bool> done{false};
  std::thread writer{[this, &done] {
    for (Index index = 1; index <= last; ++index) {
      Persist persist = appends({opaque(index, 1, std::to_string(index))});
      persist.hard_state = HardState{1, NodeId{index}};
      ASSERT_TRUE(write(persist));
      if (index % 100 == 0) {
        ASSERT_TRUE(log().compact(index - 50));
      }
    }
    done = true;
  }};
  std::thread verifier{[this, &done] {
    while (!done) EXPECT_TRUE(log().verify());
  }};
  while (!done) {
    const Index end = log().last_index();
    const Index low = std::max(log().first_index(), end > 30 ? end - 30 : 1);
    if (low > end) continue;
    for (const Entry& entry : log().entries(low, end + 1, no_limit))
      EXPECT_EQ(entry.payload.view(), std::to_string(entry.index));
    (void)log().term(low);
    (void)log().hard_state();
  }
  writer.join();
  verifier.join();
  EXPECT_EQ(log().last_index(), last);
}

}  // namespace
}  // namespace mainstay::store
