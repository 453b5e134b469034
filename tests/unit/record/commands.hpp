// Short ways to say commands and entries in tests of the record state machine.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::record {

inline Action action(ActionKind kind, std::string collection, std::string key,
                     std::string value = "") {
  return {kind, std::move(collection), std::move(key),
          value.empty() ? Bytes{} : Bytes{std::move(value)}};
}

// Under this operation id; the request's hash is that of what it asks.
inline Command named(std::string operation, Command command) {
  std::string text;
  for (const Action& each : command.actions)
    text += std::to_string(static_cast<int>(each.kind)) + each.collection + "/" + each.key + "=" +
            std::string{each.value.view()} + "\n";
  command.operation = std::move(operation);
  command.request_hash = xxh3_128(text);
  return command;
}

inline Command put(std::string operation, std::string key, std::string value,
                   Condition condition = {}) {
  return named(std::move(operation),
               single(action(ActionKind::put, "orders", std::move(key), std::move(value)),
                      std::move(condition)));
}

inline Command removal(std::string operation, std::string key, Condition condition = {}) {
  return named(std::move(operation),
               single(action(ActionKind::remove, "orders", std::move(key)), std::move(condition)));
}

inline Command transaction(std::string operation, std::vector<Action> actions) {
  Command command;
  command.actions = std::move(actions);
  return named(std::move(operation), std::move(command));
}

inline Command fence(std::string operation) {
  Command command;
  command.kind = CommandKind::fence;
  command.operation = std::move(operation);
  return command;
}

inline Command declaration(std::string operation, std::string name, std::string json = "{}") {
  return named(std::move(operation),
               single(action(ActionKind::declare, system_collection::collections, std::move(name),
                             std::move(json))));
}

inline Condition version_is(Version version) {
  Condition condition;
  condition.version_is = version;
  return condition;
}

inline constexpr std::uint64_t retention = 1000;

// A state that takes one command or one list of commands as an entry.
struct Replica {
  MemoryState state;
  Declarations declarations;
  ApplyOptions options{retention};

  std::vector<Outcome> entry(std::uint64_t wall_millis, std::vector<Command> commands) {
    const LogBatch batch{wall_millis, {{NodeId{1}, BootId{2}, 3, std::move(commands)}}};
    const std::uint64_t index = state.counters().applied_index + 1;
    return apply(state, declarations, index, 1, batch, options).at(0).outcomes;
  }
  Outcome one(std::uint64_t wall_millis, Command command) {
    return entry(wall_millis, {std::move(command)}).at(0);
  }
  void nothing() {
    apply_nothing(state, declarations, state.counters().applied_index + 1, 1, options);
  }
  // At the start of time, under an operation id of its own.
  Outcome declare(const std::string& name, const std::string& json = "{}") {
    return one(state.counters().stamp.millis, declaration("declare " + name, name, json));
  }
  std::string value(const std::string& collection, const std::string& key) const {
    const auto record = state.find_record(collection, key);
    return record ? std::string{record->value.view()} : "";
  }
};

// With the collection 'orders' of plain documents, declared as revision 1.
struct Orders : Replica {
  Orders() { declare("orders"); }
};

}  // namespace mainstay::record
