#include "actors/gateway/command_bytes.hpp"

namespace mainstay::gateway {

namespace {

constexpr std::size_t command_share = 256;  // handlers, queues, tables
constexpr std::size_t part_share = 64;      // of each check and action

std::size_t bytes_of(const record::Condition& condition) {
  std::size_t bytes = condition.version_is_not.size() * sizeof(record::Version);
  for (const record::Condition::Field& field : condition.fields)
    bytes += field.pointer.size() + field.equals.size() + part_share;
  return bytes;
}

std::size_t bytes_of(const record::Dimensions& dimensions) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : dimensions) bytes += name.size() + value.size() + part_share;
  return bytes;
}

}  // namespace

std::size_t bytes_of(const record::Command& command) {
  std::size_t bytes = command.operation.size() + command_share;
  for (const record::RecordCheck& check : command.checks)
    bytes += check.collection.size() + check.key.size() + bytes_of(check.condition) + part_share;
  for (const record::BalanceCheck& balance : command.balances)
    bytes += balance.collection.size() + bytes_of(balance.dimensions) + part_share;
  for (const record::Action& action : command.actions)
    bytes += action.collection.size() + action.key.size() + action.value.size() + part_share;
  return bytes;
}

}  // namespace mainstay::gateway
