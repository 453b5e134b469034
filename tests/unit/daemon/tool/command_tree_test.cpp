// Completions are run by the shell they are for; the reference is compared with docs/tool.md.
#include "runtime/daemon/tool/command_tree.hpp"

#include <cstdio>
#include <memory>

#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
namespace {

using testing::HasSubstr;
using testing::Not;

using CompletionTest = ToolTest;

// What bash offers behind these words; the last one is being typed.
std::string offered(const std::string& script, const std::vector<std::string>& words) {
  std::string command = "bash -c 'source " + script + "; COMP_WORDS=(";
  for (const std::string& word : words) command += "\"" + word + "\" ";
  command += "); COMP_CWORD=" + std::to_string(words.size() - 1) +
             "; _mainstay; echo \"${COMPREPLY[@]}\"'";
  const auto close = [](std::FILE* pipe) { ::pclose(pipe); };
  const std::unique_ptr<std::FILE, decltype(close)> pipe{::popen(command.c_str(), "r"), close};
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe.get()));
  return text;
}

TEST_F(CompletionTest, BashOffersWhatTheTreeHas) {
  const std::string script = write_file("completion", ok({"completion", "bash"}));
  EXPECT_EQ(offered(script, {"mainstay", "coll"}), "collection\n");
  EXPECT_EQ(offered(script, {"mainstay", "collection", ""}).substr(0, 25),
            "declare show list delete ");
  EXPECT_THAT(offered(script, {"mainstay", "--json", "put", "c", "k", "--if"}),
              testing::AllOf(HasSubstr("--if-absent"), HasSubstr("--if-version")));
  EXPECT_EQ(offered(script, {"mainstay", "get", "c", "k", "--level", ""}), "linearizable local\n");
  EXPECT_THAT(offered(script, {"mainstay", "get", "--"}), HasSubstr("--endpoint"));
  EXPECT_EQ(offered(script, {"mainstay", "certs", "show", script.substr(0, script.size() - 3)}),
            script + "\n")
      << "files, where nothing else fits";
  EXPECT_THAT(ok({"completion", "bash"}), Not(HasSubstr("reference")));
}

TEST_F(CompletionTest, ZshHasTheSameTables) {
  const std::string script = ok({"completion", "zsh"});
  EXPECT_THAT(script, HasSubstr("#compdef mainstay\n"));
  EXPECT_THAT(script, HasSubstr("'/collection') offer='declare show list delete "));
  EXPECT_THAT(script, HasSubstr("'/get --level') offer='linearizable local'"));
}

TEST_F(CompletionTest, TheReferenceIsUpToDate) {
  const std::string reference = ok({"reference"});
  EXPECT_THAT(reference, HasSubstr("### mainstay collection declare\n"));
  EXPECT_THAT(read_file("docs/tool.md"), HasSubstr(reference))
      << "put the output of `mainstay reference` at its end";
}

}  // namespace
}  // namespace mainstay::tool
