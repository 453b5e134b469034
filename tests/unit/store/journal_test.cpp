#include "runtime/store/journal.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "tests/harness/sim_disk.hpp"
#include "tests/unit/store/disk_directory.hpp"

namespace mainstay::store {
namespace {

constexpr std::uint64_t file_bytes = 64 * 1024;
constexpr Incarnation owner{77};

struct Read {
  std::vector<std::string> bodies;
  Result<Journal::Position> next = fail(Errc::internal, "not read");
};

Read read_all(const Journal& journal, Journal::Position from) {
  Read result;
  result.next = journal.read(from, [&](std::string_view body) -> Result<void> {
    result.bodies.emplace_back(body);
    return {};
  });
  return result;
}

// Of one that is not there yet, an empty one.
Result<Journal> open_journal(const std::filesystem::path& directory) {
  if (std::filesystem::exists(directory / "journal.1")) return Journal::open(directory, owner);
  return Journal::create(directory, owner, file_bytes);
}

std::string body_of(std::uint64_t number) {
  return fmt::format("{}:{}", number, std::string(number * 37 % 900, 'b'));
}

class JournalTest : public ::testing::Test {
 protected:
  harness::SimDisk disk_{fresh_directory("journal")};

  Journal open() {
    auto journal = open_journal(disk_.directory());
    EXPECT_TRUE(journal);
    return std::move(*journal);
  }
};

TEST_F(JournalTest, ReadsWhatWasAppendedAcrossTwoGenerations) {
  Journal journal = open();
  journal.begin({1, 100});
  ASSERT_TRUE(journal.append("one"));
  ASSERT_TRUE(journal.append(""));
  journal.begin(journal.next());
  ASSERT_TRUE(journal.append("three"));

  const Read all = read_all(open(), {1, 100});
  EXPECT_EQ(all.bodies, (std::vector<std::string>{"one", "", "three"}));
  ASSERT_TRUE(all.next);
  EXPECT_EQ(all.next->generation, 3U);
  EXPECT_EQ(all.next->sequence, 103U);
  EXPECT_EQ(read_all(open(), {2, 102}).bodies, std::vector<std::string>{"three"});
}

TEST_F(JournalTest, AcknowledgedFramesSurviveEveryPowerCut) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SeededRandom random{seed};
    harness::SimDisk disk{fresh_directory("journal")};
    Journal::Position from{1, 1};
    std::uint64_t acknowledged = 0;
    {
      auto journal = open_journal(disk.directory());
      ASSERT_TRUE(journal);
      journal->begin(from);
      disk.cut_after(random.between(1, 120));
      while (journal->fits(body_of(acknowledged + 1).size())) {
        const auto appended = journal->append(body_of(acknowledged + 1));
        if (disk.cut_happened()) break;
        ASSERT_TRUE(appended);
        ++acknowledged;
      }
      disk.disarm_cut();
    }
    disk.power_cut(random);
    disk.clear_cut();
    auto journal = open_journal(disk.directory());
    ASSERT_TRUE(journal);
    const Read all = read_all(*journal, from);
    ASSERT_TRUE(all.next) << to_string(all.next.error());
    ASSERT_GE(all.bodies.size(), acknowledged) << "seed " << seed;
    ASSERT_LE(all.bodies.size(), acknowledged + 1) << "seed " << seed;
    for (std::size_t i = 0; i < all.bodies.size(); ++i) ASSERT_EQ(all.bodies[i], body_of(i + 1));
  }
}

TEST_F(JournalTest, ADamagedFrameBeforeAValidOneIsRefused) {
  Journal journal = open();
  journal.begin({7, 1});
  ASSERT_TRUE(journal.append("the first frame"));
  ASSERT_TRUE(journal.append("the second frame"));
  SeededRandom random{1};
  ASSERT_TRUE(disk_.flip_bit("journal.1", "the first frame", random));
  const Read all = read_all(open(), {7, 1});
  ASSERT_FALSE(all.next);
  EXPECT_EQ(all.next.error().code, Errc::corrupt);
}

TEST_F(JournalTest, AFrameMissingAtTheEndOfAnOlderGenerationIsRefused) {
  Journal journal = open();
  journal.begin({7, 1});
  ASSERT_TRUE(journal.append("the first frame"));
  journal.begin(journal.next());
  ASSERT_TRUE(journal.append("the second frame"));
  SeededRandom random{1};
  ASSERT_TRUE(disk_.flip_bit("journal.1", "the first frame", random));
  const Read all = read_all(open(), {7, 1});
  ASSERT_FALSE(all.next);
  EXPECT_EQ(all.next.error().code, Errc::corrupt);
}

TEST_F(JournalTest, FramesOfFormerGenerationsInTheSameFileAreNotRead) {
  Journal journal = open();
  journal.begin({1, 1});
  for (std::uint64_t i = 1; i <= 10; ++i) ASSERT_TRUE(journal.append(body_of(i)));
  journal.begin({3, 11});
  ASSERT_TRUE(journal.append("new"));
  EXPECT_EQ(read_all(open(), {3, 11}).bodies, std::vector<std::string>{"new"});
}

TEST_F(JournalTest, EachFrameCostsOneFlushAndAFullFileSaysSo) {
  Journal journal = open();
  journal.begin({1, 1});
  const auto before = disk_.syncs();
  std::uint64_t frames = 0;
  for (; journal.fits(1000); ++frames) ASSERT_TRUE(journal.append(std::string(1000, 'x')));
  EXPECT_EQ(disk_.syncs() - before, frames);
  EXPECT_EQ(frames, file_bytes / 512 * 508 / 1024) << "each sector has a seal";
  EXPECT_EQ(read_all(open(), {1, 1}).bodies.size(), frames);
}

// The journal's bytes on the disk, to be changed by hand.
class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& path)
      : file_{sys::File::open(path, sys::File::Mode::write).value()},
        content_{file_.read_at(0, file_bytes).value()} {}

  const std::string& content() const { return content_; }
  void flip(std::size_t bit) {
    const char flipped = static_cast<char>(content_[bit / 8] ^ (1 << bit % 8));
    EXPECT_TRUE(file_.write_at(bit / 8, {&flipped, 1}));
  }
  void write(std::size_t at, const std::string& bytes) { EXPECT_TRUE(file_.write_at(at, bytes)); }
  void restore() { EXPECT_TRUE(file_.write_at(0, content_)); }

 private:
  sys::File file_;
  const std::string content_;
};

void expect_refused(const std::filesystem::path& directory, Journal::Position from,
                    const std::string& why) {
  auto journal = Journal::open(directory, owner);
  if (!journal) {
    EXPECT_EQ(journal.error().code, Errc::corrupt) << why;
    return;
  }
  const Read all = read_all(*journal, from);
  ASSERT_FALSE(all.next) << why;
  EXPECT_EQ(all.next.error().code, Errc::corrupt) << why;
}

// One bit changed, each in turn, of the frames, of the mark and of what nobody wrote yet.
TEST_F(JournalTest, EverySingleFlippedBitIsRefused) {
  const std::vector<std::string> bodies{"the first frame", "the second one", "", "the last"};
  {
    Journal journal = open();
    journal.begin({7, 1});
    for (const std::string& body : bodies) ASSERT_TRUE(journal.append(body));
  }
  Bytes bytes{disk_.directory() / "journal.1"};
  for (std::size_t bit = 0; bit < 2 * SealedFile::sector_bytes * 8; ++bit) {
    bytes.flip(bit);
    expect_refused(disk_.directory(), {7, 1}, fmt::format("bit {}", bit));
    bytes.restore();
  }
  EXPECT_EQ(read_all(open(), {7, 1}).bodies, bodies);
}

// The power goes after the last frame became durable, and takes the mark behind it along or not;
// then the disk changes a bit of that frame. It was acknowledged: it must not count as one that was
// never whole.
TEST_F(JournalTest, ADamagedLastFrameIsRefusedAfterAPowerCut) {
  bool mark_was_lost = false;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SeededRandom random{seed};
    harness::SimDisk disk{fresh_directory("journal")};
    {
      auto journal = open_journal(disk.directory());
      ASSERT_TRUE(journal);
      journal->begin({7, 1});
      for (std::uint64_t i = 1; i <= seed % 7; ++i) ASSERT_TRUE(journal->append(body_of(i)));
      ASSERT_TRUE(journal->append("the last frame!!"));
    }
    disk.power_cut(random);
    Bytes bytes{disk.directory() / "journal.1"};
    const std::size_t last = bytes.content().find("the last frame!!");
    ASSERT_NE(last, std::string::npos);
    mark_was_lost = mark_was_lost || bytes.content()[last + 20] == '\0';
    for (std::size_t bit = 8 * (last - 24); bit < 8 * (last + 16); ++bit) {
      bytes.flip(bit);
      expect_refused(disk.directory(), {7, 1}, fmt::format("seed {}, bit {}", seed, bit));
      bytes.restore();
    }
    bytes.write(last / 512 * 512, std::string(512, '\0'));
    expect_refused(disk.directory(), {7, 1}, "its sector zeroed");
    bytes.restore();
    EXPECT_EQ(read_all(*open_journal(disk.directory()), {7, 1}).bodies.back(), "the last frame!!");
  }
  EXPECT_TRUE(mark_was_lost);
}

TEST_F(JournalTest, FilesThatAreMissingCutOffOrExchangedAreRefused) {
  {
    Journal journal = open();
    journal.begin({6, 1});
    ASSERT_TRUE(journal.append("one"));
    journal.begin(journal.next());
    ASSERT_TRUE(journal.append("two"));
  }
  const auto first = disk_.directory() / "journal.0";
  const auto second = disk_.directory() / "journal.1";
  const auto beside = disk_.directory() / "beside";
  const auto refused = [&](const char* why) { expect_refused(disk_.directory(), {6, 1}, why); };

  std::filesystem::rename(first, beside);
  refused("missing");
  std::filesystem::copy(second, first);
  refused("the other one of the two");
  std::filesystem::remove(first);
  std::filesystem::copy(beside, first);
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{512}, std::uint64_t{1000},
                                    file_bytes / 2, file_bytes - 1}) {
    std::filesystem::resize_file(first, bytes);
    refused("cut off");
    std::filesystem::resize_file(first, file_bytes);
    refused("cut off and grown again");
  }
  std::filesystem::remove(first);
  ASSERT_TRUE(Journal::create(disk_.directory() / ".", Incarnation{78}, file_bytes));
  refused("another node's");
}

TEST_F(JournalTest, AFailedFlushIsReported) {
  Journal journal = open();
  journal.begin({1, 1});
  disk_.fail_after(0, EIO);
  const auto failed = journal.append("x");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::io_error);
  disk_.clear_failure();
}

}  // namespace
}  // namespace mainstay::store
