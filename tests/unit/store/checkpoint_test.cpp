// Power cuts on a simulated disk: an environment without flushes must open as of its last
// checkpoint, whatever reached the disk since.
#include "runtime/store/checkpoint.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/harness/sim_disk.hpp"
#include "tests/unit/store/disk_directory.hpp"

namespace mainstay::store {
namespace {

lmdb::EnvOptions options_in(const std::filesystem::path& directory) {
  lmdb::EnvOptions options;
  options.directory = directory;
  options.map_bytes = 64 << 20;
  return options;
}

// One table of numbered rows; each commit rewrites many of them, so that LMDB has pages to re-use.
class Rows {
 public:
  static constexpr int rows = 300;

  explicit Rows(const std::filesystem::path& directory, bool background = false) {
    auto opened = CheckpointedEnv::open(options_in(directory), background);
    if (!opened) {
      error = to_string(opened.error());
      return;
    }
    env = std::move(*opened);
  }

  void write(int value) {
    auto txn = lmdb::Txn::begin(env.env(), lmdb::Txn::Kind::write);
    ASSERT_TRUE(txn);
    auto table = txn->open_table("rows", MDB_CREATE);
    ASSERT_TRUE(table);
    for (int row = value % 3; row < rows; row += 3)
      ASSERT_TRUE(txn->put(*table, fmt::format("{:05}", row), fmt::format("{:0200}", value)));
    ASSERT_TRUE(txn->put(*table, "value", std::to_string(value)));
    ASSERT_TRUE(txn->commit());
  }

  // Every row must be what the writes 1..value left; returns value.
  int check() {
    auto txn = lmdb::Txn::begin(env.env(), lmdb::Txn::Kind::write);
    auto table = txn->open_table("rows", MDB_CREATE);
    const auto found = txn->get(*table, "value");
    if (!found || !*found) return 0;
    const int value = std::stoi(std::string{**found});
    for (int row = 0; row < rows; ++row) {
      int last = value;  // the newest write that touched this row
      while (last > 0 && last % 3 != row % 3) --last;
      const auto text = txn->get(*table, fmt::format("{:05}", row));
      EXPECT_TRUE(text);
      if (last == 0) {
        EXPECT_FALSE(*text);
      } else {
        EXPECT_TRUE(*text);
        if (*text) {
          EXPECT_EQ(std::stoi(std::string{**text}), last) << "row " << row;
        }
      }
    }
    return value;
  }

  CheckpointedEnv env;
  std::string error;
};

TEST(Checkpoint, OpensAsOfTheLastOneAfterEveryPowerCut) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random{seed};
    harness::SimDisk disk{fresh_directory("checkpoint")};
    int checkpointed = 0;
    for (int life = 0; life < 4; ++life) {
      {
        Rows rows{disk.directory()};
        ASSERT_EQ(rows.error, "") << "seed " << seed;
        const int found = rows.check();
        ASSERT_EQ(found, checkpointed) << "seed " << seed << ", life " << life;
        if (found > 0) {
          ASSERT_EQ(rows.env.note(), std::to_string(found));
        }
        int value = found;
        for (std::uint64_t step = random.between(3, 25); step > 0; --step) {
          rows.write(++value);
          if (random.between(0, 5) != 0) continue;
          ASSERT_TRUE(rows.env.checkpoint(std::to_string(value)));
          checkpointed = value;
        }
        if (checkpointed == 0) {
          ASSERT_TRUE(rows.env.checkpoint(std::to_string(value)));
          checkpointed = value;
        }
      }
      disk.power_cut(random);
    }
  }
}

TEST(Checkpoint, APowerCutInTheMiddleOfOneLeavesTheOldOrTheNew) {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    SeededRandom random{seed};
    harness::SimDisk disk{fresh_directory("checkpoint")};
    {
      Rows rows{disk.directory()};
      for (int value = 1; value <= 4; ++value) rows.write(value);
      ASSERT_TRUE(rows.env.checkpoint("4"));
      for (int value = 5; value <= 9; ++value) rows.write(value);
      ASSERT_TRUE(rows.env.checkpoint("9"));
      for (int value = 10; value <= 14; ++value) rows.write(value);
      disk.cut_after(random.between(0, 12));
      static_cast<void>(rows.env.checkpoint("14"));
      disk.disarm_cut();
    }
    disk.power_cut(random);
    disk.clear_cut();
    Rows rows{disk.directory()};
    ASSERT_EQ(rows.error, "") << "seed " << seed;
    const int found = rows.check();
    EXPECT_TRUE(found == 9 || found == 14) << "seed " << seed << ": " << found;
    EXPECT_EQ(rows.env.note(), std::to_string(found));
  }
}

TEST(Checkpoint, CommitsGoOnWhileOneIsFlushed) {
  const auto directory = fresh_directory("checkpoint");
  std::filesystem::create_directories(directory);
  {
    Rows rows{directory, true};
    rows.write(1);
    ASSERT_TRUE(rows.env.checkpoint("1"));
    rows.write(2);
    ASSERT_TRUE(rows.env.start("2"));
    for (int value = 3; value <= 50; ++value) rows.write(value);
    ASSERT_TRUE(rows.env.finish());
    EXPECT_EQ(rows.env.note(), "2");
    EXPECT_EQ(rows.check(), 50);
  }
  {
    Rows rows{directory, true};
    EXPECT_EQ(rows.check(), 2) << "what came after the checkpoint is the owner's to replay";
  }
  std::filesystem::remove_all(directory);
}

TEST(Checkpoint, AFailedFlushIsReported) {
  harness::SimDisk disk{fresh_directory("checkpoint")};
  Rows rows{disk.directory()};
  rows.write(1);
  ASSERT_TRUE(rows.env.checkpoint("1"));
  rows.write(2);
  disk.fail_after(0, EIO);
  const auto failed = rows.env.checkpoint("2");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::io_error);
  EXPECT_EQ(rows.env.note(), "1");
  disk.clear_failure();
}

TEST(Checkpoint, DamageOfOneSlotFallsBackToTheOtherOfBothIsRefused) {
  const auto directory = fresh_directory("checkpoint");
  std::filesystem::create_directories(directory);
  {
    Rows rows{directory};
    rows.write(1);
    ASSERT_TRUE(rows.env.checkpoint("1"));
    rows.write(2);
    ASSERT_TRUE(rows.env.checkpoint("2"));
  }
  const auto damage = [&](std::uint64_t offset) {
    auto file = sys::File::open(directory / "checkpoint", sys::File::Mode::write);
    ASSERT_TRUE(file->write_at(offset + 30, "damage"));
  };
  damage(checkpoint_slot_bytes);  // the second checkpoint's
  EXPECT_EQ(Rows{directory}.check(), 1);
  damage(0);
  const Rows refused{directory};
  EXPECT_NE(refused.error.find("no valid checkpoint"), std::string::npos) << refused.error;
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace mainstay::store
