#include "runtime/sys/file.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace mainstay::sys {
namespace {

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mainstay-sys-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~FileTest() override { std::filesystem::remove_all(directory_); }

  Path directory_;
};

TEST_F(FileTest, ReadsBackWhatWasWrittenDurably) {
  const Path path = directory_ / "a";
  ASSERT_TRUE(write_file_durably(path, "first"));
  ASSERT_TRUE(write_file_durably(path, "second, longer"));
  EXPECT_EQ(read_file(path, 100).value(), "second, longer");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "a.tmp"));
}

TEST_F(FileTest, AHalfWrittenReplacementLeavesTheOldContent) {
  const Path path = directory_ / "a";
  ASSERT_TRUE(write_file_durably(path, "whole"));
  std::ofstream{directory_ / "a.tmp"} << "ha";  // a crash before the rename
  EXPECT_EQ(read_file(path, 100).value(), "whole");
  ASSERT_TRUE(write_file_durably(path, "next"));
  EXPECT_EQ(read_file(path, 100).value(), "next");
}

TEST_F(FileTest, NamesPathAndReasonOfAFailure) {
  const auto missing = read_file(directory_ / "nothing", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_NE(missing.error().message.find("nothing"), std::string::npos);
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos);
  const auto under_a_file = write_file_durably(directory_ / "no" / "such" / "place", "x");
  EXPECT_FALSE(under_a_file);
}

TEST_F(FileTest, ReadFileStopsAtItsLimit) {
  const Path path = directory_ / "a";
  ASSERT_TRUE(write_file_durably(path, "12345"));
  EXPECT_EQ(read_file(path, 5).value(), "12345");
  EXPECT_EQ(read_file(path, 4).error().code, Errc::too_large);
}

TEST_F(FileTest, ReadsAndWritesAtOffsets) {
  auto file = File::open(directory_ / "a", File::Mode::write);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write_at(4, "efgh"));
  ASSERT_TRUE(file->write_at(0, "abcd"));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->size().value(), 8U);
  EXPECT_EQ(file->read_at(2, 4).value(), "cdef");
  EXPECT_EQ(file->read_at(6, 10).value(), "gh");
  EXPECT_EQ(file->read_at(8, 10).value(), "");
}

TEST_F(FileTest, CreateEmptiesAndWriteKeeps) {
  const Path path = directory_ / "a";
  ASSERT_TRUE(write_file_durably(path, "old"));
  EXPECT_EQ(File::open(path, File::Mode::write)->size().value(), 3U);
  EXPECT_EQ(File::open(path, File::Mode::create)->size().value(), 0U);
  EXPECT_EQ(File::open(directory_ / "b", File::Mode::read).error().code, Errc::not_found);
}

TEST_F(FileTest, MakesRenamesAndRemovesDirectories) {
  ASSERT_TRUE(make_directory(directory_ / "x" / "y" / "z"));
  ASSERT_TRUE(make_directory(directory_ / "x" / "y" / "z"));
  ASSERT_TRUE(write_file_durably(directory_ / "x" / "y" / "z" / "f", "content"));
  ASSERT_TRUE(rename_durably(directory_ / "x" / "y", directory_ / "moved"));
  EXPECT_EQ(read_file(directory_ / "moved" / "z" / "f", 100).value(), "content");
  ASSERT_TRUE(remove_durably(directory_ / "moved"));
  ASSERT_TRUE(remove_durably(directory_ / "moved"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "moved"));
  EXPECT_FALSE(rename_durably(directory_ / "moved", directory_ / "again"));
}

TEST_F(FileTest, KnowsTheFreeSpace) {
  const auto free = free_bytes(directory_);
  ASSERT_TRUE(free);
  EXPECT_GT(*free, 0U);
  EXPECT_FALSE(free_bytes(directory_ / "nothing"));
}

TEST_F(FileTest, ALockIsHeldOnceAndFreedWithItsOwner) {
  const Path path = directory_ / "lock";
  {
    auto held = LockFile::acquire(path);
    ASSERT_TRUE(held);
    const auto second = LockFile::acquire(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(LockFile::acquire(path));
}

}  // namespace
}  // namespace mainstay::sys
