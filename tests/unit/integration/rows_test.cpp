#include "runtime/integration/rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::integration {
namespace {

TEST(RowsTest, RowsComeBackAsTheyWere) {
  const PlacementRow placement{"erp", 2, "boot", 7, true, 3, "2026-01-02T03:04:05.678Z"};
  EXPECT_EQ(placement_row(to_value(placement)).value(), placement);
  const NodeRow node{2, "boot", true, {{"erp", "file", "abc"}}};
  EXPECT_EQ(node_row(to_value(node)).value(), node);
  EffectRow effect;
  effect.adapter = "erp";
  effect.key = "k";
  effect.type = "t";
  effect.state = EffectState::unknown;
  effect.attempt = 3;
  effect.document = json::parse(R"({"a":1.50})").value();
  effect.source_version = 9;
  EXPECT_EQ(json::to_text(to_value(effect_row(to_value(effect)).value())),
            json::to_text(to_value(effect)));
}

TEST(RowsTest, OnlyOpenRowsAreMarkedSo) {
  EffectRow effect;
  effect.adapter = "erp";
  for (const auto state : {EffectState::intent, EffectState::sent, EffectState::unknown}) {
    effect.state = state;
    EXPECT_NE(to_value(effect).find("open"), nullptr);
  }
  for (const auto state : {EffectState::acknowledged, EffectState::refused, EffectState::parked}) {
    effect.state = state;
    EXPECT_EQ(to_value(effect).find("open"), nullptr);
  }
}

TEST(RowsTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(effect_row(json::parse(R"({"adapter":"a"})").value()).error().message,
              testing::HasSubstr("'key'"));
  EXPECT_FALSE(placement_row(json::Value::string("x")));
}

TEST(RowsTest, TimesComeBackAsTheyWere) {
  for (const char* text :
       {"2026-11-28T06:04:05.678Z", "1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z"})
    EXPECT_EQ(time_text(time_of(text).value()), text);
  for (const char* text :
       {"", "2026-13-01T00:00:00.000Z", "2026-11-28 06:04:05.678Z!", "2023-02-29T00:00:00.000Z"})
    EXPECT_FALSE(time_of(text)) << text;
}

}  // namespace
}  // namespace mainstay::integration
