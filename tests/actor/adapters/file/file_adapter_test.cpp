#include "actors/adapters/file/file_adapter.hpp"

#include <gmock/gmock.h>

#include "actors/adapters/folder/local_folder.hpp"
#include "tests/actor/adapters/adapter_fixture.hpp"

namespace mainstay::adapters {
namespace {

using integration::Effect;
using integration::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view settings_text = R"({
  "arrival": "rename", "done_directory": "done",
  "in": [
    {"type": "order", "pattern": "orders*.csv", "format": "csv", "split": "row"},
    {"type": "item", "pattern": "item*.json", "format": "json", "subject": "/sku"}],
  "out": [{"type": "shipment", "name": "{key}.json", "format": "json"}],
  "observe": [{"kind": "stock", "directory": "levels", "pattern": "*.csv", "format": "csv",
               "id": "/sku"}]})";

class FileAdapterTest : public FolderTest {
 protected:
  FileAdapterTest() { adapter_ = make(); }
  std::unique_ptr<integration::Adapter> make(std::string_view settings = settings_text) const {
    auto made = make_file_adapter(context(settings));
    EXPECT_TRUE(made) << to_string(made.error());
    return made ? std::move(*made) : nullptr;
  }
  std::unique_ptr<integration::Adapter> adapter_;
  Inbox inbox_;
};

TEST_F(FileAdapterTest, RowsBecomeMessagesInOrderAndFilesGoToTheArchive) {
  write("in/orders2.csv", "no,q\nC,3\n");
  write("in/orders1.csv", "no,q\nA,1\nB,2\n");
  write("in/item.json", R"({"sku":"S1"})");
  write("in/other.txt", "not ours");
  inbox_.drain(*adapter_, 2);
  EXPECT_THAT(inbox_.order,
              ElementsAre("item.json", "orders1.csv#1", "orders1.csv#2", "orders2.csv#1"));
  EXPECT_EQ(inbox_.duplicates, 0u);
  EXPECT_THAT(names("in"), ElementsAre("other.txt"));
  EXPECT_EQ(names("archive").size(), 3u);
  EXPECT_EQ(inbox_.position, R"({"done":[]})");
}

TEST_F(FileAdapterTest, MessagesSayWhatTheyAre) {
  write("in/item.json", R"({"sku":"S1"})");
  write("in/orders.csv", "no,q\nA,1\n");
  const auto page = adapter_->fetch("", 10).value();
  ASSERT_EQ(page.messages.size(), 2u);
  EXPECT_EQ(page.messages[0].type, "item");
  EXPECT_EQ(page.messages[0].subject, "S1");
  EXPECT_EQ(page.messages[0].version.size(), 32u);
  EXPECT_EQ(page.messages[1].content_type, "text/csv");
  EXPECT_EQ(page.messages[1].body, "no,q\nA,1\n");
  EXPECT_EQ(json::to_text(adapter_->decode(page.messages[1]).value()[0]), R"({"no":"A","q":"1"})");
}

TEST_F(FileAdapterTest, RepeatedFetchesBringTheSameAgain) {
  write("in/orders.csv", "no\n1\n2\n3\n4\n5\n");
  const auto first = adapter_->fetch("", 2).value();
  const auto again = adapter_->fetch("", 2).value();
  EXPECT_EQ(first.position, again.position);
  const auto next = adapter_->fetch(first.position, 2).value();
  const auto elsewhere = make()->fetch(first.position, 2).value();
  ASSERT_EQ(next.messages.size(), 2u);
  EXPECT_EQ(next.messages[0].id, "orders.csv#3");
  EXPECT_EQ(elsewhere.messages[0].id, "orders.csv#3");
  EXPECT_EQ(next.position, elsewhere.position);
  EXPECT_TRUE(next.more);
}

TEST_F(FileAdapterTest, NothingIsArchivedBeforeItIsWhollyCommitted) {
  write("in/orders.csv", "no\n1\n2\n3\n");
  const auto page = adapter_->fetch("", 2).value();
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_THAT(names("in"), ElementsAre("orders.csv"));
}

TEST_F(FileAdapterTest, AFileWithAnEarlierNameThatComesLateIsNotLost) {
  write("in/orders5.csv", "no\n5\n");
  const auto page = adapter_->fetch("", 10).value();
  inbox_.commit(page);
  write("in/orders1.csv", "no\n1\n");
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_THAT(names("in"), ElementsAre("orders1.csv"));
  inbox_.drain(*adapter_);
  EXPECT_THAT(inbox_.order, ElementsAre("orders5.csv#1", "orders1.csv#1"));
}

TEST_F(FileAdapterTest, ANewFileUnderAKnownNameIsANewVersion) {
  write("in/item.json", R"({"sku":"S1"})");
  inbox_.drain(*adapter_);
  write("in/item.json", R"({"sku":"S2"})");
  inbox_.drain(*adapter_);
  write("in/item.json", R"({"sku":"S1"})");
  inbox_.drain(*adapter_);
  EXPECT_EQ(inbox_.taken.size(), 2u);
  EXPECT_EQ(inbox_.duplicates, 1u);
  EXPECT_EQ(names("archive").size(), 2u);
  EXPECT_THAT(names("in"), IsEmpty());
}

TEST_F(FileAdapterTest, AFileReplacedBeforeTheAcknowledgementIsReadToo) {
  write("in/item.json", R"({"sku":"S1"})");
  const auto page = adapter_->fetch("", 10).value();
  inbox_.commit(page);
  write("in/item.json.tmp", R"({"sku":"S2"})");
  std::filesystem::rename(root_ / "in/item.json.tmp", root_ / "in/item.json");
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_THAT(names("archive"), IsEmpty());
  inbox_.drain(*adapter_);
  EXPECT_EQ(inbox_.taken.size(), 2u);
}

TEST_F(FileAdapterTest, ALostAcknowledgementIsMadeUpFor) {
  write("in/orders1.csv", "no\n1\n");
  inbox_.commit(adapter_->fetch("", 10).value());
  adapter_ = make();
  write("in/orders2.csv", "no\n2\n");
  inbox_.drain(*adapter_);
  EXPECT_EQ(inbox_.duplicates, 0u);
  EXPECT_EQ(inbox_.taken.size(), 2u);
  EXPECT_EQ(names("archive").size(), 2u);
}

TEST_F(FileAdapterTest, UnfinishedFilesAreLeftAlone) {
  write("in/orders.csv.tmp", "no\n1\n");
  write("in/orders.csv.part", "no\n1\n");
  write("in/.orders.csv", "no\n1\n");
  inbox_.drain(*adapter_);
  EXPECT_THAT(inbox_.order, IsEmpty());
  EXPECT_EQ(inbox_.position, "");
}

struct TestClock final : sys::Clock {
  MonotonicTime now;
  MonotonicTime monotonic() const override { return now; }
  WallTime wall() const override { return {}; }
};

TEST_F(FileAdapterTest, AFileMustStandStillForAWhile) {
  TestClock clock;
  FileAdapterOptions options;
  options.in.push_back({"order", "*.csv", "", {}});
  options.in[0].form.format = FileFormat::csv;
  FileAdapter adapter{std::make_unique<LocalFolder>(root_), clock, std::move(options)};
  write("in/a.csv", "no\n1\n");
  EXPECT_THAT(adapter.fetch("", 10).value().messages, IsEmpty());
  clock.now += Millis{1'500};
  write("in/a.csv", "no\n1\n2\n");
  EXPECT_THAT(adapter.fetch("", 10).value().messages, IsEmpty());
  clock.now += Millis{1'999};
  EXPECT_THAT(adapter.fetch("", 10).value().messages, IsEmpty());
  clock.now += Millis{1};
  EXPECT_EQ(adapter.fetch("", 10).value().messages.size(), 1u);
}

TEST_F(FileAdapterTest, AnUnreadableFileIsALetterAndGoesToTheQuarantine) {
  write("in/orders1.csv", "no\n\"1\n");
  write("in/orders2.csv", "no\n2\n");
  const auto page = adapter_->fetch("", 10).value();
  ASSERT_EQ(page.messages.size(), 2u);
  const auto decoded = adapter_->decode(page.messages[0]);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message, "orders1.csv: line 2: a quoted field does not end");
  EXPECT_THAT(page.messages[0].body, HasSubstr("no\n\"1\n"));
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_THAT(names("in"), IsEmpty());
  const auto kept = names("quarantine");
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(read("quarantine/" + kept[1]), "line 2: a quoted field does not end\n");
  EXPECT_EQ(read("quarantine/" + kept[0]), "no\n\"1\n");
}

TEST_F(FileAdapterTest, ATooLargeFileDoesNotStopTheOthers) {
  const auto adapter = make(R"({"arrival":"rename","file_bytes_max":"10B",
    "in":[{"type":"order","pattern":"*.csv","format":"csv","split":"row"}]})");
  write("in/a.csv", "no\n1\n2\n3\n4\n5\n6\n");
  write("in/b.csv", "no\n1\n");
  inbox_.drain(*adapter);
  EXPECT_EQ(inbox_.taken.size(), 2u);
  EXPECT_EQ(names("quarantine").size(), 2u);
  EXPECT_EQ(names("archive").size(), 1u);
}

TEST_F(FileAdapterTest, ADirectoryThatIsAwayIsNoLoss) {
  write("in/orders.csv", "no\n1\n");
  inbox_.drain(*adapter_);
  std::filesystem::rename(root_ / "in", root_ / "away");
  const auto page = adapter_->fetch(inbox_.position, 10);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Errc::unavailable);
}

// It goes between two pages, and something else has its name: its files are not bad for that.
TEST_F(FileAdapterTest, ADirectoryThatGoesBetweenTwoPagesParksNothing) {
  write("in/orders1.csv", "no\n1\n");
  write("in/orders2.csv", "no\n2\n");
  const auto first = adapter_->fetch(inbox_.position, 1);
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->more);
  inbox_.commit(*first);
  std::filesystem::rename(root_ / "in", root_ / "away");
  write("in", "no directory any more");
  const auto second = adapter_->fetch(inbox_.position, 1);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
  std::filesystem::remove(root_ / "in");
  std::filesystem::rename(root_ / "away", root_ / "in");
  inbox_.drain(*adapter_);
  EXPECT_THAT(inbox_.order, ElementsAre("orders1.csv#1", "orders2.csv#1"));
  EXPECT_THAT(names("quarantine"), ElementsAre());
}

TEST_F(FileAdapterTest, BackfillReadsTheArchiveAgain) {
  for (const char* day : {"1", "2", "3", "4"})
    write("in/orders" + std::string{day} + ".csv", "no\n" + std::string{day} + "\nx\n");
  write("in/item.json", R"({"sku":"S1"})");
  inbox_.drain(*adapter_);
  Inbox again;
  for (bool more = true; more;) {
    const auto page =
        adapter_->backfill({"order", "orders2", "orders3.csv"}, again.position, 3).value();
    again.commit(page);
    more = page.more;
  }
  EXPECT_THAT(again.order,
              ElementsAre("orders2.csv#1", "orders2.csv#2", "orders3.csv#1", "orders3.csv#2"));
  for (const auto& [identity, body] : again.taken) EXPECT_EQ(inbox_.taken[identity], body);
}

TEST_F(FileAdapterTest, AnEffectIsOneFile) {
  const Effect effect{"shipment/S-17/2", "shipment", "S-17", json_of(R"({"number":"S-17"})")};
  EXPECT_EQ(adapter_->lookup(effect).value(), std::nullopt);
  const auto done = adapter_->apply(effect);
  ASSERT_EQ(done.verdict, Verdict::done) << done.detail;
  EXPECT_EQ(done.receipt.find("file")->text(), "out/shipment_S-17_2.json");
  EXPECT_EQ(read("out/shipment_S-17_2.json"), "{\"number\":\"S-17\"}\n");
  EXPECT_EQ(adapter_->apply(effect).verdict, Verdict::done);
  EXPECT_EQ(names("out").size(), 1u);
  EXPECT_TRUE(adapter_->lookup(effect).value());
}

TEST_F(FileAdapterTest, AFileThatWasTakenIsNotWrittenAgain) {
  const Effect effect{"s/1", "shipment", "s", json_of("{}")};
  ASSERT_EQ(adapter_->apply(effect).verdict, Verdict::done);
  std::filesystem::create_directories(root_ / "done");
  std::filesystem::rename(root_ / "out/s_1.json", root_ / "done/s_1.json");
  ASSERT_TRUE(adapter_->lookup(effect).value());
  EXPECT_EQ(adapter_->lookup(effect).value()->find("file")->text(), "done/s_1.json");
  EXPECT_EQ(adapter_->apply(effect).verdict, Verdict::done);
  EXPECT_THAT(names("out"), IsEmpty());
}

TEST_F(FileAdapterTest, WhatCannotBeWrittenIsToldApart) {
  EXPECT_EQ(adapter_->apply({"k", "unknown", "s", {}}).verdict, Verdict::refused);
  write("out", "a file where the directory should be");
  const auto failed = adapter_->apply({"k", "shipment", "s", json_of("{}")});
  EXPECT_EQ(failed.verdict, Verdict::transient) << failed.detail;
}

TEST_F(FileAdapterTest, ObservesTheNewestExport) {
  write("levels/2026-01-01.csv", "sku,q\nold,1\n");
  std::string text = "sku,q\n";
  for (int i = 0; i < 1'500; ++i) text += "S" + std::to_string(i) + ",2\n";
  write("levels/2026-01-02.csv", text);
  std::set<std::string> ids;
  std::string after;
  do {
    const auto page = adapter_->observe("stock", after).value();
    for (const auto& item : page.items) ids.insert(item.id);
    after = page.next;
  } while (!after.empty());
  EXPECT_EQ(ids.size(), 1'500u);
  EXPECT_FALSE(ids.contains("old"));
  EXPECT_FALSE(adapter_->observe("nothing", ""));
}

TEST_F(FileAdapterTest, ANewerExportEndsTheReadingOfAnOlderOne) {
  std::string text = "sku,q\n";
  for (int i = 0; i < 1'500; ++i) text += "S" + std::to_string(i) + ",2\n";
  write("levels/1.csv", text);
  const auto page = adapter_->observe("stock", "").value();
  ASSERT_NE(page.next, "");
  write("levels/2.csv", text);
  EXPECT_EQ(adapter_->observe("stock", page.next).error().code, Errc::unavailable);
}

TEST_F(FileAdapterTest, WrongSettingsAreTold) {
  const auto told = [this](std::string_view settings) {
    const auto made = make_file_adapter(context(settings));
    return made ? std::string{"accepted"} : made.error().message;
  };
  EXPECT_THAT(told("{}"), HasSubstr("settings.in: expected at least one of"));
  EXPECT_THAT(told(R"({"in":[{"type":"a","pattern":"*","format":"csb"}]})"),
              HasSubstr("settings.in[0].format: expected one of csv json ndjson xml, not csb"));
  EXPECT_THAT(told(R"({"in":[{"type":"a","patern":"*","format":"csv"}]})"),
              HasSubstr("settings.in[0].pattern: must be given"));
  EXPECT_THAT(told(R"({"in":[{"type":"a","pattern":"*","format":"csv","splitt":"row"}]})"),
              HasSubstr("did you mean split?"));
  EXPECT_THAT(told(R"({"out":[{"type":"a","name":"x.json","format":"json"}]})"),
              HasSubstr("settings.out[0].name: expected {key} in it"));
  EXPECT_THAT(told(R"({"out":[{"type":"a","name":"{key}.csv","format":"csv"}]})"),
              HasSubstr("settings.out[0].columns: must be given"));
}

TEST_F(FileAdapterTest, TheExampleIsGood) {
  integration::AdapterContext example;
  example.settings = example_settings("file/shop.toml");
  const auto made = make_file_adapter(example);
  EXPECT_TRUE(made) << to_string(made.error());
}

TEST_F(FileAdapterTest, TraitsFollowTheSettings) {
  EXPECT_TRUE(adapter_->traits().has_source);
  EXPECT_TRUE(adapter_->traits().has_effects);
  EXPECT_TRUE(adapter_->traits().idempotent);
}

}  // namespace
}  // namespace mainstay::adapters
