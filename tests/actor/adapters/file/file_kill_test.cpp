// The adapter is killed at every system call it makes: nothing is lost, nothing is half, nothing
// comes twice.
#include "actors/adapters/file/file_adapter.hpp"
#include "tests/actor/adapters/adapter_fixture.hpp"
#include "tests/actor/adapters/kill_points.hpp"

namespace mainstay::adapters {
namespace {

using integration::Verdict;

constexpr std::string_view settings_text = R"({
  "arrival": "rename",
  "in": [{"type": "order", "pattern": "*.csv", "format": "csv", "split": "row"}],
  "out": [{"type": "shipment", "name": "{key}.json", "format": "json"}]})";

class FileKillTest : public FolderTest {
 protected:
  std::unique_ptr<integration::Adapter> make() const {
    return std::move(make_file_adapter(context(settings_text)).value());
  }
  void reset() const {
    for (const char* directory : {"in", "out", "archive", "quarantine"})
      std::filesystem::remove_all(root_ / directory);
    std::filesystem::create_directories(root_ / "in");
  }
};

TEST_F(FileKillTest, AnEffectIsThereWholeOrNotAtAll) {
  const std::string text(20'000, 'x');
  const integration::Effect effect{"s/1", "shipment", "s",
                                   json::Value::array({json::Value::string(text)})};
  const std::string whole = "[\"" + text + "\"]\n";
  std::size_t points = 0;
  for (std::size_t point = 1;; ++point) {
    reset();
    if (!run_killed_at(point, [&] { static_cast<void>(make()->apply(effect)); })) break;
    ++points;
    const std::string after = read("out/s_1.json");
    ASSERT_TRUE(after.empty() || after == whole) << "point " << point;
    const auto adapter = make();
    ASSERT_EQ(adapter->lookup(effect).value().has_value(), !after.empty());
    ASSERT_EQ(adapter->apply(effect).verdict, Verdict::done);
    ASSERT_EQ(read("out/s_1.json"), whole);
    ASSERT_EQ(names("out").size(), 1u);
  }
  EXPECT_GT(points, 20u);
  std::printf("killed at %zu points of apply\n", points);
}

TEST_F(FileKillTest, EveryRowIsTakenOnceWhereverFetchAndAcknowledgeAreKilled) {
  std::size_t points = 0;
  for (std::size_t point = 1;; ++point) {
    reset();
    write("in/a.csv", "no\n1\n2\n3\n");
    write("in/b.csv", "no\n\"4\n");
    write("in/c.csv", "no\n5\n");
    Inbox inbox;
    inbox.commit(make()->fetch("", 2).value());
    // The child goes on from what is committed; what it would commit dies with it.
    const std::string position = inbox.position;
    const bool killed = run_killed_at(point, [&] {
      const auto adapter = make();
      const auto page = adapter->fetch(position, 10);
      if (page) static_cast<void>(adapter->acknowledge(position));
    });
    if (!killed) break;
    ++points;
    inbox.drain(*make(), 2);
    ASSERT_EQ(inbox.taken.size(), 5u) << "point " << point;
    ASSERT_EQ(inbox.duplicates, 0u) << "point " << point;
    ASSERT_TRUE(names("in").empty());
    ASSERT_EQ(names("archive").size(), 2u);
    ASSERT_EQ(names("quarantine").size(), 2u);
  }
  EXPECT_GT(points, 20u);
  std::printf("killed at %zu points of fetch and acknowledge\n", points);
}

TEST_F(FileKillTest, AcknowledgeMayBeKilledAnywhere) {
  std::size_t points = 0;
  for (std::size_t point = 1;; ++point) {
    reset();
    write("in/a.csv", "no\n1\n2\n3\n");
    write("in/b.csv", "no\n\"4\n");
    write("in/c.csv", "no\n5\n");
    Inbox inbox;
    inbox.commit(make()->fetch("", 10).value());
    const std::string position = inbox.position;
    if (!run_killed_at(point, [&] { static_cast<void>(make()->acknowledge(position)); })) break;
    ++points;
    ASSERT_EQ(names("in").size() + names("archive").size() +
                  static_cast<std::size_t>(std::filesystem::exists(root_ / "quarantine") &&
                                           !names("quarantine").empty() &&
                                           names("quarantine")[0].ends_with(".csv")),
              3u)
        << "point " << point;
    inbox.drain(*make());
    ASSERT_EQ(inbox.taken.size(), 5u) << "point " << point;
    ASSERT_EQ(inbox.duplicates, 0u) << "point " << point;
    ASSERT_TRUE(names("in").empty());
    ASSERT_EQ(names("archive").size(), 2u);
    ASSERT_EQ(names("quarantine").size(), 2u);
  }
  EXPECT_GT(points, 20u);
  std::printf("killed at %zu points of acknowledge\n", points);
}

}  // namespace
}  // namespace mainstay::adapters
