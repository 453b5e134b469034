// Snapshots that are copied while the records go on, and copies that give way.
#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/store/store_fixture.hpp"

// LMDB's copy is the only thing here that calls write() on a file. Defined in the program and
// therefore preferred by the dynamic linker over that of the C library.
static std::function<void()> at_first_write;  // once
static std::atomic<int> written_after{0};     // writes that succeeded behind it

extern "C" ssize_t write(int descriptor, const void* data, size_t bytes) {
  struct stat status {};
  const bool copy = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (copy && at_first_write) std::exchange(at_first_write, nullptr)();
  const ssize_t done = ::syscall(SYS_write, descriptor, data, bytes);
  if (copy && done > 0) ++written_after;
  return done;
}

namespace mainstay::store {
namespace {

using consensus::Index;
using consensus::SnapshotMeta;

class SnapshotCopyTest : public StoreTest {
 protected:
  SnapshotCopyTest() {
    options_.free_bytes = [this](const std::filesystem::path&) {
      // The first thing that a copy does.
      if (at_begin) at_begin();
      return Result<std::uint64_t>{1ULL << 40};
    };
    formed();
    apply(1, 50);
  }

  void apply(Index from, Index to) {
    for (Index index = from; index <= to; ++index)
      run({batch_entry(index, 1,
                       {put("op" + std::to_string(index), "k" + std::to_string(index),
                            "\"" + std::string(20'000, 'v') + "\"")})});
  }

  // A snapshot is one moment: what it holds is what was applied up to its index.
  void expect_whole(const SnapshotMeta& made) {
    StoreOptions options = test_options(directory_.path() / ("other" + std::to_string(made.index)));
    auto other = NodeStore::open(options, random_).value();
    ASSERT_TRUE(other->form(test_cluster, members({1, 2, 3})));
    RecordStore& target = other->records();
    for (std::uint64_t at = 0; at < made.bytes;) {
      const std::string data = records().read_snapshot_chunk(made.id, at, 1 << 20).value();
      ASSERT_TRUE(target.stage_chunk(made, at, data));
      at += data.size();
    }
    ASSERT_TRUE(target.finish_staging(made)) << "it says itself of which entry it is";
    ASSERT_TRUE(target.install(made));
    EXPECT_EQ(target.applied(), made.index);
    EXPECT_TRUE(target.scrub());
  }

  bool copying() const {
    return std::filesystem::exists(options_.directory / "snapshots" / "copying");
  }

  std::function<void()> at_begin;
};

TEST_F(SnapshotCopyTest, TheRecordsGoOnDuringACopy) {
  std::atomic<bool> begun{false};
  at_begin = [&begun] { begun = true; };
  Result<SnapshotMeta> made = fail(Errc::internal, "no copy yet");
  std::thread copier{[&] { made = records().copy_snapshot(); }};
  while (!begun) std::this_thread::yield();
  apply(51, 120);
  copier.join();
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_GE(made->index, 50U);
  EXPECT_LE(made->index, 120U);
  EXPECT_TRUE(made->membership.members.empty()) << "for the caller to say";
  expect_whole(*made);
  EXPECT_FALSE(copying());
}

TEST_F(SnapshotCopyTest, NoCopyBeginsWhenTheStoreIsToClose) {
  at_begin = [this] { records().end_copies(); };
  const auto made = records().copy_snapshot();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::busy);
  EXPECT_FALSE(copying()) << "the space is given back at once";
  at_begin = nullptr;
  EXPECT_EQ(records().copy_snapshot().error().code, Errc::busy);
  apply(51, 60);
  EXPECT_TRUE(records().scrub());
}

TEST_F(SnapshotCopyTest, NotOneMoreByteIsWrittenByACopyThatMustEnd) {
  apply(51, 300);
  written_after = 0;
  at_first_write = [this] { records().end_copies(); };
  const auto made = records().copy_snapshot();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::busy);
  EXPECT_LE(written_after, 1) << "the one that was under way";
  EXPECT_FALSE(copying());
}

// Wherever it is caught.
TEST_F(SnapshotCopyTest, ACopyUnderWayEndsWhenTheStoreIsToClose) {
  apply(51, 1000);
  Result<SnapshotMeta> made = fail(Errc::internal, "no copy yet");
  std::thread copier{[&] { made = records().copy_snapshot(); }};
  while (!copying()) std::this_thread::yield();
  records().end_copies();
  copier.join();
  if (!made) {
    EXPECT_EQ(made.error().code, Errc::busy) << to_string(made.error());
  }
  EXPECT_FALSE(copying());
  apply(1001, 1010);
  EXPECT_TRUE(records().scrub());
}

TEST_F(SnapshotCopyTest, ACopyGivesWayToAnInstallation) {
  StoreOptions options = test_options(directory_.path() / "maker");
  auto maker = NodeStore::open(options, random_).value();
  ASSERT_TRUE(maker->form(test_cluster, members({1, 2, 3})));
  std::vector<consensus::Entry> entries;
  for (Index index = 1; index <= 2000; ++index) entries.push_back(noop(index, 1));
  ASSERT_TRUE(maker->records().apply(entries));
  const SnapshotMeta newer = maker->records().make_snapshot(members({1, 2})).value();
  const std::string data = maker->records().read_snapshot_chunk(newer.id, 0, newer.bytes).value();
  ASSERT_TRUE(records().stage_chunk(newer, 0, data));
  ASSERT_TRUE(records().finish_staging(newer));

  apply(51, 1000);
  Result<SnapshotMeta> made = fail(Errc::internal, "no copy yet");
  std::thread copier{[&] { made = records().copy_snapshot(); }};
  while (!copying()) std::this_thread::yield();
  const auto installed = records().install(newer);
  copier.join();
  EXPECT_TRUE(installed) << to_string(installed.error());
  EXPECT_EQ(records().applied(), 2000U);
  if (!made) {
    EXPECT_EQ(made.error().code, Errc::busy) << to_string(made.error());
  }
  EXPECT_FALSE(copying());
  EXPECT_TRUE(records().copy_snapshot()) << "the next one is not in the way of anything";
}

}  // namespace
}  // namespace mainstay::store
