#include "actors/adapters/edi/edi_adapter.hpp"

#include <gmock/gmock.h>

#include "runtime/integration/edi/acknowledgement.hpp"
#include "tests/actor/adapters/adapter_fixture.hpp"
#include "tests/actor/adapters/kill_points.hpp"
#include "tests/unit/integration/edi/samples.hpp"

namespace mainstay::adapters {
namespace {

using integration::Effect;
using integration::Verdict;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view settings_text = R"({
  "arrival": "rename",
  "envelope": {"own_id": "WAREHOUSE", "own_qualifier": "12", "partner_id": "PARTNER"},
  "out": [{"type": "shipment", "set": "945"},
          {"type": "notice", "set": "856", "control": "/control"}]})";

class EdiAdapterTest : public FolderTest {
 protected:
  EdiAdapterTest() { adapter_ = make(); }
  std::unique_ptr<integration::Adapter> make(std::string_view settings = settings_text) const {
    auto made = make_edi_adapter(context(settings));
    EXPECT_TRUE(made) << to_string(made.error());
    return made ? std::move(*made) : nullptr;
  }
  static json::Value shipment() {
    return json_of(R"({"header":{"status":"F","order":"PO-1001","date":"20261128","shipment":"S-1"},
      "lots":[{"number":1,"items":[{"status":"CC","ordered":10,"shipped":10,"difference":0,
        "unit":"EA","qualifier":"VN","id":"ITEM-1"}]}],"totals":{"quantity":10}})");
  }
  std::unique_ptr<integration::Adapter> adapter_;
  Inbox inbox_;
};

TEST_F(EdiAdapterTest, TransactionsBecomeMessages) {
  write("in/a.edi", edi::order_850());
  const auto page = adapter_->fetch("", 10).value();
  ASSERT_THAT(page.messages, SizeIs(2));
  EXPECT_EQ(page.messages[0].id, "PARTNER/000000905/77/0001");
  EXPECT_EQ(page.messages[0].type, "850");
  EXPECT_EQ(page.messages[0].subject, "PO-1001");
  EXPECT_EQ(page.messages[0].content_type, "application/EDI-X12");
  const auto documents = adapter_->decode(page.messages[1]);
  ASSERT_TRUE(documents) << documents.error().message;
  EXPECT_EQ(json::to_text((*documents)[0]),
            R"({"envelope":{"standard":"x12","set":"850","version":"004010","sender_qualifier":)"
            R"("ZZ","sender":"PARTNER","receiver_qualifier":"12","receiver":"WAREHOUSE","date":)"
            R"("261128","time":"0715","interchange":"000000905","group":"77","group_id":"PO",)"
            R"("transaction":"0002","test":false},"header":{"purpose":"00","type":"SA","number":)"
            R"("PO-1002","date":"20261128"},"lines":[{"line":"1","quantity":"1","unit":"EA"}]})");
}

TEST_F(EdiAdapterTest, TheSameInterchangeUnderAnotherNameIsADuplicate) {
  write("in/a.edi", edi::order_850());
  inbox_.drain(*adapter_);
  write("in/b.edi", edi::order_850());
  inbox_.drain(*adapter_);
  EXPECT_EQ(inbox_.taken.size(), 2u);
  EXPECT_EQ(inbox_.duplicates, 2u);
}

TEST_F(EdiAdapterTest, EveryGroupIsAcknowledgedOnceItIsCommitted) {
  write("in/a.edi", edi::order_850());
  const auto page = adapter_->fetch("", 10).value();
  EXPECT_THAT(names("out"), IsEmpty());
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  ASSERT_THAT(names("out"), SizeIs(1));
  // The other side reads it as the receipt for what it sent.
  write("partner/in/997.edi", read("out/" + names("out")[0]));
  auto theirs = context(R"({"arrival":"rename"})");
  theirs.settings.set("directory", json::Value::string((root_ / "partner").string()));
  const auto partner = std::move(make_edi_adapter(theirs).value());
  const auto answer = partner->fetch("", 10).value();
  ASSERT_THAT(answer.messages, SizeIs(1));
  EXPECT_EQ(answer.messages[0].type, "997");
  EXPECT_EQ(answer.messages[0].subject, "77");
  const json::Value document = partner->decode(answer.messages[0]).value()[0];
  EXPECT_EQ(json::find(document, "/envelope/receiver")->text(), "PARTNER");
  EXPECT_EQ(json::find(document, "/group/control")->text(), "77");
  EXPECT_EQ(json::find(document, "/transactions/1/control")->text(), "0002");
  EXPECT_EQ(json::find(document, "/transactions/1/status/code")->text(), "A");
  // An acknowledgement is not acknowledged.
  ASSERT_TRUE(partner->acknowledge(answer.position));
  EXPECT_THAT(names("partner/out"), IsEmpty());
}

TEST_F(EdiAdapterTest, AFaultyTransactionIsALetterAndRejected) {
  std::string text = edi::order_850();
  text.replace(text.find("SE*12*"), 6, "SE*13*");
  write("in/a.edi", text);
  const auto page = adapter_->fetch("", 10).value();
  ASSERT_THAT(page.messages, SizeIs(2));
  const auto decoded = adapter_->decode(page.messages[0]);
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().message, HasSubstr("(SE) at byte"));
  EXPECT_THAT(decoded.error().message, HasSubstr("counts 13, there are 12"));
  EXPECT_TRUE(adapter_->decode(page.messages[1]));
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_THAT(read("out/" + names("out")[0]), HasSubstr("AK5*R*4~"));
}

TEST_F(EdiAdapterTest, WhatIsForSomebodyElseIsPutAside) {
  std::string text = edi::order_850();
  for (std::size_t at = text.find("WAREHOUSE"); at != std::string::npos;
       at = text.find("WAREHOUSE"))
    text.replace(at, 9, "ELSEWHERE");
  write("in/a.edi", text);
  write("in/b.edi", "no EDI at all");
  inbox_.drain(*adapter_);
  EXPECT_THAT(names("quarantine"), SizeIs(4));
  EXPECT_THAT(names("out"), IsEmpty());
  EXPECT_EQ(inbox_.taken.size(), 2u);
}

TEST_F(EdiAdapterTest, EdifactIsReadToo) {
  write("in/orders.edi", edi::orders_edifact());
  const auto page = adapter_->fetch("", 10).value();
  ASSERT_THAT(page.messages, SizeIs(1));
  EXPECT_EQ(page.messages[0].id, "PARTNER/42/1");
  EXPECT_EQ(page.messages[0].type, "ORDERS");
  EXPECT_EQ(page.messages[0].subject, "PO-77");
  EXPECT_TRUE(adapter_->decode(page.messages[0]));
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_THAT(names("out"), IsEmpty());
}

TEST_F(EdiAdapterTest, AnEffectIsAnInterchange) {
  const Effect effect{"shipment/S-1/1", "shipment", "S-1", shipment()};
  EXPECT_EQ(adapter_->lookup(effect).value(), std::nullopt);
  const auto done = adapter_->apply(effect);
  ASSERT_EQ(done.verdict, Verdict::done) << done.detail;
  EXPECT_EQ(names("out"), std::vector<std::string>{"shipment_S-1_1.edi"});
  const auto read_back = edi::read_interchanges(read("out/shipment_S-1_1.edi"));
  ASSERT_TRUE(read_back) << read_back.error().message;
  const edi::Interchange& one = read_back->at(0);
  EXPECT_EQ(one.sender, (edi::Party{"12", "WAREHOUSE"}));
  EXPECT_EQ(one.control, done.receipt.find("interchange")->text());
  EXPECT_EQ(one.groups[0].control, done.receipt.find("group")->text());
  EXPECT_EQ(one.groups[0].id, "SW");
  const json::Value receipt = *adapter_->lookup(effect).value();
  EXPECT_EQ(*receipt.find("interchange"), *done.receipt.find("interchange"));
  EXPECT_EQ(adapter_->apply(effect).verdict, Verdict::done);
}

TEST_F(EdiAdapterTest, ControlNumbersMayComeWithTheDocument) {
  json::Value document = json_of(R"({"control":17,"header":{"purpose":"00","number":"N",
    "date":"20261128","time":"0715"},"levels":[{"id":1,"level":"S"}]})");
  const auto done = adapter_->apply({"n/1", "notice", "n", document});
  ASSERT_EQ(done.verdict, Verdict::done) << done.detail;
  EXPECT_THAT(read("out/n_1.edi"), HasSubstr("IEA*1*000000017~"));
  document.set("control", json::Value::string("x"));
  EXPECT_EQ(adapter_->apply({"n/2", "notice", "n", document}).verdict, Verdict::refused);
}

TEST_F(EdiAdapterTest, WhatTheGuideDoesNotTakeIsRefused) {
  json::Value document = shipment();
  document.set("foo", json::Value::string("x"));
  const auto refused = adapter_->apply({"s", "shipment", "s", document});
  EXPECT_EQ(refused.verdict, Verdict::refused);
  EXPECT_EQ(refused.detail, "/foo has no place in 945");
  document = shipment();
  document.find("header")->set("order", json::Value::string("A*B"));
  EXPECT_THAT(adapter_->apply({"s", "shipment", "s", document}).detail, HasSubstr("delimiter"));
}

TEST_F(EdiAdapterTest, PartnersHaveGuidesOfTheirOwn) {
  write("partner.guide", "set x12 860 PC /header/number\nBCH! header purpose type number\n");
  auto with_guide = context(R"({"arrival":"rename","guides":["partner.guide"]})");
  with_guide.directory = root_.string();
  const auto adapter = std::move(make_edi_adapter(with_guide).value());
  write("in/a.edi", edi::isa("000000001") +
                        "GS*PC*PARTNER*WAREHOUSE*20261128*0715*1*X*004010~ST*860*0001~"
                        "BCH*01*SA*PO-1~SE*3*0001~GE*1*1~IEA*1*000000001~");
  const auto page = adapter->fetch("", 10).value();
  ASSERT_THAT(page.messages, SizeIs(1));
  EXPECT_EQ(page.messages[0].subject, "PO-1");
  EXPECT_TRUE(adapter->decode(page.messages[0]));
  EXPECT_FALSE(adapter_->decode(page.messages[0]));
}

TEST_F(EdiAdapterTest, AcknowledgeMayBeKilledAnywhere) {
  std::size_t points = 0;
  for (std::size_t point = 1;; ++point) {
    for (const char* directory : {"in", "out", "archive"})
      std::filesystem::remove_all(root_ / directory);
    write("in/a.edi", edi::order_850());
    write("in/b.edi", edi::orders_edifact());
    Inbox inbox;
    inbox.commit(make()->fetch("", 10).value());
    const std::string position = inbox.position;
    if (!run_killed_at(point, [&] { static_cast<void>(make()->acknowledge(position)); })) break;
    ++points;
    // Nothing is in the archive that was not acknowledged.
    if (!names("archive").empty()) {
      ASSERT_THAT(names("out"), SizeIs(1)) << "point " << point;
    }
    inbox.drain(*make());
    ASSERT_EQ(inbox.taken.size(), 3u) << "point " << point;
    ASSERT_EQ(inbox.duplicates, 0u);
    ASSERT_THAT(names("in"), IsEmpty());
    ASSERT_THAT(names("out"), SizeIs(1));
    ASSERT_TRUE(edi::read_interchanges(read("out/" + names("out")[0])));
  }
  EXPECT_GT(points, 20u);
  std::printf("killed at %zu points of acknowledge\n", points);
}

TEST_F(EdiAdapterTest, WrongSettingsAreTold) {
  const auto told = [this](std::string_view settings) {
    const auto made = make_edi_adapter(context(settings));
    return made ? std::string{"accepted"} : made.error().message;
  };
  EXPECT_THAT(told(R"({"out":[{"type":"a","set":"850"}]})"),
              HasSubstr("settings.out[0].set: needs [settings.envelope]"));
  EXPECT_THAT(
      told(R"({"envelope":{"own_id":"A","partner_id":"B"},"out":[{"type":"a","set":"123"}]})"),
      HasSubstr("there is no guide for it; expected one of 850 855"));
  EXPECT_THAT(told(R"({"envelope":{"own_id":"A","partner_id":"B","delimiters":"**"}})"),
              HasSubstr("settings.envelope.delimiters: expected five characters"));
  EXPECT_THAT(told(R"({"guides":["missing.guide"]})"), HasSubstr("settings.guides: missing.guide"));
  EXPECT_THAT(told(R"({"acknowlege":false})"), HasSubstr("did you mean acknowledge?"));
}

TEST_F(EdiAdapterTest, TheExamplesAreGood) {
  for (const char* file : {"edi/partner.toml", "edi/partner-sftp.toml"}) {
    integration::AdapterContext example;
    example.settings = example_settings(file);
    const auto made = make_edi_adapter(example);
    EXPECT_TRUE(made) << to_string(made.error());
  }
}

}  // namespace
}  // namespace mainstay::adapters
