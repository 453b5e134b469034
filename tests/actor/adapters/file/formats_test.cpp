#include "actors/adapters/file/formats.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace mainstay::adapters {
namespace {

json::Value json_of(std::string_view text) {
  return json::parse(text).value();
}

FileForm form_of(std::string_view settings) {
  const json::Value table = json_of(settings);
  Settings taken{table};
  FileForm form = take_form(taken);
  EXPECT_TRUE(taken.done()) << taken.done().error().message;
  return form;
}

std::string first_text(std::string_view content, const FileForm& form) {
  const auto parts = cut(std::string{content}, form);
  if (!parts) return "error: " + parts.error().message;
  if (parts->empty()) return "none";
  const auto document = read_part((*parts)[0].body, form);
  return document ? json::to_text(*document) : "error: " + document.error().message;
}

TEST(Csv, RecordsKeepQuotedLineBreaks) {
  FileForm form = form_of(R"({"format":"csv"})");
  form.whole = false;
  const auto parts = cut("no,text\r\n1,\"two\r\nlines, \"\"quoted\"\"\"\r\n\r\n2,x", form);
  ASSERT_TRUE(parts) << parts.error().message;
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ(json::to_text(read_part((*parts)[0].body, form).value()),
            R"({"no":"1","text":"two\r\nlines, \"quoted\""})");
  EXPECT_EQ((*parts)[1].number, 2u);
  EXPECT_EQ(json::to_text(read_part((*parts)[1].body, form).value()), R"({"no":"2","text":"x"})");
}

TEST(Csv, OtherDialects) {
  FileForm form =
      form_of(R"({"format":"csv","delimiter":";","quote":"'","header":false,"columns":["a","b"]})");
  form.whole = false;
  EXPECT_EQ(first_text("'1;2';3\n", form), R"({"a":"1;2","b":"3"})");
  form = form_of(R"({"format":"csv","delimiter":"tab","quote":"none"})");
  form.whole = false;
  EXPECT_EQ(first_text("a\tb\n\"x\ty\n", form), R"({"a":"\"x","b":"y"})");
}

TEST(Csv, RowsOfOneOrderAreOneMessage) {
  FileForm form = form_of(R"({"format":"csv","group_by":["no"]})");
  form.whole = false;
  const auto parts = cut("no,sku\nA,1\nA,2\nB,1\nA,3\n", form);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ((*parts)[1].number, 3u);
  EXPECT_EQ(json::to_text(read_part((*parts)[0].body, form).value()),
            R"({"rows":[{"no":"A","sku":"1"},{"no":"A","sku":"2"}]})");
}

TEST(Csv, WhatIsNoCsvIsSaid) {
  FileForm form = form_of(R"({"format":"csv"})");
  form.whole = false;
  EXPECT_EQ(first_text("a,b\n1,\"x\n", form), "error: line 2: a quoted field does not end");
  EXPECT_EQ(first_text("a\n\"x\"y\n", form),
            "error: line 2: expected a delimiter or the line's end behind a quoted field");
  EXPECT_EQ(first_text("a,b\n1\n", form), "error: row 1: a row has 1 fields, expected 2");
  EXPECT_EQ(first_text("a,a\n1,2\n", form), "error: the header has a name twice");
  EXPECT_EQ(first_text("", form), "error: the header is missing");
  EXPECT_EQ(first_text("a,b\n", form), "none");
}

RC_GTEST_PROP(Csv, WhatIsWrittenIsRead, ()) {
  FileForm form;
  form.format = FileFormat::csv;
  form.csv.columns = {"a", "b", "c"};
  const auto field =
      rc::gen::container<std::string>(rc::gen::elementOf(std::string{"ab,;\"\r\n '"}));
  json::Value document = json::Value::object();
  for (const std::string& column : form.csv.columns)
    document.set(column, json::Value::string(*field));
  const std::string text = write_file(document, form).value();
  form.whole = false;
  const auto parts = cut(text, form);
  RC_ASSERT(static_cast<bool>(parts));
  RC_ASSERT(parts->size() == 1u);
  RC_ASSERT(read_part((*parts)[0].body, form).value() == document);
}

TEST(Encodings, BecomeUtf8) {
  EXPECT_EQ(to_utf8("\xEF\xBB\xBFx", FileEncoding::utf8).value(), "x");
  EXPECT_EQ(to_utf8("M\xFCller", FileEncoding::latin1).value(), "Müller");
  EXPECT_EQ(to_utf8("5 \x80", FileEncoding::windows1252).value(), "5 €");
  EXPECT_EQ(to_utf8(std::string{"\xFF\xFE\xAC\x20", 4}, FileEncoding::utf16).value(), "€");
  EXPECT_EQ(to_utf8("M\xFCller", FileEncoding::utf8).error().message,
            "byte 1 is not utf-8: see the setting encoding");
  EXPECT_FALSE(to_utf8("\xED\xA0\x80", FileEncoding::utf8));
  EXPECT_FALSE(to_utf8("\xC0\xAF", FileEncoding::utf8));
}

TEST(Xml, FollowsTheConvention) {
  const FileForm form = form_of(R"({"format":"xml","arrays":["part"]})");
  const std::string text =
      R"(<order no="7"><customer>C1</customer><line><sku>A</sku></line>)"
      R"(<line>B<note/></line><part>p</part><!-- no --><t><![CDATA[a<b]]></t></order>)";
  const auto value = read_part(text, form);
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(json::to_text(*value),
            R"({"order":{"@no":"7","customer":"C1","line":[{"sku":"A"},{"note":"","#text":"B"}],)"
            R"("part":["p"],"t":"a<b"}})");
  const auto again = read_part(write_file(*value, form).value(), form);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *value);
}

TEST(Xml, RowsAreElements) {
  FileForm form = form_of(R"({"format":"xml","rows":"orders/order"})");
  form.whole = false;
  const auto parts =
      cut("<orders><order><n>1</n></order><x/><order><n>2</n></order></orders>", form);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ(json::to_text(read_part((*parts)[1].body, form).value()), R"({"order":{"n":"2"}})");
}

TEST(Xml, WhatIsNoXmlIsSaid) {
  const FileForm form = form_of(R"({"format":"xml"})");
  EXPECT_FALSE(read_part("<a><b></a>", form));
  EXPECT_FALSE(read_part("", form));
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<a>";
  for (int i = 0; i < 40; ++i) deep += "</a>";
  EXPECT_FALSE(read_part(deep, form));
  EXPECT_FALSE(write_file(json_of(R"({"a":{"b c":1}})"), form));
  EXPECT_FALSE(write_file(json_of("[1]"), form));
}

TEST(Json, ItemsOfAnArrayAreRows) {
  FileForm form = form_of(R"({"format":"json","rows":"/orders"})");
  form.whole = false;
  const auto parts = cut(R"({"orders":[{"n":1.50},{"n":2}]})", form);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].body, R"({"n":1.50})");
  EXPECT_FALSE(cut("{}", form));
}

TEST(Ndjson, LinesAreRows) {
  FileForm form = form_of(R"({"format":"ndjson","rows":"/rows"})");
  form.whole = false;
  const auto parts = cut("{\"n\":1}\r\n\n{\"n\":2}", form);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ(json::to_text(read_part((*parts)[1].body, form).value()), R"({"n":2})");
  EXPECT_EQ(write_file(json_of(R"({"rows":[1,2]})"), form).value(), "1\n2\n");
}

}  // namespace
}  // namespace mainstay::adapters
