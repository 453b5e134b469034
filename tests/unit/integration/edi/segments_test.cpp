#include "runtime/integration/edi/segments.hpp"

#include <gtest/gtest.h>

#include "tests/unit/integration/edi/samples.hpp"

namespace mainstay::edi {
namespace {

TEST(EdiSegments, TakeTheirDelimitersFromIsa) {
  std::string text = order_850();
  for (char& c : text) c = c == '*' ? '|' : c == '~' ? '^' : c;
  const auto read = read_segments(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ((*read)[0].delimiters, (Delimiters{'|', '>', '\0', '\0', '^'}));
  EXPECT_EQ((*read)[0].all[3].tag, "BEG");
  EXPECT_EQ((*read)[0].all[3].text(3), "PO-1001");
}

TEST(EdiSegments, LineBreaksMayBeTheTerminator) {
  std::string text;
  for (const char c : order_850())
    if (c != '\n') text += c == '~' ? '\n' : c;
  const auto read = read_segments(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ((*read)[0].all.size(), 20u);
}

TEST(EdiSegments, RepetitionsComeWithVersion00402) {
  std::string text = isa("000000001", "00501");
  text[82] = '^';
  const auto read = read_segments(text + "REF*A^B>C*D~");
  ASSERT_TRUE(read) << read.error().message;
  const Segment& ref = (*read)[0].all[1];
  ASSERT_EQ(ref.elements[0].repeats.size(), 2u);
  EXPECT_EQ(ref.elements[0].repeats[1], (Components{"B", "C"}));
}

TEST(EdiSegments, EdifactReleasesCharacters) {
  const auto read = read_segments(orders_edifact());
  ASSERT_TRUE(read) << read.error().message;
  const Segment& text = (*read)[0].all[4];
  EXPECT_EQ(text.tag, "FTX");
  EXPECT_EQ(text.text(4), "Gate 3: ring twice's fine");
  EXPECT_EQ(place_of(text).substr(0, 15), "segment 5 (FTX)");
}

TEST(EdiSegments, UnaChangesThem) {
  const auto read = read_segments("UNA|#.! ~UNB#X|1~FTX#a!#b~");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ((*read)[0].all[1].text(1), "a#b");
}

TEST(EdiSegments, WrittenOnesAreRead) {
  Segment segment;
  segment.tag = "FTX";
  segment.elements = {Element{"a+b:c?'d"}, Element{}, Element{"x"}, Element{}};
  const Delimiters d = usual_delimiters(Standard::edifact);
  EXPECT_EQ(write_segment(segment, d).value(),
            "FTX+a?+b?:c?"
            "?"
            "?'d++x'");
}

TEST(EdiSegments, WhatX12CannotSayIsRefused) {
  Segment segment;
  segment.tag = "MSG";
  for (const char* text : {"a*b", "a~b", "a>b", "a\nb"}) {
    segment.elements = {Element{text}};
    EXPECT_FALSE(write_segment(segment, usual_delimiters(Standard::x12))) << text;
  }
}

TEST(EdiSegments, ErrorsSayWhere) {
  const auto told = [](const std::string& text) {
    const auto read = read_segments(text);
    return read ? std::string{"read"} : read.error().message;
  };
  EXPECT_EQ(told(""), "the text is empty: expected ISA or UNB");
  EXPECT_EQ(told("hello"), "expected ISA, UNA or UNB at byte 0");
  EXPECT_EQ(told("ISA*00*"), "an ISA segment has 106 bytes, and the text ends before at byte 0");
  EXPECT_EQ(told(isa("000000001") + "GS*PO"), "a segment does not end at byte 107");
  EXPECT_EQ(told(isa("000000001") + "*x~"), "expected the tag of a segment at byte 107");
  EXPECT_EQ(told("UNB+UNOC:3+A?"), "a segment does not end at byte 0");
}

}  // namespace
}  // namespace mainstay::edi
