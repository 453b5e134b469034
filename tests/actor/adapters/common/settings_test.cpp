#include "actors/adapters/common/settings.hpp"

#include <gtest/gtest.h>

namespace mainstay::adapters {
namespace {

json::Value json_of(std::string_view text) {
  return json::parse(text).value();
}

TEST(Settings, AreTakenWithTheirDefaults) {
  const json::Value table = json_of(
      R"({"name":"x","on":true,"many":7,"bytes":"2KiB","wait":"3s","list":["a"],"in":[{"k":"v"}]})");
  Settings settings{table};
  EXPECT_EQ(settings.required_text("name"), "x");
  EXPECT_TRUE(settings.boolean("on", false));
  EXPECT_EQ(settings.integer("many", 1, 1, 10), 7u);
  EXPECT_EQ(settings.size("bytes", "1KiB"), 2048u);
  EXPECT_EQ(settings.size("more_bytes", "1KiB"), 1024u);
  EXPECT_EQ(settings.duration("wait", "1s"), Millis{3000});
  EXPECT_EQ(settings.texts("list"), std::vector<std::string>{"a"});
  EXPECT_EQ(settings.choice("mode", "b", {"a", "b"}), "b");
  auto tables = settings.tables("in");
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0].text("k", ""), "v");
  EXPECT_TRUE(settings.done());
}

TEST(Settings, TellTheFullNameAndWhatIsExpected) {
  const json::Value table = json_of(R"({"in":[{"k":5}]})");
  Settings settings{table};
  settings.tables("in")[0].text("k", "");
  const auto done = settings.done();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::invalid_argument);
  EXPECT_EQ(done.error().message, "settings.in[0].k: expected a text, not number");
}

TEST(Settings, TellTheNearestNameOfAnUnknownOne) {
  const json::Value table = json_of(R"({"diretory":"x"})");
  Settings settings{table};
  settings.text("directory", "");
  settings.text("pattern", "");
  const auto done = settings.done();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "settings.diretory: there is no such setting; did you mean directory?");
}

TEST(Settings, WrongValuesAreRefused) {
  const json::Value table = json_of(R"({"n":11,"w":"soon","c":"z","t":[1]})");
  for (int i = 0; i < 5; ++i) {
    Settings settings{table};
    if (i == 0) settings.integer("n", 1, 1, 10);
    if (i == 1) settings.duration("w", "1s");
    if (i == 2) settings.choice("c", "a", {"a", "b"});
    if (i == 3) settings.texts("t");
    if (i == 4) settings.required_text("missing");
    const auto done = settings.done();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message.find("there is no such"), std::string::npos) << i;
  }
}

}  // namespace
}  // namespace mainstay::adapters
