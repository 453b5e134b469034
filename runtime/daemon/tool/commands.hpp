// The subcommands; internal to the tool. Each registers its options and an action.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "runtime/daemon/tool/session.hpp"
#include "runtime/daemon/tool/tool.hpp"

namespace mainstay::tool {

// One run of the tool: what all subcommands share.
struct Run {
  const World& world;
  std::vector<std::string> endpoint_texts;
  std::string deadline_text = "10s";
  bool json = false;
  // Set by the subcommand that was chosen; returns the exit code.
  std::function<Result<int>()> action;
  std::optional<Session> session;  // made before the action runs
};

void add_record_commands(CLI::App& app, Run& run);   // get put delete list operation
void add_cluster_commands(CLI::App& app, Run& run);  // member transfer drain
void add_status_command(CLI::App& app, Run& run);
void add_certs_commands(CLI::App& app, Run& run);

}  // namespace mainstay::tool
