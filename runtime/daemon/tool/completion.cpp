// completion, and the reference that docs/tool.md is made of.
#include <ostream>

#include "runtime/daemon/tool/command_tree.hpp"
#include "runtime/daemon/tool/commands.hpp"

namespace mainstay::tool {

void add_completion_commands(CLI::App& app, Run& run) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* completion = app.add_subcommand(
      "completion", "Print completions for a shell: source <(mainstay completion bash)");
  completion->add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  on(run, completion, [&run, &app, shell]() -> Result<int> {
    run.world.out << (*shell == "bash" ? bash_completion(app) : zsh_completion(app));
    return 0;
  });
  CLI::App* reference = app.add_subcommand("reference", "Print the reference of all commands");
  reference->group("");
  on(run, reference, [&run, &app]() -> Result<int> {
    run.world.out << reference_of(app);
    return 0;
  });
}

}  // namespace mainstay::tool
