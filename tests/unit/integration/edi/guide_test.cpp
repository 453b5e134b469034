#include "runtime/integration/edi/guide.hpp"

#include <gtest/gtest.h>

#include "runtime/integration/edi/acknowledgement.hpp"
#include "runtime/integration/edi/envelope.hpp"
#include "tests/unit/integration/edi/random_documents.hpp"
#include "tests/unit/integration/edi/samples.hpp"

namespace mainstay::edi {
namespace {

const Guide& guide_of(Standard standard, std::string_view set) {
  const Guide* guide = find_guide(usual_guides(), standard, set);
  EXPECT_NE(guide, nullptr) << set;
  return *guide;
}

std::string document_of(const std::string& text, const std::string& set) {
  const auto read = read_interchanges(text).value();
  const auto document =
      read_document(guide_of(read[0].standard, set), read[0].groups[0].transactions[0].segments);
  return document ? json::to_text(*document) : document.error().message;
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(EdiGuide, AnOrderOfX12) {
  EXPECT_EQ(
      document_of(order_850(), "850"),
      R"({"header":{"purpose":"00","type":"SA","number":"PO-1001","date":"20261128"},)"
      R"("references":[{"qualifier":"DP","value":"099"}],)"
      R"("dates":[{"qualifier":"002","date":"20261201"}],)"
      R"("parties":[{"entity":"ST","name":"Shop 7","qualifier":"92","id":"0007",)"
      R"("streets":[{"street":"1 Main Street"}],)"
      R"("place":{"city":"Springfield","state":"IL","postal_code":"62701","country":"US"}}],)"
      R"("lines":[{"line":"1","quantity":"10","unit":"EA","price":"9.90","price_basis":"PE",)"
      R"("ids":[{"qualifier":"VP","value":"ITEM-1"},{"qualifier":"UP","value":"012345678905"}],)"
      R"("descriptions":[{"type":"F","text":"A red one"}]},)"
      R"({"line":"2","quantity":"3","unit":"CA","price":".5",)"
      R"("ids":[{"qualifier":"VP","value":"ITEM-2"}]}],"totals":{"lines":"2"}})");
}

TEST(EdiGuide, AnOrderOfEdifact) {
  EXPECT_EQ(document_of(orders_edifact(), "ORDERS"),
            R"({"header":{"type":"220","number":"PO-77","purpose":"9"},)"
            R"("dates":[{"qualifier":"137","value":"20261128","format":"102"}],)"
            R"("texts":[{"qualifier":"DEL","text":{"line1":"Gate 3: ring twice's fine"}}],)"
            R"("parties":[{"qualifier":"BY","id":"5412345000013","id_agency":"9"},)"
            R"({"qualifier":"DP","id":"5412345000020","id_agency":"9"}],)"
            R"("lines":[{"line":"1","item":{"id":"4000862141404","type":"EN"},)"
            R"("quantities":[{"qualifier":"21","quantity":"48","unit":"PCE"}],)"
            R"("prices":[{"qualifier":"AAA","price":"1.25"}]},)"
            R"({"line":"2","item":{"id":"4000862141411","type":"EN"},)"
            R"("quantities":[{"qualifier":"21","quantity":"12"}]}],)"
            R"("summary":{"section":"S","counts":[{"qualifier":"2","value":"2"}]}})");
}

TEST(EdiGuide, WhatGoesBeyondItIsKept) {
  const std::string text =
      with(with(order_850(), "REF*DP*099~", "REF*DP*099*a*b>c*d~\nZZ9*x~"), "SE*12*", "SE*13*");
  const std::string document = document_of(text, "850");
  EXPECT_NE(document.find(R"("element_4":{"components":["b","c"]},"element_5":"d")"),
            std::string::npos)
      << document;
  EXPECT_NE(document.find(R"("unexpected":[{"segment":"ZZ9","elements":["x"]}])"),
            std::string::npos)
      << document;
}

TEST(EdiGuide, ErrorsSayTheSegment) {
  EXPECT_EQ(document_of(with(order_850(), "BEG*00*SA*PO-1001", "BEG*00*SA*"), "850"),
            "segment 4 (BEG) at byte 171: element 3 (number) is missing");
  EXPECT_EQ(document_of(with(order_850(), "CTT*2~", "CTT*2~CTT*2~"), "850"),
            "segment 14 (CTT) at byte 397: comes more than once");
  EXPECT_EQ(document_of(with(order_850(), "BEG*00*SA*PO-1001**20261128~\n", ""), "850"),
            "the segment BEG is missing");
}

TEST(EdiGuide, WritingSaysWhatHasNoPlace) {
  const Guide& guide = guide_of(Standard::x12, "850");
  const auto told = [&guide](std::string_view text) {
    const auto written = write_document(guide, json::parse(text).value());
    return written ? std::string{"written"} : written.error().message;
  };
  const std::string header =
      R"("header":{"purpose":"00","type":"SA","number":"1","date":"20260101"})";
  EXPECT_EQ(told("{" + header + R"(,"lines":[{"line":1,"quantity":2.50}]})"), "written");
  EXPECT_EQ(told("{" + header + R"(,"lines":[{}]})"), "/lines/0 is empty: the segment PO1");
  EXPECT_EQ(told("{" + header + "}"), "/lines is missing: the segment PO1");
  EXPECT_EQ(told("{" + header + R"(,"lines":[{"quantty":1}]})"),
            "/lines/0/quantty has no place in PO1");
  EXPECT_EQ(told("{" + header + R"(,"foo":1,"lines":[{"line":1}]})"), "/foo has no place in 850");
  EXPECT_EQ(told("{" + header + R"(,"lines":[{"line":{"a":1}}]})"),
            "/lines/0/line: expected a text or a number");
  EXPECT_EQ(told("{" + header + R"(,"lines":[{"ids":[{"value":"x","valu":"y"}]}]})"),
            "/lines/0/ids/valu has no place there");
  EXPECT_EQ(told(R"({"header":{"purpose":"00"},"lines":[{"line":1}]})"),
            "/header/type is missing in BEG");
  EXPECT_EQ(told("{" + header + R"(,"totals":[{"lines":1}],"lines":[{"line":1}]})"),
            "/totals: CTT can come only once");
}

TEST(EdiGuide, EveryDocumentThatIsWrittenIsReadAgain) {
  SeededRandom random{7};
  std::size_t count = 0;
  for (const Guide& guide : usual_guides()) {
    const bool x12 = guide.standard == Standard::x12;
    RandomDocuments documents{random, x12 ? "abcXYZ019 .,-_'" : "abcXYZ019 .,-_'+:?"};
    Envelope envelope;
    envelope.standard = guide.standard;
    envelope.delimiters = usual_delimiters(guide.standard);
    envelope.sender = {"ZZ", "US"};
    envelope.receiver = {"ZZ", "THEM"};
    envelope.date = "20261128";
    envelope.time = "0715";
    envelope.control = "7";
    if (!x12) envelope.version = "D:96A:UN";
    for (int i = 0; i < 300; ++i, ++count) {
      const json::Value document = documents.document(guide);
      const auto segments = write_document(guide, document);
      ASSERT_TRUE(segments) << segments.error().message << json::to_text(document);
      const auto text = write_interchange(envelope, guide.set, guide.group, *segments);
      ASSERT_TRUE(text) << text.error().message;
      const auto read = read_interchanges(*text);
      ASSERT_TRUE(read) << read.error().message << *text;
      const Transaction& transaction = read->at(0).groups.at(0).transactions.at(0);
      ASSERT_EQ(transaction.fault.message, "");
      const auto again = read_document(guide, transaction.segments);
      ASSERT_TRUE(again) << again.error().message << *text;
      ASSERT_EQ(*again, document) << *text << json::to_text(*again) << "\n"
                                  << json::to_text(document);
    }
  }
  std::printf("%zu documents of %zu guides written and read\n", count, usual_guides().size());
}

TEST(EdiGuide, TextsOfGuidesAreChecked) {
  const auto told = [](std::string_view text) {
    const auto guides = parse_guides(text);
    return guides ? std::string{"good"} : guides.error().message;
  };
  EXPECT_EQ(told("set x12 860 PC /header/number\nBCH! header a! b\n  REF* refs (a,b) [c]\n"),
            "line 3: '[c]' is no name of an element");
  EXPECT_EQ(told("set x12 860 PC /header/number\nBCH! header a! b\n  REF* refs (a,b)\n"), "good");
  EXPECT_EQ(told("BCH! header"),
            "line 1: expected: set x12|edifact <set> <group or -> <pointer to the number>");
  EXPECT_EQ(told("set x12 860 PC /n\nBCH header"),
            "line 2: expected a tag with !, ?, * or + behind it, not BCH");
  EXPECT_EQ(told("set x12 860 PC /n\nBCH! a b b"), "line 2: the name 'b' is taken");
  EXPECT_EQ(told("set x12 860 PC /n\nBCH! a b\n    REF! c"),
            "line 3: is indented more than one step");
  EXPECT_EQ(told("set x12 860 PC /n\nBCH! a b[c,d] e"), "line 2: [...] must be the last element");
}

}  // namespace
}  // namespace mainstay::edi
