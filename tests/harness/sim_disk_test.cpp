#include "tests/harness/sim_disk.hpp"

#include <cerrno>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mainstay::harness {
namespace {

std::filesystem::path fresh_directory() {
  static int count = 0;
  const std::filesystem::path base =
      std::filesystem::exists("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
  return base /
         ("mainstay-disk-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
}

// A small environment with one table, opened, used and closed like a process would.
class Env {
 public:
  Env(const SimDisk& disk, unsigned flags) {
    EXPECT_EQ(mdb_env_create(&env_), 0);
    EXPECT_EQ(mdb_env_set_mapsize(env_, 64 << 20), 0);
    EXPECT_EQ(mdb_env_open(env_, disk.directory().c_str(), flags, 0644), 0);
  }
  ~Env() { mdb_env_close(env_); }

  int put(const std::string& key, const std::string& value) {
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    EXPECT_EQ(mdb_txn_begin(env_, nullptr, 0, &txn), 0);
    EXPECT_EQ(mdb_dbi_open(txn, nullptr, 0, &dbi), 0);
    MDB_val k{key.size(), const_cast<char*>(key.data())};
    MDB_val v{value.size(), const_cast<char*>(value.data())};
    EXPECT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
    return mdb_txn_commit(txn);
  }

  bool has(const std::string& key) {
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    EXPECT_EQ(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), 0);
    bool found = false;
    if (mdb_dbi_open(txn, nullptr, 0, &dbi) == 0) {
      MDB_val k{key.size(), const_cast<char*>(key.data())};
      MDB_val v{};
      found = mdb_get(txn, dbi, &k, &v) == 0;
    }
    mdb_txn_abort(txn);
    return found;
  }

  int sync() { return mdb_env_sync(env_, 1); }

 private:
  MDB_env* env_ = nullptr;
};

TEST(SimDisk, SyncedCommitsSurviveEveryPowerCut) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SeededRandom random{seed};
    SimDisk disk{fresh_directory()};
    for (int life = 0; life < 4; ++life) {
      {
        Env env{disk, 0};
        for (int before = 0; before < life; ++before)
          for (int i = 0; i < 5; ++i)
            ASSERT_TRUE(env.has(std::to_string(before) + "." + std::to_string(i))) << seed;
        for (int i = 0; i < 5; ++i)
          ASSERT_EQ(env.put(std::to_string(life) + "." + std::to_string(i), std::string(300, 'x')),
                    0);
      }
      disk.power_cut(random);
    }
    EXPECT_GT(disk.syncs(), 0u) << "the calls of liblmdb do not reach the simulated disk";
  }
}

TEST(SimDisk, UnsyncedCommitsAreReallyLost) {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SeededRandom random{seed};
    SimDisk disk{fresh_directory()};
    {
      Env env{disk, MDB_NOMETASYNC};
      ASSERT_EQ(env.put("synced", "1"), 0);
      ASSERT_EQ(env.sync(), 0);
      ASSERT_EQ(env.put("unsynced", "2"), 0);
      ASSERT_TRUE(env.has("unsynced"));
    }
    disk.power_cut(random);
    Env env{disk, 0};
    EXPECT_TRUE(env.has("synced")) << seed;
    lost += env.has("unsynced") ? 0 : 1;
  }
  EXPECT_GT(lost, 5);
  EXPECT_LT(lost, 40);
}

TEST(SimDisk, NothingIsLostByKill) {
  SimDisk disk{fresh_directory()};
  {
    Env env{disk, MDB_NOSYNC};
    ASSERT_EQ(env.put("a", "1"), 0);
  }
  Env env{disk, 0};
  EXPECT_TRUE(env.has("a"));
}

TEST(SimDisk, PowerMayGoInTheMiddleOfACommit) {
  int kept = 0;
  for (std::uint64_t operations = 0; operations < 12; ++operations) {
    SeededRandom random{operations};
    SimDisk disk{fresh_directory()};
    {
      Env env{disk, 0};
      ASSERT_EQ(env.put("first", "1"), 0);
      disk.cut_after(operations);
      env.put("second", "2");
      disk.detach();
    }
    disk.power_cut(random);
    disk.clear_cut();
    disk.attach();
    Env env{disk, 0};
    ASSERT_TRUE(env.has("first")) << operations;
    kept += env.has("second") ? 1 : 0;
  }
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, 12);
}

TEST(SimDisk, FailingDiskFailsTheCommit) {
  SimDisk disk{fresh_directory()};
  {
    Env env{disk, 0};
    ASSERT_EQ(env.put("a", "1"), 0);
    disk.fail_after(0, EIO);
    EXPECT_EQ(env.put("b", "2"), EIO);
    EXPECT_TRUE(disk.failure_happened());
    disk.clear_failure();
  }
  Env env{disk, 0};
  EXPECT_TRUE(env.has("a"));
}

TEST(SimDisk, RenamesWithoutDirectorySyncMayBeUndone) {
  int undone = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SeededRandom random{seed};
    SimDisk disk{fresh_directory()};
    const auto file = disk.directory() / "file";
    const auto next = disk.directory() / "file.next";
    std::ofstream{file} << "old";
    std::ofstream{next} << "new";
    for (const auto& path : {file, next}) {
      const int fd = ::open(path.c_str(), O_RDWR);
      ASSERT_EQ(::fsync(fd), 0);
      ::close(fd);
    }
    std::filesystem::rename(next, file);
    if (seed % 2 == 0) {
      const int fd = ::open(disk.directory().c_str(), O_RDONLY | O_DIRECTORY);
      ASSERT_EQ(::fsync(fd), 0);
      ::close(fd);
    }
    disk.power_cut(random);
    std::string text;
    std::ifstream{file} >> text;
    if (seed % 2 == 0) {
      EXPECT_EQ(text, "new") << seed;
    } else if (text == "old") {
      ++undone;
      EXPECT_TRUE(std::filesystem::exists(next));
    }
  }
  EXPECT_GT(undone, 0);
  EXPECT_LT(undone, 15);
}

TEST(SimDisk, FlippedBitChangesAByte) {
  SeededRandom random{1};
  SimDisk disk{fresh_directory()};
  std::ofstream{disk.directory() / "data"} << std::string(100, 'a');
  ASSERT_TRUE(disk.flip_bit("data", "aaaa", random));
  std::string text;
  std::ifstream{disk.directory() / "data"} >> text;
  EXPECT_NE(text, std::string(100, 'a'));
  EXPECT_EQ(text.size(), 100u);
}

TEST(SimDisk, WipeLeavesNothing) {
  SimDisk disk{fresh_directory()};
  std::ofstream{disk.directory() / "data"} << "x";
  disk.wipe();
  EXPECT_TRUE(std::filesystem::is_empty(disk.directory()));
}

}  // namespace
}  // namespace mainstay::harness
