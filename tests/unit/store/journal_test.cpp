#include "runtime/store/journal.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "tests/harness/sim_disk.hpp"
#include "tests/unit/store/disk_directory.hpp"

namespace mainstay::store {
namespace {

constexpr std::uint64_t file_bytes = 64 * 1024;

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

std::string body_of(std::uint64_t number) {
  return fmt::format("{}:{}", number, std::string(number * 37 % 900, 'b'));
}

class JournalTest : public ::testing::Test {
 protected:
  harness::SimDisk disk_{fresh_directory("journal")};

  Journal open() {
    auto journal = Journal::open(disk_.directory(), file_bytes);
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
      auto journal = Journal::open(disk.directory(), file_bytes);
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
    auto journal = Journal::open(disk.directory(), file_bytes);
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
  EXPECT_EQ(frames, file_bytes / 1024 - 1) << "the last mark needs room too";
  EXPECT_EQ(read_all(open(), {1, 1}).bodies.size(), frames);
}

// Where a file holds a text.
std::size_t place_of(const std::string& file, const std::string& text) {
  const std::size_t at = file.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  return at;
}

// One bit of the frames' own bytes changed, each in turn; `check` reads the journal then. Bits of
// the zeros behind a frame mean nothing.
TEST_F(JournalTest, EverySingleFlippedBitOfADurableFrameIsRefused) {
  const std::vector<std::string> bodies{"the first frame", "the second one", "", "the last"};
  {
    Journal journal = open();
    journal.begin({7, 1});
    for (const std::string& body : bodies) ASSERT_TRUE(journal.append(body));
  }
  const auto path = disk_.directory() / "journal.1";
  auto file = sys::File::open(path, sys::File::Mode::write).value();
  const std::string content = file.read_at(0, file_bytes).value();
  std::size_t offset = 0;
  for (const std::string& body : bodies) {
    const std::size_t frame_bytes = 24 + body.size();
    for (std::size_t bit = 0; bit < frame_bytes * 8; ++bit) {
      const std::size_t at = offset + bit / 8;
      const char flipped = static_cast<char>(content[at] ^ (1 << bit % 8));
      ASSERT_TRUE(file.write_at(at, {&flipped, 1}));
      const Read all = read_all(open(), {7, 1});
      ASSERT_FALSE(all.next) << "bit " << bit << " of '" << body << "'";
      ASSERT_EQ(all.next.error().code, Errc::corrupt);
      ASSERT_TRUE(file.write_at(at, {&content[at], 1}));
    }
    offset += (frame_bytes + 7) / 8 * 8;
  }
  // The mark itself: whatever becomes of it, no frame is lost.
  for (std::size_t bit = 0; bit < 24 * 8; ++bit) {
    const std::size_t at = offset + bit / 8;
    const char flipped = static_cast<char>(content[at] ^ (1 << bit % 8));
    ASSERT_TRUE(file.write_at(at, {&flipped, 1}));
    ASSERT_EQ(read_all(open(), {7, 1}).bodies, bodies) << "bit " << bit << " of the mark";
    ASSERT_TRUE(file.write_at(at, {&content[at], 1}));
  }
}

// What docs/formats/log.md says of it: without the mark, which a power cut may take, the last frame
// cannot be told from one that was never whole.
TEST_F(JournalTest, WithoutItsMarkADamagedLastFrameCountsAsNeverWritten) {
  {
    Journal journal = open();
    journal.begin({7, 1});
    ASSERT_TRUE(journal.append("the first frame"));
    ASSERT_TRUE(journal.append("the last frame!!"));
  }
  auto file = sys::File::open(disk_.directory() / "journal.1", sys::File::Mode::write).value();
  const std::string content = file.read_at(0, file_bytes).value();
  const std::size_t last = place_of(content, "the last frame!!");
  ASSERT_TRUE(file.write_at(last + 16, std::string(24, '\0')));
  ASSERT_TRUE(file.write_at(last, "T"));
  const Read all = read_all(open(), {7, 1});
  ASSERT_TRUE(all.next) << to_string(all.next.error());
  EXPECT_EQ(all.bodies, std::vector<std::string>{"the first frame"});
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
