// Short ways to say commands and entries in tests of the record state machine.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::record {

inline Command put(std::string operation, std::string key, std::string value,
                   Condition condition = {}) {
  Command command;
  command.operation = std::move(operation);
  command.request_hash = xxh3_128(key + "=" + value);
  command.collection = "orders";
  command.key = std::move(key);
  command.value = Bytes{std::move(value)};
  command.condition = std::move(condition);
  return command;
}

inline Command removal(std::string operation, std::string key, Condition condition = {}) {
  Command command;
  command.operation = std::move(operation);
  command.request_hash = xxh3_128("remove " + key);
  command.kind = CommandKind::remove;
  command.collection = "orders";
  command.key = std::move(key);
  command.condition = std::move(condition);
  return command;
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
  ApplyOptions options{retention, retention};

  std::vector<Outcome> entry(std::uint64_t wall_millis, std::vector<Command> commands) {
    const LogBatch batch{wall_millis, {{NodeId{1}, BootId{2}, 3, std::move(commands)}}};
    const std::uint64_t index = state.counters().applied_index + 1;
    return apply(state, index, 1, batch, options).at(0).outcomes;
  }
  Outcome one(std::uint64_t wall_millis, Command command) {
    return entry(wall_millis, {std::move(command)}).at(0);
  }
};

}  // namespace mainstay::record
