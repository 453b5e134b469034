// Run by sftp_server.py, which starts the server: its address, keys and directory are in the
// environment.
#include <cstdlib>

#include <gmock/gmock.h>

#include "actors/adapters/file/file_adapter.hpp"
#include "actors/adapters/folder/sftp_folder.hpp"
#include "tests/actor/adapters/adapter_fixture.hpp"

namespace mainstay::adapters {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SftpTest : public ::testing::Test {
 protected:
  SftpTest() {
    static int number = 0;
    const std::string name = "case " + std::to_string(++number);
    root_ = std::filesystem::path{env("SFTP_ROOT")} / name;
    std::filesystem::create_directories(root_ / "in");
    place_ = {env("SFTP_URL") + root_.string(), env("SFTP_KEY"), env("SFTP_KNOWN_HOSTS"),
              Millis{10'000}};
  }
  static std::string env(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }
  void write(const std::string& path, std::string_view content) const {
    std::ofstream{root_ / path, std::ios::binary} << content;
  }
  std::string read(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream{root_ / path, std::ios::binary}.rdbuf();
    return text.str();
  }
  std::vector<std::string> names(const std::string& directory) const {
    std::set<std::string> all;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{root_ / directory, error})
      all.insert(entry.path().filename().string());
    return {all.begin(), all.end()};
  }
  std::unique_ptr<integration::Adapter> make() const {
    integration::AdapterContext context;
    context.settings = json_of(R"({"arrival":"rename","done_directory":"done",
      "in":[{"type":"order","pattern":"*.csv","format":"csv","split":"row"}],
      "out":[{"type":"shipment","name":"{key}.json","format":"json"}]})");
    context.settings.set("url", json::Value::string(place_.url));
    context.settings.set("key_file", json::Value::string(place_.key_file));
    context.settings.set("known_hosts", json::Value::string(place_.known_hosts));
    auto made = make_file_adapter(context);
    EXPECT_TRUE(made) << to_string(made.error());
    return std::move(*made);
  }

  std::filesystem::path root_;
  SftpPlace place_;
};

TEST_F(SftpTest, FilesAreListedReadWrittenAndMoved) {
  SftpFolder folder{place_};
  write("in/b c.csv", "12345");
  write("in/a'\".csv", "x");
  const auto list = folder.list("in");
  ASSERT_TRUE(list) << to_string(list.error());
  ASSERT_THAT(*list, SizeIs(2));
  EXPECT_EQ((*list)[1].name, "b c.csv");
  EXPECT_EQ((*list)[1].size, 5u);
  EXPECT_EQ(folder.read("in/b c.csv", 10).value(), "12345");
  EXPECT_EQ(folder.read("in/b c.csv", 4).error().code, Errc::too_large);
  EXPECT_EQ(folder.read("in/missing", 4).error().code, Errc::not_found);
  EXPECT_TRUE(folder.exists("in/b c.csv").value());
  EXPECT_FALSE(folder.exists("in/missing").value());
  ASSERT_TRUE(folder.make_directory("arch/ive"));
  ASSERT_TRUE(folder.make_directory("arch/ive"));
  const auto moved = folder.move("in/a'\".csv", "", "arch/ive/a'\".csv");
  ASSERT_TRUE(moved) << to_string(moved.error());
  EXPECT_THAT(names("arch/ive"), ElementsAre("a'\".csv"));
  EXPECT_EQ(folder.move("in/missing", "", "arch/ive/x").error().code, Errc::not_found);
  const std::string large(300'000, 'x');
  ASSERT_TRUE(folder.write("in/new.json", large));
  EXPECT_EQ(read("in/new.json"), large);
  EXPECT_THAT(names("in"), ElementsAre("b c.csv", "new.json"));
  // Once more: it is there already.
  ASSERT_TRUE(folder.write("in/new.json", large));
  EXPECT_THAT(names("in"), ElementsAre("b c.csv", "new.json"));
  EXPECT_EQ(folder.list("missing").error().code, Errc::unavailable);
}

TEST_F(SftpTest, AFileThatWasReplacedIsNotMoved) {
  SftpFolder folder{place_};
  ASSERT_TRUE(folder.make_directory("archive"));
  write("in/a.csv", "1");
  ASSERT_TRUE(folder.read("in/a.csv", 10));
  write("in/a.csv", "2");
  std::filesystem::last_write_time(
      root_ / "in/a.csv", std::filesystem::file_time_type::clock::now() + std::chrono::hours{1});
  EXPECT_EQ(folder.move("in/a.csv", "", "archive/a.csv").error().code, Errc::not_found);
  EXPECT_THAT(names("archive"), IsEmpty());
}

TEST_F(SftpTest, AnUnknownHostIsNotTrusted) {
  const std::string nobody = (root_ / "nobody").string();
  std::ofstream{nobody} << "";
  place_.known_hosts = nobody;
  SftpFolder folder{place_};
  const auto list = folder.list("in");
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Errc::unauthorized) << to_string(list.error());
}

TEST_F(SftpTest, AnotherHostsKeyIsNotTrusted) {
  place_.known_hosts = env("SFTP_OTHER_HOSTS");
  SftpFolder folder{place_};
  EXPECT_EQ(folder.list("in").error().code, Errc::unauthorized);
}

TEST_F(SftpTest, AnotherKeyIsNotLetIn) {
  place_.key_file = env("SFTP_OTHER_KEY");
  SftpFolder folder{place_};
  EXPECT_EQ(folder.list("in").error().code, Errc::unauthorized);
}

TEST_F(SftpTest, TheAdapterWorksAsOnADirectory) {
  write("in/a.csv", "no\n1\n2\n3\n");
  write("in/b.csv", "no\n\"4\n");
  write("in/c.csv.part", "no\n5\n");
  const auto adapter = make();
  Inbox inbox;
  inbox.drain(*adapter, 2);
  EXPECT_THAT(inbox.order, ElementsAre("a.csv#1", "a.csv#2", "a.csv#3", "b.csv"));
  EXPECT_EQ(inbox.duplicates, 0u);
  EXPECT_THAT(names("in"), ElementsAre("c.csv.part"));
  EXPECT_THAT(names("archive"), SizeIs(1));
  EXPECT_THAT(names("quarantine"), SizeIs(2));
  // The same file once more: known, and its archived copy stays.
  write("in/a.csv", "no\n1\n2\n3\n");
  inbox.drain(*adapter);
  EXPECT_EQ(inbox.duplicates, 3u);
  EXPECT_THAT(names("in"), ElementsAre("c.csv.part"));
  EXPECT_THAT(names("archive"), SizeIs(1));

  const integration::Effect effect{"s/1", "shipment", "s", json_of(R"({"number":1})")};
  EXPECT_EQ(adapter->lookup(effect).value(), std::nullopt);
  const auto done = adapter->apply(effect);
  ASSERT_EQ(done.verdict, integration::Verdict::done) << done.detail;
  EXPECT_EQ(read("out/s_1.json"), "{\"number\":1}\n");
  EXPECT_TRUE(adapter->lookup(effect).value());
  EXPECT_EQ(adapter->apply(effect).verdict, integration::Verdict::done);
}

}  // namespace
}  // namespace mainstay::adapters
