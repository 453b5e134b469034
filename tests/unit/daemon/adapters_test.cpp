#include "runtime/daemon/adapters.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::daemon {
namespace {

using testing::HasSubstr;

class AdaptersTest : public testing::Test {
 protected:
  AdaptersTest() {
    std::string name = testing::TempDir() + "adapters-XXXXXX";
    directory = mkdtemp(name.data());
    write("m.json", R"({"mapping":"m","version":1,
      "records":[{"collection":"c","key":"/text","value":{"text":"/text"}}]})");
  }
  ~AdaptersTest() override { std::filesystem::remove_all(directory); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream{directory + "/" + name} << text;
  }
  std::string refusal() {
    const auto loaded = load_adapters(directory);
    return loaded ? "loaded" : loaded.error().message;
  }
  std::string line_printer(const std::string& settings = "in = \"i\"\nout = \"o\"\n") {
    return "kind = \"line-printer\"\nlibrary = \"" LINE_PRINTER "\"\n[settings]\n" + settings +
           "[source]\ntypes = {line = \"m.json\"}\n";
  }

  std::string directory;
};

TEST_F(AdaptersTest, NoDirectoryGivesNone) {
  const auto loaded = load_adapters("");
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->definitions.empty());
}

TEST_F(AdaptersTest, ADefinitionWithALibraryIsLoaded) {
  write("printer.toml", line_printer());
  const auto loaded = load_adapters(directory);
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_EQ(loaded->definitions.size(), 1u);
  EXPECT_EQ(loaded->definitions[0]->name, "printer");
  integration::AdapterContext context;
  context.settings = loaded->definitions[0]->settings;
  EXPECT_TRUE(loaded->kinds->make("line-printer", context));
}

TEST_F(AdaptersTest, MistakesAreNamedWithTheFile) {
  write("printer.toml", "kind = ");
  EXPECT_THAT(refusal(), HasSubstr("printer.toml:1"));
  write("printer.toml", "kind = \"none\"\n[source]\ntypes = {line = \"m.json\"}\n");
  EXPECT_THAT(refusal(), HasSubstr("there is no adapter kind 'none'; there are:"));
  write("printer.toml", line_printer(""));
  EXPECT_THAT(refusal(), HasSubstr("settings.in and settings.out"));
  write("printer.toml",
        "kind = \"x\"\nlibrary = \"/none.so\"\n[source]\ntypes = {l = \"m.json\"}\n");
  EXPECT_THAT(refusal(), HasSubstr("'/none.so' cannot be loaded"));
  EXPECT_THAT(load_adapters(directory + "/none").error().message, HasSubstr("cannot be read"));
}

TEST_F(AdaptersTest, ALibraryThatIsNoAdapterIsRefused) {
  write("x.toml",
        "kind = \"x\"\nlibrary = \"" NO_ADAPTER "\"\n[source]\ntypes = {l = \"m.json\"}\n");
  EXPECT_THAT(refusal(), HasSubstr("is no adapter"));
}

}  // namespace
}  // namespace mainstay::daemon
