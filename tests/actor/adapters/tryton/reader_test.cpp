#include "actors/adapters/tryton/reader.hpp"

#include <fmt/format.h>

#include "tests/actor/adapters/tryton/fake_tryton.hpp"

namespace mainstay::adapters::tryton {
namespace {

using integration::Page;
using testing::ElementsAre;
using testing::IsEmpty;

// Minute `minute` of one hour, as the ERP sends it.
std::string at(int minute) {
  return fmt::format(
      R"({{"__class__":"datetime","year":2026,"month":11,"day":28,"hour":6,"minute":{},"second":0,"microsecond":0}})",
      minute);
}

class TrytonReaderTest : public testing::Test {
 protected:
  void order(Id id, int minute, const std::string& lines = "[]", const std::string& stamp = "") {
    erp_.put(
        "sale.sale",
        fmt::format(
            R"({{"id":{},"number":"{}","state":"confirmed","create_date":{},"write_date":null,"lines":{},)"
            R"("_timestamp":"{}","total_amount":{{"__class__":"Decimal","decimal":"690.00"}}}})",
            id, id, at(minute), lines, stamp.empty() ? std::to_string(minute) : stamp));
  }
  void line(Id id, int minute) {
    erp_.put("sale.line",
             fmt::format(
                 R"({{"id":{},"quantity":0.30000000000000004,"unit.":{{"digits":2,"symbol":"kg"}},)"
                 R"("create_date":{},"write_date":null,"_timestamp":"{}"}})",
                 id, at(minute), minute));
  }
  ReaderOptions options(std::initializer_list<const char*> models = {"sale.sale"}) {
    ReaderOptions some;
    for (const char* model : models) some.models.push_back(*known_model(model));
    some.sweep = Millis{0};
    return some;
  }
  Page fetch(Reader& reader, std::size_t most = 100) {
    auto page = reader.fetch(position_, most);
    EXPECT_TRUE(page) << to_string(page.error());
    if (!page) return {};
    position_ = page->position;
    return *page;
  }
  static std::vector<std::string> ids(const Page& page) {
    std::vector<std::string> all;
    for (const auto& message : page.messages)
      all.push_back(message.id.substr(message.id.find(',') + 1));
    return all;
  }

  FakeTryton erp_;
  ManualClock clock_;
  JsonRpc rpc_{erp_.options(), clock_};
  std::string position_;
};

TEST_F(TrytonReaderTest, AnOrderComesOnceWithItsLines) {
  line(5, 1);
  order(1, 1, "[5]");
  Reader reader{rpc_, clock_, options()};
  const Page page = fetch(reader);
  ASSERT_EQ(page.messages.size(), 1U);
  EXPECT_EQ(page.messages[0].id, "sale.sale,1");
  EXPECT_EQ(page.messages[0].type, "order");
  EXPECT_THAT(page.messages[0].version, testing::StartsWith("1/1/1-"));
  const Value document = json_of(page.messages[0].body);
  EXPECT_EQ(text_at(document, "/total_amount"), "690.00");
  EXPECT_EQ(text_at(document, "/lines/0/quantity"), "0.30");
  EXPECT_EQ(text_at(document, "/modified"), "2026-11-28T06:01:00.000000Z");
  EXPECT_FALSE(page.more);
  EXPECT_THAT(fetch(reader).messages, IsEmpty());
}

TEST_F(TrytonReaderTest, OneVersionMeansOneContent) {
  order(1, 1);
  Reader reader{rpc_, clock_, options()};
  const std::string before = reader.fetch("", 100)->messages.at(0).version;
  erp_.set("sale.sale", 1, "party.", json_of(R"({"code":"3","name":"Renamed"})"));
  EXPECT_NE(reader.fetch("", 100)->messages.at(0).version, before);
}

TEST_F(TrytonReaderTest, TheSamePositionBringsTheSame) {
  order(1, 1);
  Reader reader{rpc_, clock_, options()};
  EXPECT_EQ(reader.fetch("", 100)->messages.size(), 1U);
  EXPECT_EQ(reader.fetch("", 100)->messages.size(), 1U);
}

TEST_F(TrytonReaderTest, ALateCommitWithinTheOverlapIsFound) {
  order(2, 10);
  Reader reader{rpc_, clock_, options()};
  fetch(reader);
  order(1, 9);  // began before, ended after: its time is behind the watermark
  EXPECT_THAT(ids(fetch(reader)), ElementsAre("1"));
  EXPECT_THAT(fetch(reader).messages, IsEmpty());
}

TEST_F(TrytonReaderTest, ALaterCommitThanThatIsFoundByTheSweep) {
  ReaderOptions some = options();
  some.sweep = Millis{1'000};
  order(2, 30);
  Reader reader{rpc_, clock_, some};
  fetch(reader);
  order(1, 3);
  EXPECT_THAT(fetch(reader).messages, IsEmpty());
  clock_.millis += 1'000;
  EXPECT_THAT(ids(fetch(reader)), ElementsAre("1", "2"));  // the inbox knows 2
  EXPECT_THAT(fetch(reader).messages, IsEmpty());
}

TEST_F(TrytonReaderTest, TheSweepTellsWhatWasDeleted) {
  ReaderOptions some = options();
  some.sweep = Millis{1'000};
  for (Id id = 1; id <= 3; ++id) order(id, 3);
  Reader reader{rpc_, clock_, some};
  fetch(reader);
  clock_.millis += 1'000;
  fetch(reader);  // all of them once more, and remembered
  erp_.remove("sale.sale", 2);
  clock_.millis += 1'000;
  const Page page = fetch(reader);
  ASSERT_FALSE(page.messages.empty());
  EXPECT_EQ(page.messages[0].id, "sale.sale,2");
  EXPECT_EQ(page.messages[0].version, "deleted");
  EXPECT_TRUE(is_true(*json_of(page.messages[0].body).find("deleted")));
  clock_.millis += 1'000;
  EXPECT_THAT(fetch(reader).messages, IsEmpty());
}

TEST_F(TrytonReaderTest, TheSweepGoesThroughAllBlocksALittleAtATime) {
  ReaderOptions some = options({"sale.sale", "party.party"});
  some.sweep = Millis{1'000};
  for (Id id = 150; id < 650; id += 50) order(id, 3);
  erp_.put("party.party", R"({"id":7,"name":"N","_timestamp":"1","create_date":)" + at(1) + "}");
  Reader reader{rpc_, clock_, some};
  while (fetch(reader, 4).more) {
  }
  clock_.millis += 1'000;
  std::set<std::string> all;
  for (int i = 0; i < 20; ++i) {
    const Page page = fetch(reader, 4);
    EXPECT_LE(page.messages.size(), 4U);
    for (const auto& message : page.messages) all.insert(message.id);
  }
  EXPECT_EQ(all.size(), 11U);
}

TEST_F(TrytonReaderTest, AChangedLineIsANewVersionOfItsOrder) {
  line(5, 1);
  order(1, 1, "[5]");
  Reader reader{rpc_, clock_, options()};
  fetch(reader);
  line(5, 2);
  erp_.set("sale.sale", 1, "lines.create_date", json_of(at(2)));  // what the ERP's search sees
  const Page page = fetch(reader);
  ASSERT_EQ(page.messages.size(), 1U);
  EXPECT_THAT(page.messages[0].version, testing::StartsWith("1/1/2-"));
}

TEST_F(TrytonReaderTest, PagesGoById) {
  for (Id id = 1; id <= 7; ++id) order(id, static_cast<int>(id));
  Reader reader{rpc_, clock_, options()};
  std::vector<std::string> all;
  for (Page page{.messages = {}, .position = {}, .more = true}; page.more;) {
    page = fetch(reader, 3);
    EXPECT_LE(page.messages.size(), 3U);
    for (const std::string& id : ids(page)) all.push_back(id);
  }
  EXPECT_THAT(all, ElementsAre("1", "2", "3", "4", "5", "6", "7"));
}

// The watermark of a long pass must not pass over what changed behind it meanwhile.
TEST_F(TrytonReaderTest, WhatChangesBehindALongPassIsFound) {
  for (Id id = 1; id <= 6; ++id) order(id, 1);
  Reader reader{rpc_, clock_, options()};
  EXPECT_THAT(ids(fetch(reader, 3)), ElementsAre("1", "2", "3"));
  order(2, 20);  // behind the page
  order(6, 40);  // before it, and much later
  std::vector<std::string> all;
  for (int i = 0; i < 6; ++i)
    for (const std::string& id : ids(fetch(reader, 3))) all.push_back(id);
  EXPECT_THAT(all, testing::IsSupersetOf({"2", "4", "5", "6"}));
}

TEST_F(TrytonReaderTest, OnlyDoneMovesOfTheLedger) {
  const auto move = [&](Id id, const char* state) {
    erp_.put("stock.move",
             fmt::format(R"({{"id":{},"state":"{}","_timestamp":"1","create_date":{}}})", id, state,
                         at(1)));
  };
  move(1, "draft");
  move(2, "done");
  Reader reader{rpc_, clock_, options({"stock.move"})};
  EXPECT_THAT(ids(fetch(reader)), ElementsAre("2"));
  move(1, "done");
  EXPECT_THAT(ids(fetch(reader)), ElementsAre("1"));
}

TEST_F(TrytonReaderTest, ABackfillReadsARangeWithTheSameVersions) {
  for (Id id = 1; id <= 5; ++id) order(id, static_cast<int>(id));
  Reader reader{rpc_, clock_, options()};
  const Page live = fetch(reader);
  auto page = reader.backfill({.type = "order", .from = "2", .to = "4"}, "", 2);
  ASSERT_TRUE(page);
  EXPECT_THAT(ids(*page), ElementsAre("2", "3"));
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->messages[0].version, live.messages[1].version);
  page = reader.backfill({.type = "order", .from = "2", .to = "4"}, page->position, 2);
  ASSERT_TRUE(page);
  EXPECT_THAT(ids(*page), ElementsAre("4"));
  EXPECT_FALSE(page->more);
  EXPECT_EQ(reader.backfill({.type = "order", .from = "2026-11-28", .to = "2026-11-29"}, "", 9)
                ->messages.size(),
            5U);
  EXPECT_FALSE(reader.backfill({.type = "order", .from = "x", .to = ""}, "", 9));
  EXPECT_FALSE(reader.backfill({.type = "nothing", .from = "", .to = ""}, "", 9));
}

TEST_F(TrytonReaderTest, ObservesWhatTheErpHolds) {
  for (Id id = 1; id <= 5; ++id) order(id, 1);
  ReaderOptions some = options();
  some.page_rows = 2;
  Reader reader{rpc_, clock_, some};
  std::vector<std::string> all;
  std::string after;
  do {
    const auto page = reader.observe("orders", after);
    ASSERT_TRUE(page);
    for (const auto& item : page->items) all.push_back(item.id);
    after = page->next;
  } while (!after.empty());
  EXPECT_EQ(all.size(), 5U);
  EXPECT_FALSE(reader.observe("nonsense", ""));
}

TEST_F(TrytonReaderTest, StockIsReadBinByBin) {
  erp_.put("stock.location", R"({"id":4,"type":"storage","code":"A-01","name":"Bin"})");
  erp_.put("stock.location", R"({"id":5,"type":"storage","code":null,"name":"Output Zone"})");
  erp_.on(
      "model.product.product.search_read",
      [](const json::Array&, const Value& context) -> std::string {
        if (text_at(context, "/locations/0") == "5") return "[]";
        return R"([{"id":9,"code":"BRASS-1","quantity":250.50000000000003,"default_uom.":{"symbol":"kg","digits":2}}])";
      });
  Reader reader{rpc_, clock_, options()};
  const auto page = reader.observe("stock", "");
  ASSERT_TRUE(page) << to_string(page.error());
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(json::to_text(page->items[0].document),
            R"({"item":"BRASS-1","location":"A-01","quantity":250.50,"unit":"kg"})");
}

TEST_F(TrytonReaderTest, AServerThatIsAwayIsUnavailable) {
  Reader reader{rpc_, clock_, options()};
  erp_.next(503, "");
  const auto page = reader.fetch("", 10);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace mainstay::adapters::tryton
