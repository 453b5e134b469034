// The mappings that ship as examples, over documents as the adapter makes them.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/integration/mapping.hpp"

namespace mainstay::adapters::tryton {
namespace {

std::shared_ptr<const integration::Mapping> mapping_of(const std::filesystem::path& path) {
  std::ifstream file{path};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto mapping = integration::Mapping::parse(json::parse(text).value());
  EXPECT_TRUE(mapping) << path << ": " << mapping.error().message;
  return mapping ? *mapping : nullptr;
}

integration::Mapped mapped(const std::string& name, std::string_view document) {
  const auto mapping = mapping_of("config/examples/adapters/tryton/" + name);
  auto result = mapping->apply(json::parse(document).value(),
                               {"erp", "sale.sale,7", "1/2/3", "2026-11-28T09:00:00Z"});
  EXPECT_TRUE(result) << name << ": " << result.error().message;
  return result ? *result : integration::Mapped{};
}

std::string at(const json::Value& value, std::string_view pointer) {
  const json::Value* found = json::find(value, pointer);
  return found == nullptr ? "nothing" : json::to_text(*found);
}

TEST(TrytonExamples, AllOfThemAreMappings) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"config/examples/adapters/tryton"})
    if (entry.path().extension() == ".json") count += mapping_of(entry.path()) != nullptr ? 1 : 0;
  EXPECT_EQ(count, 14U);
}

TEST(TrytonExamples, AnOrderKeepsItsDigits) {
  const auto result = mapped("erp_order.json",
                             R"({"id":7,"number":"12","state":"processing","party":{"code":"3"},
      "currency":{"code":"EUR"},"sale_date":"2026-11-28","total_amount":690.00,
      "modified":"2026-11-28T06:37:00.000000Z","lines":[{"id":70,"type":"line",
      "product":{"code":"VALVE-1"},"quantity":10,"unit":{"symbol":"u"},"unit_price":45.0000,
      "amount":450.00},{"id":71,"type":"comment"}]})");
  ASSERT_EQ(result.records.size(), 1U);
  EXPECT_EQ(result.records[0].key, "erp/12");
  EXPECT_EQ(result.records[0].sequence, "2026-11-28T06:37:00.000000Z");
  EXPECT_EQ(at(result.records[0].value, "/status"), R"("released")");
  EXPECT_EQ(at(result.records[0].value, "/total"), R"("690.00")");
  EXPECT_EQ(at(result.records[0].value, "/lines/0/unit"), R"("C62")");
  EXPECT_EQ(at(result.records[0].value, "/lines/1"), "nothing");
  EXPECT_TRUE(mapped("erp_order.json", R"({"id":7,"deleted":true})").records.empty());
}

TEST(TrytonExamples, AMoveIsAPosting) {
  const auto result = mapped("erp_stock_move.json",
                             R"({"id":9,"state":"done","product":{"code":"BRASS-1","default_uom":
      {"symbol":"kg"}},"lot":null,"quantity":250.5,"internal_quantity":250.50,"uom":{"symbol":"kg"},
      "from_location":{"code":null,"name":"Supplier","type":"supplier"},"effective_date":
      "2026-11-28","to_location":{"code":"B-01","name":"Bin","type":"storage"}})");
  ASSERT_EQ(result.records.size(), 1U);
  EXPECT_EQ(result.records[0].operation, integration::MappedRecord::Operation::post);
  EXPECT_EQ(at(result.records[0].value, "/quantity"), R"("250.500000")");
  EXPECT_EQ(at(result.records[0].value, "/from/location"), R"("Supplier")");
  EXPECT_EQ(at(result.records[0].value, "/data/reason"), R"("receipt")");
  EXPECT_EQ(at(result.records[0].value, "/lot"), R"("-")");
}

TEST(TrytonExamples, WhatTheWarehouseShippedGoesToTheErpOnce) {
  const auto shipped = [](const char* system) {
    return mapped("erp_shipped.json",
                  std::string{R"({"shipment":"S-17","order":"12","status":"shipped","origin":
      {"system":")"} + system +
                      R"("},"lines":[{"item":"VALVE-1","unit":"C62","shipped":"8",
      "location":"A-02"},{"item":"PUMP-1","unit":"C62","shipped":"0"}],
      "_record":{"version":3,"removed":false}})");
  };
  const auto result = shipped("wms");
  ASSERT_EQ(result.effects.size(), 1U);
  EXPECT_EQ(result.effects[0].key, "shipment/S-17");
  EXPECT_EQ(
      json::to_text(result.effects[0].document),
      R"({"order":"12","lines":[{"item":"VALVE-1","location":"A-02","quantity":"8","unit":"u"}]})");
  EXPECT_TRUE(shipped("erp").effects.empty());  // its own
}

TEST(TrytonExamples, ProductionIsReportedAsASum) {
  const auto result = mapped("erp_produced.json",
                             R"({"order":"7","good":"3","status":"running",
      "_record":{"version":3,"removed":false}})");
  ASSERT_EQ(result.effects.size(), 1U);
  EXPECT_EQ(json::to_text(result.effects[0].document), R"({"order":"7","good":"3","final":false})");
}

}  // namespace
}  // namespace mainstay::adapters::tryton
