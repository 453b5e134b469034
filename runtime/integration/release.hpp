// The command `replay`: releases the parked letters that fit, some with each commit. Carried out by
// one worker of an adapter, its source if it has one, else its export.
#pragma once

#include <optional>

#include "runtime/integration/hub_port.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/integration/tenure.hpp"

namespace mainstay::integration {

// Of the commands of one adapter.
inline constexpr Millis commands_kept{14LL * 24 * 3600 * 1000};  // once finished
inline constexpr std::size_t commands_finished_max = 1'000;
inline constexpr std::size_t commands_open_max = 100;  // that people may ask for

// The adapter's next command of one of these names that is not finished.
std::optional<CommandRow> find_command(const record::StateReader& view, const Tenure& tenure,
                                       std::initializer_list<std::string_view> names);

// One commit of it. Errors: of the port.
Result<Step> release_letters(HubPort& port, const Tenure& tenure, CommandRow command);

// Commands that are finished and past their time, and the oldest beyond so many; some at a time.
std::vector<record::Action> old_commands(const record::StateReader& view,
                                         const std::string& adapter, WallTime now);
// How many are not finished; counted up to `most`.
std::size_t open_commands(const record::StateReader& view, const std::string& adapter,
                          std::size_t most);

std::string command_key(const CommandRow& command);

// Commits the actions, if the tenure lasts. Errors: of the port; internal: it was refused.
Result<Step> commit_actions(HubPort& port, const Tenure& tenure,
                            std::vector<record::Action> actions);

}  // namespace mainstay::integration
