#include "runtime/store/sealed_file.hpp"

#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

constexpr std::uint64_t file_bytes = 8 * SealedFile::sector_bytes;

class SealedFileTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "file";
};

TEST_F(SealedFileTest, IsZerosWhenMade) {
  const auto file = SealedFile::create(path_, {1, 2}, file_bytes);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->capacity(), 8 * SealedFile::content_bytes);
  EXPECT_EQ(file->read().value(), std::string(file->capacity(), '\0'));
  EXPECT_EQ(std::filesystem::file_size(path_), file_bytes);
}

// Pieces of every size, each behind the one before, and what stands behind them for a moment.
TEST_F(SealedFileTest, HoldsWhatWasAppended) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random{seed};
    auto file = SealedFile::create(path_, {1, 2}, file_bytes);
    ASSERT_TRUE(file);
    std::string wanted;
    while (true) {
      const std::string piece(random.between(0, 1200), static_cast<char>('a' + wanted.size() % 26));
      const std::string mark(random.between(0, 30), '!');
      if (wanted.size() + piece.size() + mark.size() > file->capacity()) break;
      ASSERT_TRUE(file->append(piece));
      ASSERT_TRUE(file->put(mark));
      wanted += piece;
      ASSERT_EQ(file->position(), wanted.size());
      const auto again = SealedFile::open(path_, {1, 2});
      ASSERT_TRUE(again);
      const std::string content = again->read().value();
      ASSERT_EQ(content.substr(0, wanted.size()), wanted);
      ASSERT_EQ(content.substr(wanted.size(), mark.size()), mark);
    }
    file->rewind();
    ASSERT_TRUE(file->append("again"));
    ASSERT_EQ(file->read().value().substr(0, 5), "again");
  }
}

TEST_F(SealedFileTest, RefusesWhatIsNotItsOwn) {
  ASSERT_TRUE(SealedFile::create(path_, {1, 2}, file_bytes));
  EXPECT_TRUE(SealedFile::open(path_, {1, 2})->read());
  EXPECT_EQ(SealedFile::open(path_, {2, 2})->read().error().code, Errc::corrupt);
  EXPECT_EQ(SealedFile::open(path_, {1, 1})->read().error().code, Errc::corrupt);
  const std::string whole = read_whole(path_);
  // Two sectors exchanged, one zeroed, one too few, one too many.
  const std::string other = whole.substr(512, 512) + whole.substr(0, 512) + whole.substr(1024);
  for (const std::string& bytes :
       {other, std::string(512, '\0') + whole.substr(512), whole.substr(512), whole + other}) {
    write_whole(path_, bytes);
    EXPECT_EQ(SealedFile::open(path_, {1, 2})->read().error().code, Errc::corrupt);
  }
  for (const std::string& bytes : {std::string{}, whole.substr(1)}) {
    write_whole(path_, bytes);
    EXPECT_EQ(SealedFile::open(path_, {1, 2}).error().code, Errc::corrupt);
  }
  std::filesystem::remove(path_);
  EXPECT_EQ(SealedFile::open(path_, {1, 2}).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace mainstay::store
