#include "runtime/config/command_line.hpp"

#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "runtime/config/options.hpp"

namespace mainstay::config {
namespace {

using testing::HasSubstr;

Invocation run(const std::vector<std::string>& arguments, const Settings& environment = {}) {
  return parse_command_line(arguments, environment, "1.2.3");
}

// A file that is removed with the object.
class TempFile {
 public:
  explicit TempFile(const std::string& text)
      : name_{testing::TempDir() + "config_test_" + std::to_string(::getpid()) + ".toml"} {
    std::ofstream{name_} << text;
  }
  ~TempFile() { std::remove(name_.c_str()); }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

TEST(CommandLine, FlagsAndFileMakeAConfiguration) {
  const TempFile file{"[node]\nid = 3\n[http]\nthreads = 7\n"};
  const Invocation invocation =
      run({"--config", file.name(), "--api-listen", "0.0.0.0:80", "--http-threads=9"});
  ASSERT_TRUE(invocation.run) << invocation.output;
  EXPECT_EQ(invocation.loaded.config.node_id, 3U);
  EXPECT_EQ(invocation.loaded.config.http_threads, 9U);
  EXPECT_EQ(invocation.loaded.config.api_listen, "0.0.0.0:80");
}

TEST(CommandLine, TheFileCanBeNamedByTheEnvironment) {
  const TempFile file{"[node]\nid = 4\n"};
  const Invocation invocation = run({}, {{"MAINSTAY_CONFIG", file.name()}});
  ASSERT_TRUE(invocation.run) << invocation.output;
  EXPECT_EQ(invocation.loaded.config.node_id, 4U);
}

TEST(CommandLine, HelpNamesEveryOption) {
  const Invocation invocation = run({"--help"});
  EXPECT_FALSE(invocation.run);
  EXPECT_EQ(invocation.exit_code, 0);
  for (const Option& option : options())
    EXPECT_THAT(invocation.output, HasSubstr(flag_name(option.name))) << option.name;
}

TEST(CommandLine, VersionExampleAndCheckPrintAndEnd) {
  EXPECT_EQ(run({"--version"}).output, "1.2.3\n");
  EXPECT_EQ(run({"--example-config"}).output, example_file());
  const Invocation invocation = run({"--check-config", "--node-id", "1"}, {{"MAINSTAY_X", "1"}});
  EXPECT_FALSE(invocation.run);
  EXPECT_EQ(invocation.exit_code, 0);
  EXPECT_THAT(invocation.output, testing::AllOf(HasSubstr("MAINSTAY_X"), HasSubstr("is valid")));
}

TEST(CommandLine, MistakesEndWithTheUsageCode) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--no-such-flag"},
                                                    {"--node-id", "zero"},
                                                    {},
                                                    {"--node-id"},
                                                    {"--config", "/nonexistent/x.toml"},
                                                    {"--config", "/", "--node-id", "1"},
                                                    {"stray"}}) {
    const Invocation invocation = run(arguments);
    EXPECT_FALSE(invocation.run);
    EXPECT_EQ(invocation.exit_code, 2);
    EXPECT_FALSE(invocation.output.empty());
  }
  EXPECT_THAT(run({"--node-id", "0"}).output,
              HasSubstr("flag --node-id: node.id: is out of range"));
}

}  // namespace
}  // namespace mainstay::config
