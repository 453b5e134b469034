#include "actors/adapters/folder/sftp_folder.hpp"

#include <gtest/gtest.h>

namespace mainstay::adapters {
namespace {

TEST(Sftp, LinesOfListings) {
  const auto entry = entry_of_line("-rw-r--r--    1 user  group      1234 Nov 28 07:12 a name.csv");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->name, "a name.csv");
  EXPECT_EQ(entry->size, 1234u);
  EXPECT_EQ(entry->stamp, "1234-Nov.28.07:12.");
  EXPECT_FALSE(entry_of_line("drwxr-xr-x    2 user  group      4096 Nov 28 07:12 in"));
  EXPECT_FALSE(entry_of_line("lrwxrwxrwx    1 user  group         5 Nov 28 07:12 a -> b"));
  EXPECT_FALSE(entry_of_line("-rw-r--r-- 1"));
  EXPECT_FALSE(entry_of_line(""));
}

TEST(Sftp, UrlsAreChecked) {
  EXPECT_TRUE(check_sftp_url("sftp://user@host/dir"));
  EXPECT_TRUE(check_sftp_url("sftp://user@host:2222/~/dir"));
  for (const char* wrong : {"", "ftp://user@host/dir", "sftp://host/dir", "sftp://user@host",
                            "sftp://user:secret@host/dir", "sftp://@host/dir"})
    EXPECT_FALSE(check_sftp_url(wrong)) << wrong;
}

TEST(Sftp, AServerThatIsNotThereIsUnavailable) {
  SftpFolder folder{{"sftp://user@127.0.0.1:1/dir", "key", "known", Millis{2'000}}};
  EXPECT_EQ(folder.list("in").error().code, Errc::unavailable);
  EXPECT_EQ(folder.make_directory("in").error().code, Errc::unavailable);
  EXPECT_EQ(folder.read("in/a", 10).error().code, Errc::unavailable);
  EXPECT_EQ(folder.write("in/a", "x").error().code, Errc::unavailable);
}

}  // namespace
}  // namespace mainstay::adapters
