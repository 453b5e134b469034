// Recordings made by hand, and the disks that may be left of them.
#include "runtime/torture/crash_image.hpp"

#include <fstream>
#include <set>

#include <gtest/gtest.h>

namespace mainstay::torture {
namespace {

namespace fs = std::filesystem;

class CrashImageTest : public ::testing::Test {
 protected:
  CrashImageTest() : home_{fs::path{::testing::TempDir()} / "mainstay-crash-image-test"} {
    fs::remove_all(home_);
    fs::create_directories(home_ / "base");
  }
  ~CrashImageTest() override { fs::remove_all(home_); }

  void record(RecordKind kind, std::uint32_t file, std::uint64_t offset,
              const std::string& body = {}) {
    const RecordHeader header{kind, file, offset, body.size()};
    recording_.append(reinterpret_cast<const char*>(&header), sizeof header).append(body);
  }

  CrashImages images() {
    std::ofstream{home_ / "recording", std::ios::binary} << recording_;
    auto opened = CrashImages::open(home_ / "recording", "/data", home_ / "base", home_ / "state");
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }

  // The content of a file of an image; "-" when it is not there.
  std::string built(const CrashImages& images, const std::string& name, Kept kept) {
    fs::remove_all(home_ / "image");
    const auto done = images.build(home_ / "image", kept, random_);
    EXPECT_TRUE(done) << done.error().message;
    std::ifstream file{home_ / "image" / name, std::ios::binary};
    return file ? std::string{std::istreambuf_iterator<char>{file}, {}} : "-";
  }

  const fs::path home_;
  std::string recording_;
  SeededRandom random_{1};
};

TEST_F(CrashImageTest, WhatASyncCoveredIsAlwaysThere) {
  record(RecordKind::name, 1, 0, "/data/log");
  record(RecordKind::write, 1, 0, "one");
  record(RecordKind::sync_begin, 1, 7);
  record(RecordKind::sync_end, 1, 7);
  record(RecordKind::write, 1, 3, "two");
  CrashImages at = images();
  ASSERT_TRUE(at.advance(5));
  EXPECT_EQ(at.unsynced(), 1U);
  EXPECT_EQ(built(at, "log", Kept::nothing), "one");
  EXPECT_EQ(built(at, "log", Kept::everything), "onetwo");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(built(at, "log", Kept::some).substr(0, 3), "one");
}

TEST_F(CrashImageTest, AnUnsyncedWriteIsSometimesThereAndSometimesNot) {
  record(RecordKind::name, 1, 0, "/data/log");
  record(RecordKind::write, 1, 0, "x");
  CrashImages at = images();
  ASSERT_TRUE(at.advance(2));
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) seen.insert(built(at, "log", Kept::some));
  EXPECT_EQ(seen, (std::set<std::string>{"", "x"}));
}

TEST_F(CrashImageTest, AWriteDuringASyncIsNotCovered) {
  record(RecordKind::name, 1, 0, "/data/log");
  record(RecordKind::write, 1, 0, "a");
  record(RecordKind::sync_begin, 1, 1);
  record(RecordKind::write, 1, 1, "b");
  record(RecordKind::sync_end, 1, 1);
  CrashImages at = images();
  ASSERT_TRUE(at.advance(5));
  EXPECT_EQ(built(at, "log", Kept::nothing), "a");
}

TEST_F(CrashImageTest, ASyncThatNeverEndedCoversNothing) {
  record(RecordKind::name, 1, 0, "/data/log");
  record(RecordKind::write, 1, 0, "a");
  record(RecordKind::sync_begin, 1, 1);
  record(RecordKind::sync_end, 1, 1);
  CrashImages at = images();
  ASSERT_TRUE(at.advance(3));
  EXPECT_EQ(built(at, "log", Kept::nothing), "");
}

TEST_F(CrashImageTest, AWriteIsTornAtASectorAndNowhereElse) {
  record(RecordKind::name, 1, 0, "/data/log");
  record(RecordKind::write, 1, 0, std::string(4096, 'x'));
  CrashImages at = images();
  ASSERT_TRUE(at.advance(2));
  bool torn = false;
  for (int i = 0; i < 100; ++i) {
    const std::string content = built(at, "log", Kept::some);
    for (std::size_t sector = 0; sector + image_sector_bytes <= content.size();
         sector += image_sector_bytes) {
      const std::string part = content.substr(sector, image_sector_bytes);
      EXPECT_TRUE(part == std::string(image_sector_bytes, 'x') ||
                  part == std::string(image_sector_bytes, '\0'));
    }
    torn = torn || (content.find('x') != std::string::npos && content != std::string(4096, 'x'));
  }
  EXPECT_TRUE(torn);
}

TEST_F(CrashImageTest, OfOneBlockAnEarlierWriteIsKeptBeforeALaterOne) {
  record(RecordKind::name, 1, 0, "/data/log");
  record(RecordKind::write, 1, 0, "aa");
  record(RecordKind::write, 1, 0, "b");
  CrashImages at = images();
  ASSERT_TRUE(at.advance(3));
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) seen.insert(built(at, "log", Kept::some));
  EXPECT_EQ(seen, (std::set<std::string>{"", "aa", "ba"}));
}

TEST_F(CrashImageTest, AWriteThroughIsDurableAtOnce) {
  record(RecordKind::name, 1, 0, "/data/log");
  record(RecordKind::write_through, 1, 0, "meta");
  CrashImages at = images();
  ASSERT_TRUE(at.advance(2));
  EXPECT_EQ(built(at, "log", Kept::nothing), "meta");
}

TEST_F(CrashImageTest, ARenameIsUndoneUntilItsDirectoryIsSynced) {
  std::ofstream{home_ / "base/identity"} << "old";
  record(RecordKind::name, 1, 0, "/data/identity.tmp");
  record(RecordKind::write, 1, 0, "new");
  record(RecordKind::sync_begin, 1, 1);
  record(RecordKind::sync_end, 1, 1);
  record(RecordKind::rename, 0, 0, std::string{"/data/identity.tmp"} + '\0' + "/data/identity");
  record(RecordKind::sync_directory, 0, 0, "/data");
  CrashImages at = images();
  ASSERT_TRUE(at.advance(5));
  EXPECT_EQ(built(at, "identity", Kept::nothing), "old");
  EXPECT_EQ(built(at, "identity", Kept::everything), "new");
  ASSERT_TRUE(at.advance(6));
  EXPECT_EQ(built(at, "identity", Kept::nothing), "new");
  EXPECT_EQ(built(at, "identity.tmp", Kept::nothing), "-");
}

TEST_F(CrashImageTest, ARemovedFileIsThereUntilItsDirectoryIsSynced) {
  fs::create_directories(home_ / "base/snapshots");
  std::ofstream{home_ / "base/snapshots/1.snap"} << "data";
  record(RecordKind::unlink, 0, 0, "/data/snapshots/1.snap");
  record(RecordKind::sync_directory, 0, 0, "/data/snapshots");
  CrashImages at = images();
  ASSERT_TRUE(at.advance(1));
  EXPECT_EQ(built(at, "snapshots/1.snap", Kept::nothing), "data");
  ASSERT_TRUE(at.advance(2));
  EXPECT_EQ(built(at, "snapshots/1.snap", Kept::nothing), "-");
}

TEST_F(CrashImageTest, ARenamedDirectoryTakesItsFilesAlong) {
  fs::create_directories(home_ / "base/records.next");
  std::ofstream{home_ / "base/records.next/data.mdb"} << "rows";
  record(RecordKind::rename, 0, 0, std::string{"/data/records.next"} + '\0' + "/data/records");
  CrashImages at = images();
  ASSERT_TRUE(at.advance(1));
  EXPECT_EQ(built(at, "records.next/data.mdb", Kept::nothing), "rows");
  EXPECT_EQ(built(at, "records/data.mdb", Kept::everything), "rows");
}

TEST_F(CrashImageTest, ARecordingThatWasCutOffEndsBeforeTheCut) {
  record(RecordKind::name, 1, 0, "/data/log");
  record(RecordKind::write, 1, 0, "whole");
  recording_.resize(recording_.size() - 2);
  CrashImages at = images();
  ASSERT_TRUE(at.advance(10));
  EXPECT_EQ(at.position(), 1U);
  EXPECT_EQ(built(at, "log", Kept::everything), "");
}

TEST_F(CrashImageTest, WhatIsNoRecordingIsRefused) {
  recording_ = std::string(100, 'z');
  CrashImages at = images();
  const auto advanced = at.advance(1);
  ASSERT_FALSE(advanced);
  EXPECT_EQ(advanced.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace mainstay::torture
