#include "runtime/integration/fingerprint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/base/limits.hpp"

namespace mainstay::integration {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Compared compared(const Fingerprint& known, std::string_view document) {
  return compare(known, json::parse(document).value());
}

// After so many documents of the same shape.
Fingerprint known(std::string_view document, std::uint64_t times = limits::fingerprint_documents) {
  Fingerprint fingerprint;
  for (std::uint64_t i = 0; i < times; ++i) fingerprint = compared(fingerprint, document).next;
  return fingerprint;
}

constexpr const char* order = R"({"no":"1","note":null,"lines":[{"q":1,"p":2},{"q":2}]})";

TEST(Fingerprint, KnowsTheShape) {
  const Compared first = compared({}, order);
  EXPECT_EQ(first.drift, Drift::unchanged);
  EXPECT_EQ(
      json::to_text(first.next.to_json()),
      R"({"documents":1,"fields":{"":{"types":["object"],"always":true},)"
      R"("/lines":{"types":["array"],"always":true},"/lines/*":{"types":["object"],"always":true},)"
      R"("/lines/*/p":{"types":["number"],"always":false},)"
      R"("/lines/*/q":{"types":["number"],"always":true},)"
      R"("/no":{"types":["string"],"always":true},"/note":{"types":["null"],"always":true}}})");
  const Compared again = compared(known(order), order);
  EXPECT_EQ(again.drift, Drift::unchanged);
  EXPECT_EQ(again.next, known(order)) << "nothing to store";
}

TEST(Fingerprint, AnUnknownFieldGrows) {
  const Compared grown =
      compared(known(order), R"({"no":"1","note":"x","lines":[{"q":1,"c":true}]})");
  EXPECT_EQ(grown.drift, Drift::grew);
  EXPECT_THAT(grown.changes, ElementsAre("/lines/*/c: is new, of type boolean",
                                         "/note: is of type string for the first time"));
  EXPECT_FALSE(grown.next.fields().at("/lines/*/c").always) << "documents before were without it";
  EXPECT_EQ(compared(grown.next, R"({"no":"1","note":"x","lines":[{"q":1,"c":true}]})").drift,
            Drift::unchanged);
}

TEST(Fingerprint, AnotherTypeBreaks) {
  const Compared broken = compared(known(order), R"({"no":1,"note":null,"lines":[]})");
  EXPECT_EQ(broken.drift, Drift::breaking);
  EXPECT_THAT(broken.changes, ElementsAre("/no: is of type number, was string"));
  EXPECT_EQ(compared(broken.next, R"({"no":1,"note":null,"lines":[]})").drift, Drift::unchanged)
      << "once it is accepted";
  EXPECT_EQ(compared(known(order), R"({"no":null,"note":null,"lines":[]})").drift,
            Drift::unchanged);
}

TEST(Fingerprint, AMissingFieldBreaksOnceItWasAlwaysThere) {
  const Compared missing = compared(known(order), R"({"note":null,"lines":[{"q":1},{"p":1}]})");
  EXPECT_EQ(missing.drift, Drift::breaking);
  EXPECT_THAT(missing.changes, ElementsAre("/lines/*/q: is missing, and was always there",
                                           "/no: is missing, and was always there"));
  const Compared early = compared(known(order, 3), R"({"note":null,"lines":[]})");
  EXPECT_EQ(early.drift, Drift::unchanged);
  EXPECT_FALSE(early.next.fields().at("/no").always);
  EXPECT_THAT(early.changes, IsEmpty());
}

TEST(Fingerprint, IsBounded) {
  std::string wide = "{\"a\":1";
  for (int i = 0; i < 5000; ++i) wide += ",\"f" + std::to_string(i) + "\":1";
  EXPECT_EQ(compared({}, wide + "}").next.fields().size(), limits::fingerprint_fields_max);
  const Compared many = compared(known(R"({"a":1})"), wide + "}");
  EXPECT_EQ(many.drift, Drift::grew);
  EXPECT_EQ(many.changes.size(), limits::fingerprint_changes_max);
  EXPECT_LE(many.next.fields().size(), limits::fingerprint_fields_max);
}

TEST(Fingerprint, AMemberNamedLikeAnItemIsNone) {
  const Compared first = compared({}, R"({"a":{"*":1}})");
  EXPECT_EQ(first.next.fields().count("/a/*"), 0U);
  EXPECT_EQ(compared(first.next, R"({"a":[1]})").drift, Drift::breaking);
}

TEST(Fingerprint, IsReadAgain) {
  const Fingerprint one = known(order, 7);
  EXPECT_EQ(Fingerprint::parse(one.to_json()).value(), one);
  EXPECT_EQ(one.hash(), known(order, 8).hash());
  EXPECT_NE(one.hash(), known("{}").hash());
  for (const char* text :
       {"1", "{}", R"({"documents":"1","fields":{}})", R"({"documents":1,"fields":{"/a":{}}})",
        R"({"documents":-1,"fields":{}})"})
    EXPECT_FALSE(Fingerprint::parse(json::parse(text).value())) << text;
}

json::Value any_document(int depth) {
  const int kind = *rc::gen::inRange(0, depth == 0 ? 4 : 6);
  if (kind == 0) return json::Value::string("s");
  if (kind == 1) return json::Value::number("1");
  if (kind == 2) return json::Value::boolean(true);
  if (kind == 3) return {};
  json::Value value = kind == 4 ? json::Value::array() : json::Value::object();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    if (kind == 4)
      value.items().push_back(any_document(depth - 1));
    else
      value.set(std::string(1, *rc::gen::inRange('a', 'd')), any_document(depth - 1));
  }
  return value;
}

TEST(FingerprintProperties, WhatWasAcceptedIsKnown) {
  EXPECT_TRUE(rc::check([] {
    Fingerprint fingerprint;
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
      const json::Value document = any_document(3);
      const Compared once = compare(fingerprint, document);
      RC_ASSERT(compare(once.next, document).drift == Drift::unchanged);
      RC_ASSERT(teaches_nothing(fingerprint, document) ==
                (once.drift == Drift::unchanged && once.next == fingerprint));
      RC_ASSERT(teaches_nothing(once.next, document) ==
                (compare(once.next, document).next == once.next));
      RC_ASSERT(Fingerprint::parse(once.next.to_json()).value() == once.next);
      fingerprint = once.next;
    }
  }));
}

}  // namespace
}  // namespace mainstay::integration
