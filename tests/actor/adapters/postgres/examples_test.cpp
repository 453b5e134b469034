// The mappings that ship as examples, run over the documents of the guides.
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "runtime/integration/mapping.hpp"

namespace mainstay::adapters {
namespace {

integration::Mapped mapped(const std::string& name, std::string_view document) {
  std::ifstream file{"config/examples/adapters/" + name};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto mapping = integration::Mapping::parse(json::parse(text).value());
  EXPECT_TRUE(mapping) << name << ": " << mapping.error().message;
  if (!mapping) return {};
  auto result = (*mapping)->apply(json::parse(document).value(),
                                  {"wms", "M", "1.abc", "2026-11-28T09:00:00Z"});
  EXPECT_TRUE(result) << name << ": " << result.error().message;
  if (!result) return {};
  EXPECT_TRUE(result->unmapped.empty()) << name << ": " << result->unmapped.front();
  return *result;
}

TEST(Examples, AMoveIsAPosting) {
  const auto result =
      mapped("postgres/wms_move.json",
             R"({"move":"M-17","item":"BOLT-8","lot":"L1","from":"A-01","to":"CUSTOMER",)"
             R"("quantity":"12.000","unit":"C62","reason":"ship","order":"SO-1","line":1,)"
             R"("shipment":"S-17","time":"2026-11-28T09:00:00Z"})");
  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_EQ(result.records[0].operation, integration::MappedRecord::Operation::post);
  EXPECT_EQ(result.records[0].key, "wms/M-17");
  EXPECT_EQ(result.records[0].value.find("quantity")->text(), "12.000000");
}

TEST(Examples, AShipmentGoesThroughItsStates) {
  const auto result = mapped(
      "postgres/wms_shipment.json",
      R"({"shipment":"S-17","order":"SO-1","state":"shipped","time":"2026-11-28T09:00:00Z",)"
      R"("lines":[{"line":1,"item":"BOLT-8","lot":"L1","quantity":"12.000","unit":"C62"}]})");
  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_EQ(result.records[0].sequence, "6");
  EXPECT_EQ(json::find(result.records[0].value, "/lines/0/shipped")->text(), "12.000");
}

TEST(Examples, ReceiptsCountsAndLevelsAreRecords) {
  EXPECT_EQ(mapped("postgres/wms_receipt.json",
                   R"({"receipt":"R-1","order":"PO-1","state":"received",)"
                   R"("time":"2026-11-28T09:00:00Z","lines":[{"line":1,"item":"A",)"
                   R"("quantity":"5","unit":"C62"}]})")
                .records.size(),
            1u);
  EXPECT_EQ(mapped("postgres/wms_count.json",
                   R"({"count":"C-9","item":"A","lot":"L1","location":"A-01","quantity":"88.000",)"
                   R"("unit":"C62","after_move":"M-17","time":"2026-11-28T09:00:00Z"})")
                .records.size(),
            1u);
  const auto level =
      mapped("postgres/wms_level.json", R"({"id":"A//R1","item":"A","lot":"","location":"R1",)"
                                        R"("quantity":"3.5","unit":"C62"})");
  EXPECT_EQ(level.records.at(0).value.find("lot")->text(), "-");
}

TEST(Examples, OrdersBecomeWorkOfTheWarehouse) {
  const auto order = [](const char* status) {
    return std::string{R"({"order":"SO-1","status":")"} + status +
           R"(","customer":"C","lines":[{"line":"1","item":"A","quantity":"5","unit":"C62"}],)"
           R"("_record":{"version":4,"removed":false}})";
  };
  std::ifstream file{"config/examples/adapters/postgres/wms_order.json"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto mapping = integration::Mapping::parse(json::parse(text).value());
  ASSERT_TRUE(mapping) << mapping.error().message;
  const auto effects = [&mapping, &order](const char* status) {
    return (*mapping)->apply(json::parse(order(status)).value(), {}).value().effects;
  };
  ASSERT_EQ(effects("confirmed").size(), 1u);
  EXPECT_EQ(effects("confirmed")[0].key, "order/SO-1/4");
  EXPECT_EQ(effects("confirmed")[0].subject, "SO-1");
  EXPECT_EQ(effects("cancelled").at(0).type, "order_change");
  EXPECT_TRUE(effects("draft").empty());
}

TEST(Examples, CountersReportsAndResultsAreRecords) {
  const auto counters =
      mapped("mqtt/mes_production.json",
             R"({"device":"p/e/d","session":"3@1000","time_ms":1764320400000,"good":7,"scrap":1,)"
             R"("order":"M-1"})");
  ASSERT_EQ(counters.records.size(), 1u);
  EXPECT_EQ(counters.records[0].sequence, "8");
  EXPECT_EQ(counters.records[0].value.find("time")->text(), "2025-11-28T09:00:00.000Z");
  EXPECT_EQ(mapped("mqtt/mes_report.json",
                   R"({"id":"R-1","order":"M-1","good":"5","scrap":"0","consumed":[{"item":"A",)"
                   R"("quantity":"2.5","unit":"KGM"}],"time":"2026-11-28T09:00:00Z"})")
                .records.size(),
            1u);
  EXPECT_EQ(mapped("mqtt/mes_quality.json",
                   R"({"id":"Q-1","lot":"L1","item":"A","characteristic":"length","run":1,)"
                   R"("value":"20.02","unit":"MMT","verdict":"passed",)"
                   R"("time":"2026-11-28T09:00:00Z"})")
                .records.size(),
            1u);
  EXPECT_EQ(
      mapped("mqtt/mes_equipment.json", R"({"device":"p/e/d","session":"3@1000","state":"offline",)"
                                        R"("time_ms":1764320400000})")
          .records.size(),
      1u);
}

TEST(Examples, ProductionOrdersBecomeJobs) {
  std::ifstream file{"config/examples/adapters/mqtt/mes_job.json"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto mapping = integration::Mapping::parse(json::parse(text).value());
  ASSERT_TRUE(mapping) << mapping.error().message;
  const auto result = (*mapping)->apply(
      json::parse(R"({"order":"M-1","status":"firm","item":"A","quantity":"10","unit":"EA",)"
                  R"("_record":{"version":2,"removed":false}})")
          .value(),
      {});
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->effects.size(), 1u);
  EXPECT_EQ(result->effects[0].key, "job/M-1/2");
  EXPECT_EQ(result->effects[0].document.find("command")->text(), "start");
  EXPECT_EQ(result->effects[0].document.find("line")->text(), "main");
}

}  // namespace
}  // namespace mainstay::adapters
