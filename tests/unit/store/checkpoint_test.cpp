// Power cuts on a simulated disk: an environment without flushes must open as of its last
// checkpoint, whatever reached the disk since.
#include "runtime/store/checkpoint.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/harness/sim_disk.hpp"
#include "tests/unit/store/disk_directory.hpp"

namespace mainstay::store {
namespace {

constexpr SealedFile::Place place{77, 3};

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
    auto opened = CheckpointedEnv::open(options_in(directory), place, background);
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

  // Values 1 to 14, with checkpoints at 4 and 9.
  void write_past_two_checkpoints() {
    for (int value = 1; value <= 14; ++value) {
      write(value);
      if (value == 4 || value == 9) {
        ASSERT_TRUE(env.checkpoint(std::to_string(value)));
      }
    }
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
      rows.write_past_two_checkpoints();
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

// The flush of a checkpoint fails, and the process ends. The next life finds it in the page cache
// all the same; when the power goes then, it must be on the disk.
TEST(Checkpoint, WhatAFailedFlushLeftIsWrittenAgain) {
  for (std::uint64_t seed = 1; seed <= 160; ++seed) {
    SeededRandom random{seed};
    harness::SimDisk disk{fresh_directory("checkpoint")};
    {
      Rows rows{disk.directory()};
      rows.write_past_two_checkpoints();
      disk.fail_after(seed % 4, EIO);  // 2: the flush of the slot
      static_cast<void>(rows.env.checkpoint("14"));
    }
    disk.clear_failure();
    int begun = 0;
    {
      Rows rows{disk.directory()};
      ASSERT_EQ(rows.error, "") << "seed " << seed;
      begun = rows.check();
      for (int value = begun + 1; value <= begun + 10; ++value) rows.write(value);
      disk.cut_after(random.between(0, 3));
      static_cast<void>(rows.env.checkpoint(std::to_string(begun + 10)));
      disk.disarm_cut();
    }
    disk.power_cut(random);
    disk.clear_cut();
    Rows rows{disk.directory()};
    ASSERT_EQ(rows.error, "") << "seed " << seed;
    const int found = rows.check();
    EXPECT_TRUE(found == begun || found == begun + 10)
        << "seed " << seed << ": " << found << " instead of " << begun;
  }
}

// Behind the older slot pages were used again since the newer one: it is no way out of damage.
TEST(Checkpoint, AnyDamageIsRefused) {
  const auto directory = fresh_directory("checkpoint");
  std::filesystem::create_directories(directory);
  {
    Rows rows{directory};
    for (int value = 1; value <= 2; ++value) {
      rows.write(value);
      ASSERT_TRUE(rows.env.checkpoint(std::to_string(value)));
    }
  }
  const std::filesystem::path path = directory / "checkpoint";
  const std::string whole = sys::File::open(path, sys::File::Mode::read)
                                ->read_at(0, std::filesystem::file_size(path))
                                .value();
  const auto put = [&path](const std::string& bytes) {
    ASSERT_TRUE(sys::write_file_durably(path, bytes));
  };
  constexpr std::size_t slot = checkpoint_slot_sectors * SealedFile::sector_bytes;
  for (const std::size_t at : {std::size_t{30}, std::size_t{5000}, slot + 30, slot + 5000}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    put(damaged);
    const Rows refused{directory};
    EXPECT_NE(refused.error.find("does not fit its checksum"), std::string::npos)
        << at << ": " << refused.error;
  }
  for (const std::string& bytes : {whole.substr(0, whole.size() / 2), std::string{}, whole + "x"}) {
    put(bytes);
    EXPECT_NE(Rows{directory}.error, "") << bytes.size();
  }
  put(whole);
  EXPECT_EQ(Rows{directory}.check(), 2);
  EXPECT_FALSE(CheckpointedEnv::open(options_in(directory), {78, 3}, false)) << "another node's";
  std::filesystem::remove_all(directory);
}

// What a power cut can leave of the newer slot: some sectors of it new, some as they were.
TEST(Checkpoint, ATornSlotFallsBackToTheOlderOne) {
  const auto directory = fresh_directory("checkpoint");
  std::filesystem::create_directories(directory);
  const std::filesystem::path path = directory / "checkpoint";
  const auto bytes_now = [&path] {
    return sys::File::open(path, sys::File::Mode::read)
        ->read_at(0, std::filesystem::file_size(path))
        .value();
  };
  std::string before;
  {
    Rows rows{directory};
    rows.write(1);
    ASSERT_TRUE(rows.env.checkpoint("1"));
    before = bytes_now();
    rows.write(2);
    ASSERT_TRUE(rows.env.checkpoint("2"));
  }
  std::string torn = bytes_now();
  constexpr std::size_t second = checkpoint_slot_sectors * SealedFile::sector_bytes;
  std::size_t last = torn.size() - 512;  // the last sector that the checkpoint changed
  while (torn.compare(last, 512, before, last, 512) == 0) last -= 512;
  ASSERT_GT(last, second);
  torn.replace(last, 512, before, last, 512);
  ASSERT_TRUE(sys::write_file_durably(path, torn));
  Rows rows{directory};
  EXPECT_EQ(rows.error, "");
  EXPECT_EQ(rows.env.note(), "1");
  EXPECT_EQ(rows.check(), 1);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace mainstay::store
