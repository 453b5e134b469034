// import and export, and the formats they read and write.
#include "runtime/daemon/tool/csv.hpp"
#include "runtime/daemon/tool/import_source.hpp"
#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Csv, QuotesAndLineBreaks) {
  std::istringstream in{"a,\"b \"\"c\"\"\",\r\n\"two\nlines\",,x\nlast"};
  std::uint64_t bytes = 0, lines = 0;
  EXPECT_THAT(read_csv_row(in, bytes, lines).value().value(), ElementsAre("a", "b \"c\"", ""));
  EXPECT_THAT(read_csv_row(in, bytes, lines).value().value(), ElementsAre("two\nlines", "", "x"));
  EXPECT_EQ(lines, 3U);
  EXPECT_THAT(read_csv_row(in, bytes, lines).value().value(), ElementsAre("last"));
  EXPECT_FALSE(read_csv_row(in, bytes, lines).value());
  EXPECT_EQ(bytes, in.str().size());
  EXPECT_EQ(csv_line({"a", "b \"c\"", "d,e", "two\nlines", ""}),
            "a,\"b \"\"c\"\"\",\"d,e\",\"two\nlines\",\n");
  std::istringstream open{"\"never"};
  EXPECT_EQ(read_csv_row(open, bytes, lines).error().code, Errc::invalid_argument);
}

using ImportTest = ToolTest;

TEST_F(ImportTest, ARepetitionDoublesNothing) {
  const std::string file = write_file("a.ndjson", R"({"key":"A","value":{"n":1.50}}
{"key":"B","n":2}

{"key":"C","value":[3]}
)");
  EXPECT_EQ(ok({"import", "orders", file, "--batch", "2"}),
            "imported 3 into orders, 0 were there already, 0 refused\n");
  EXPECT_EQ(ok({"get", "orders", "A"}), "{\"n\":1.50}\n");
  EXPECT_EQ(ok({"get", "orders", "B"}), "{\"n\":2}\n") << "all but the key is the value";
  const auto writes = node_.backend.commands.size();
  const Ran again = tool({"import", "orders", file});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.err, HasSubstr("going on behind line 4"));
  EXPECT_EQ(node_.backend.commands.size(), writes) << "the position says that all is done";
  ok({"import", "orders", file, "--restart"});
  EXPECT_EQ(ok({"history", "orders", "A", "--json"}).find("\"version\":2"), std::string::npos)
      << "the same operation ids";
}

TEST_F(ImportTest, GoesOnWhereItWas) {
  const std::string file = write_file("a.ndjson", "{\"key\":\"A\",\"value\":1}\n");
  ok({"import", "orders", file});
  std::ofstream{file, std::ios::app} << "{\"key\":\"B\",\"value\":2}\n";
  const auto writes = node_.backend.commands.size();
  ok({"import", "orders", file});
  EXPECT_EQ(node_.backend.commands.size(), writes + 1);
  write_file("a.ndjson", "{\"key\":\"X\",\"value\":1}\n{\"key\":\"B\",\"value\":2}\n");
  EXPECT_EQ(tool({"import", "orders", file}).code, 4) << "another file of the same size";
  EXPECT_EQ(tool({"import", "c", file}).code, 4) << "another collection";
  EXPECT_EQ(ok({"import", "orders", file, "--restart", "--plan"}),
            "would write 2 records into orders\n");
}

TEST_F(ImportTest, RefusedLinesAreNamed) {
  ok({"collection", "declare", "strict", R"({"schema":{"type":"object","required":["n"]}})"});
  const std::string file =
      write_file("a.ndjson", "{\"key\":\"A\",\"n\":1}\n{\"key\":\"B\"}\n{\"key\":\"C\",\"n\":3}\n");
  const Ran stopped = tool({"import", "strict", file});
  EXPECT_EQ(stopped.code, 2);
  EXPECT_THAT(stopped.err, HasSubstr("line 2 (B): "));
  const Ran on = tool({"import", "strict", file, "--keep-going"});
  EXPECT_EQ(on.code, 4);
  EXPECT_THAT(on.out, HasSubstr("1 refused"));
  EXPECT_EQ(ok({"get", "strict", "C"}), "{\"n\":3}\n");
  EXPECT_EQ(tool({"import", "strict", write_file("b.ndjson", "not json\n")}).code, 2);
  EXPECT_EQ(tool({"import", "strict", path("none")}).code, 3);
}

TEST_F(ImportTest, CsvAndBack) {
  const std::string file =
      write_file("a.csv", "sku,name,qty\nA,\"one, two\",5\nB,three,\nC,four,0.50\n");
  ok({"import", "orders", file, "--key", "sku", "--as-json", "qty"});
  EXPECT_EQ(ok({"get", "orders", "A"}), "{\"name\":\"one, two\",\"qty\":5}\n");
  EXPECT_EQ(ok({"get", "orders", "B"}), "{\"name\":\"three\"}\n");
  EXPECT_EQ(ok({"export", "orders", "--format", "csv"}),
            "key,name,qty\nA,\"one, two\",5\nB,three,\nC,four,0.50\n");
  EXPECT_EQ(ok({"export", "orders", "--format", "csv", "--columns", "qty", "--prefix", "C"}),
            "key,qty\nC,0.50\n");
  EXPECT_EQ(tool({"import", "orders", write_file("b.csv", "a,b\n1\n"), "--key", "a"}).code, 2);
  EXPECT_EQ(tool({"import", "orders", write_file("c.csv", "a,b\n1,2\n")}).code, 2)
      << "no column key";
}

TEST_F(ImportTest, ALedgersEntries) {
  ok({"collection", "declare", "stock",
      R"({"kind":"ledger","ledger":{"dimensions":["item","location"]}})"});
  const std::string file = write_file(
      "a.ndjson",
      R"({"id":"1","quantity":"5","item":"A","from":{"location":"S"},"to":{"location":"R"}})"
      "\n");
  EXPECT_THAT(ok({"import", "stock", file}), HasSubstr("imported 1"));
  const std::string exported = ok({"export", "stock"});
  EXPECT_THAT(exported, HasSubstr("\"id\":\"1\""));
  // What was exported can be imported: the entries are there already.
  EXPECT_THAT(ok({"import", "stock", write_file("b.ndjson", exported)}),
              HasSubstr("1 were there already"));
}

TEST_F(ImportTest, AnExportGoesOnBehindItsLastWholeLine) {
  for (int i = 0; i < 5; ++i) ok({"put", "orders", "k" + std::to_string(i), std::to_string(i)});
  for (const std::string name : {"out.ndjson", "out.csv"}) {
    const std::string file = path(name);
    EXPECT_EQ(ok({"export", "orders", file}), "exported 5 records to " + file + "\n");
    const std::string whole = read_file(file);
    EXPECT_EQ(tool({"export", "orders", file}).code, 4) << "is not written over";
    write_file(name, whole.substr(0, whole.size() / 2));
    ok({"export", "orders", file, "--resume"});
    EXPECT_EQ(read_file(file), whole);
    ok({"export", "orders", file, "--replace"});
    EXPECT_EQ(read_file(file), whole);
  }
  EXPECT_EQ(ok({"export", "orders"}), read_file(path("out.ndjson")));
}

TEST(ImportPosition, ComesBack) {
  ImportPosition position;
  position.bytes = 10;
  position.lines = 3;
  position.items = 2;
  position.last = "ab";
  const auto read = parse_position(to_text(position, "c"), "c").value();
  EXPECT_EQ(read.bytes, 10U);
  EXPECT_EQ(read.last, "ab");
  EXPECT_EQ(parse_position(to_text(position, "c"), "d").error().code, Errc::conflict);
  EXPECT_EQ(parse_position("junk", "c").error().code, Errc::corrupt);
}

}  // namespace
}  // namespace mainstay::tool
