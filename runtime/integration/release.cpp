#include "runtime/integration/release.hpp"

#include <algorithm>

#include "runtime/base/mutant.hpp"
#include "runtime/integration/hub.hpp"

namespace mainstay::integration {

namespace {

using json::Type;
using json::Value;
using record::Action;

constexpr std::size_t letters_released_max = 100;  // by one commit
constexpr std::size_t commands_removed_max = 200;  // by one commit

bool fits(const Value& arguments, const char* name, const std::string& value) {
  const Value* wanted = arguments.is(Type::object) ? arguments.find(name) : nullptr;
  return wanted == nullptr || !wanted->is(Type::string) || wanted->text().empty() ||
         wanted->text() == value;
}

bool fits(const CommandRow& command, std::string_view key, const LetterRow& letter) {
  const Value& by = command.arguments;
  // What fails again parks again, later than the command: it is not chosen twice.
  return letter.state == "parked" && letter.last <= command.at && fits(by, "class", letter.kind) &&
         fits(by, "type", letter.type) && fits(by, "subject", letter.subject) &&
         fits(by, "trace", letter.trace) && fits(by, "direction", letter.direction) &&
         fits(by, "letter", std::string{key});
}

}  // namespace

std::string command_key(const CommandRow& command) {
  return command.adapter + "/" + command.id;
}

std::optional<CommandRow> find_command(const record::StateReader& view, const Tenure& tenure,
                                       std::initializer_list<std::string_view> names) {
  std::optional<CommandRow> found;
  scan_open(
      view, hub::commands, tenure.adapter,
      [&](std::string_view, const Value& value, const record::Record&) {
        auto command = command_row(value);
        if (!command || std::find(names.begin(), names.end(), command->command) == names.end())
          return true;
        found = *std::move(command);
        return false;
      });
  return found;
}

std::vector<Action> old_commands(const record::StateReader& view, const std::string& adapter,
                                 WallTime now) {
  const std::string before = time_text(now - commands_kept);
  std::vector<std::pair<std::string, std::string>> finished;  // when asked, key
  view.scan_records(
      hub::commands, adapter + "/", "", [&](std::string_view key, const record::Record& record) {
        const auto value =
            record.tombstone ? Result<Value>{Value{}} : json::parse(record.value.view());
        const auto row = value ? command_row(*value) : Result<CommandRow>{Failure{value.error()}};
        if (row && (row->state == "done" || row->state == "failed"))
          finished.emplace_back(row->at, std::string{key});
        return true;
      });
  std::sort(finished.begin(), finished.end());
  std::vector<Action> actions;
  for (std::size_t i = 0; i < finished.size() && actions.size() < commands_removed_max; ++i) {
    const bool surplus = finished.size() - i > commands_finished_max;
    if (!surplus && finished[i].first >= before) break;
    Action action;
    action.kind = record::ActionKind::remove;
    action.collection = hub::commands;
    action.key = std::move(finished[i].second);
    actions.push_back(std::move(action));
  }
  return actions;
}

std::size_t open_commands(const record::StateReader& view, const std::string& adapter,
                          std::size_t most) {
  std::size_t count = 0;
  scan_open(view, hub::commands, adapter,
            [&](std::string_view, const Value&, const record::Record&) { return ++count < most; });
  return count;
}

Result<Step> commit_actions(HubPort& port, const Tenure& tenure, std::vector<Action> actions) {
  record::Command command;
  command.checks.push_back(check_of(tenure));
  command.actions = std::move(actions);
  TRY_ASSIGN(const record::Outcome outcome, port.commit(command));
  if (!outcome.refused) return Step::worked;
  if (is_over(outcome, command)) return Step::ended;
  return fail(Errc::internal, "the hub's commit was refused: " + outcome.detail);
}

Result<Step> release_letters(HubPort& port, const Tenure& tenure, CommandRow command) {
  std::vector<Action> actions;
  bool more = false;
  {
    TRY_ASSIGN(const auto view, port.view());
    scan_open(*view, hub::letters, tenure.adapter,
              [&](std::string_view key, const Value& value, const record::Record&) {
                auto letter = letter_row(value);
                if (!letter || !fits(command, key, *letter)) return true;
                more = actions.size() == letters_released_max;
                if (more) return false;
                letter->state = "replay";
                actions.push_back(put_action(hub::letters, std::string{key}, to_value(*letter)));
                return true;
              });
  }
  std::uint64_t released = actions.size();
  const Value* before =
      command.progress.is(Type::object) ? command.progress.find("released") : nullptr;
  if (before != nullptr) released += std::stoull(before->text());
  command.progress = Value::object({{"released", Value::number(std::to_string(released))}});
  command.state = more && !MUTANT(bulk_replay_stops_early) ? "running" : "done";
  actions.push_back(put_action(hub::commands, command_key(command), to_value(command)));
  return commit_actions(port, tenure, std::move(actions));
}

}  // namespace mainstay::integration
