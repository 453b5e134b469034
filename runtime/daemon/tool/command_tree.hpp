// What is made from the tree of commands itself: completions for shells, and the reference in
// docs/tool.md. Pure.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace mainstay::tool {

std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);

// Every command with its arguments and options, as Markdown.
std::string reference_of(const CLI::App& app);

}  // namespace mainstay::tool
