// Effects against a scripted ERP: that nothing is made twice whatever is lost, and that the steps
// follow from the ERP's state. What the real one makes of them: tests/system/integration/tryton.
#include "actors/adapters/tryton/effects.hpp"

#include "tests/actor/adapters/tryton/fake_tryton.hpp"

namespace mainstay::adapters::tryton {
namespace {

using integration::Effect;
using integration::Verdict;
using testing::HasSubstr;

class TrytonEffectsTest : public testing::Test {
 protected:
  TrytonEffectsTest() {
    erp_.put(
        "product.product",
        R"({"id":3,"code":"VALVE-1","default_uom":1,"default_uom.":{"id":1,"symbol":"u","digits":0}})");
    erp_.put("stock.location", R"({"id":4,"code":"A-01"})");
    erp_.put("stock.location", R"({"id":5,"code":"B-01"})");
    button("stock.shipment.internal", "wait", "waiting");
    button("stock.shipment.internal", "assign_try", "assigned", "true");
    button("stock.shipment.internal", "done", "done");
    erp_.on("model.stock.move.assign", [](const json::Array&, const Value&) { return "null"; });
  }

  void button(const std::string& model, const std::string& name, const std::string& state,
              const std::string& result = "null") {
    erp_.on("model." + model + "." + name,
            [this, model, state, result](const json::Array& given, const Value&) {
              for (const Value& id : given[0].items())
                erp_.set_unlocked(model, std::stoll(id.text()), "state", Value::string(state));
              return result;
            });
  }
  Effect effect(std::string type, std::string_view document) const {
    return {.key = "move/S-17",
            .type = std::move(type),
            .subject = "S-17",
            .document = json_of(document),
            .attempt = 1};
  }

  FakeTryton erp_;
  JsonRpc rpc_{erp_.options(), sys::system_clock()};
  Effects effects_{rpc_, {}};
  const Effect transfer_ = effect(
      "stock_move", R"({"item":"VALVE-1","from":"A-01","to":"B-01","quantity":"7","unit":"u"})");
};

TEST_F(TrytonEffectsTest, ATransferIsMadeOnceAndCarriesItsKey) {
  const auto first = effects_.apply(transfer_);
  EXPECT_EQ(first.verdict, Verdict::done) << first.detail;
  EXPECT_EQ(text_at(first.receipt, "/state"), "done");
  EXPECT_EQ(erp_.text("stock.shipment.internal", 1, "reference"), "HUB:move/S-17");
  EXPECT_EQ(effects_.apply(transfer_).verdict, Verdict::done);
  EXPECT_EQ(erp_.rows("stock.shipment.internal"), 1U);
}

TEST_F(TrytonEffectsTest, ALostAnswerIsUnknownAndTheRepeatGoesOn) {
  for (const char* step : {"create", "wait", "assign_try", "done"}) {
    erp_.lose_answer_to(std::string{"model.stock.shipment.internal."} + step);
    Effect one = transfer_;
    one.key = step;
    EXPECT_EQ(effects_.apply(one).verdict, Verdict::unknown) << step;
    const auto looked = effects_.lookup(one);
    ASSERT_TRUE(looked);
    EXPECT_EQ(looked->has_value(), std::string_view{step} == "done");
    EXPECT_EQ(effects_.apply(one).verdict, Verdict::done) << step;
  }
  EXPECT_EQ(erp_.rows("stock.shipment.internal"), 4U);
}

TEST_F(TrytonEffectsTest, TwoWithOneReferenceAreShownToPeople) {
  for (const char* id : {"1", "2"})
    erp_.put("stock.shipment.internal",
             std::string{R"({"id":)"} + id + R"(,"reference":"HUB:move/S-17","state":"done"})");
  const auto result = effects_.apply(transfer_);
  EXPECT_EQ(result.verdict, Verdict::refused);
  EXPECT_THAT(result.detail, HasSubstr("more than one"));
}

TEST_F(TrytonEffectsTest, WhatIsNotThereIsRefusedByName) {
  const auto refused = [&](std::string_view document) {
    Effect one = effect("stock_move", document);
    one.key = "other";
    const auto result = effects_.apply(one);
    EXPECT_EQ(result.verdict, Verdict::refused);
    return result.detail;
  };
  EXPECT_THAT(refused(R"({"item":"NONE","from":"A-01","to":"B-01","quantity":"7"})"),
              HasSubstr("NONE"));
  EXPECT_THAT(refused(R"({"item":"VALVE-1","from":"A-99","to":"B-01","quantity":"7"})"),
              HasSubstr("A-99"));
  EXPECT_THAT(refused(R"({"item":"VALVE-1","from":"A-01","to":"B-01","quantity":"0.5"})"),
              HasSubstr("more digits"));
  EXPECT_THAT(
      refused(R"({"item":"VALVE-1","from":"A-01","to":"B-01","quantity":"7","unit":"barrel"})"),
      HasSubstr("barrel"));
  EXPECT_EQ(effects_.apply(effect("dance", "{}")).verdict, Verdict::refused);
  EXPECT_EQ(erp_.rows("stock.shipment.internal"), 0U);
}

TEST_F(TrytonEffectsTest, ManyMovesArePostedInParts) {
  std::string lines;
  std::size_t posted = 0, largest = 0;
  for (int i = 0; i < 45; ++i)
    lines += (i == 0 ? "" : ",") + std::string{R"({"item":"VALVE-1","quantity":"1"})"};
  // The fake makes no rows of the created moves; it lists some.
  erp_.on("model.stock.shipment.internal.create", [this](const json::Array& given, const Value&) {
    Value row = given[0].items()[0];
    Ids moves;
    for (Id id = 1; id <= 45; ++id) moves.push_back(id);
    row.set("moves", ids(moves));
    row.set("id", integer(1));
    row.set("state", Value::string("draft"));
    erp_.put_unlocked("stock.shipment.internal", row);
    return "[1]";
  });
  erp_.on("model.stock.move.do", [&](const json::Array& given, const Value&) {
    posted += given[0].items().size();
    largest = std::max(largest, given[0].items().size());
    return "null";
  });
  const auto result = effects_.apply(
      effect("stock_move", R"({"from":"A-01","to":"B-01","lines":[)" + lines + "]}"));
  EXPECT_EQ(result.verdict, Verdict::done) << result.detail;
  EXPECT_EQ(posted, 45U);
  EXPECT_EQ(largest, 20U);
}

TEST_F(TrytonEffectsTest, AShipmentOfAnotherEffectIsNotTaken) {
  erp_.put("stock.shipment.out",
           R"({"id":1,"number":"9","reference":"HUB:other","state":"waiting","_timestamp":"1"})");
  const auto result = effects_.apply(effect("shipment", R"({"shipment":"9","lines":[]})"));
  EXPECT_EQ(result.verdict, Verdict::refused);
  EXPECT_THAT(result.detail, HasSubstr("HUB:other"));
}

TEST_F(TrytonEffectsTest, AReportThatIsPostedAlreadyDoesNothing) {
  erp_.put(
      "production",
      R"({"id":1,"number":"7","state":"running","product":3,"quantity":10.0,"uom.":{"digits":0},"outputs":[5,6]})");
  erp_.put(
      "stock.move",
      R"({"id":5,"state":"done","product":3,"product.":{"id":3},"quantity":4.0,"uom.":{"digits":0}})");
  erp_.put(
      "stock.move",
      R"({"id":6,"state":"draft","product":3,"product.":{"id":3},"quantity":6.0,"uom.":{"digits":0}})");
  const Effect report = effect("production_report", R"({"order":"7","good":"4"})");
  const auto result = effects_.apply(report);
  EXPECT_EQ(result.verdict, Verdict::done) << result.detail;
  EXPECT_EQ(text_at(result.receipt, "/posted"), "4");
  EXPECT_TRUE(effects_.lookup(report)->has_value());
  EXPECT_FALSE(
      effects_.lookup(effect("production_report", R"({"order":"7","good":"5"})"))->has_value());
  EXPECT_FALSE(
      effects_.lookup(effect("production_report", R"({"order":"7","good":"4","final":true})"))
          ->has_value());
}

TEST(TrytonAdapterSettings, SayWhatIsWrong) {
  const auto message = [](std::string_view settings) {
    integration::AdapterContext context;
    context.settings = json_of(settings);
    const auto made = make_tryton_adapter(context);
    return made ? std::string{"fine"} : made.error().message;
  };
  const std::string good = R"("url":"http://localhost:8000/erp/","user":"hub","password":"x")";
  EXPECT_EQ(message("{" + good + "}"), "fine");
  EXPECT_EQ(
      message(
          "{" + good +
          R"(,"models":["sale.sale","production"],"in":[{"model":"my.model","type":"mine","fields":["a"]}]})"),
      "fine");
  EXPECT_THAT(message("{" + good + R"(,"models":["sale"]})"), HasSubstr("settings.models"));
  EXPECT_THAT(message("{" + good + R"(,"overlap":"soon"})"), HasSubstr("settings.overlap"));
  EXPECT_THAT(message("{" + good + R"(,"colour":"red"})"), HasSubstr("settings.colour"));
  EXPECT_THAT(message(R"({"url":"x","user":"hub","password":"x"})"), HasSubstr("settings.url"));
  EXPECT_THAT(message(R"({"url":"http://localhost:8000/erp/","user":"hub"})"),
              HasSubstr("password_file"));
}

}  // namespace
}  // namespace mainstay::adapters::tryton
