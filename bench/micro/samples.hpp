// The same commands for every layer's benchmark: 256-byte values under random keys of 100 000, as
// in the cluster's write benchmark, and other kinds of write beside them.
#pragma once

#include <string>

#include <fmt/format.h>

#include "runtime/base/random.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::bench {

inline record::Command sample_command(std::uint64_t number, std::vector<record::Action> actions) {
  record::Command command;
  command.operation = fmt::format("bench-{:016x}", number);
  command.request_hash = {number, ~number};
  command.actions = std::move(actions);
  return command;
}

inline record::Action sample_put(const std::string& key, std::uint64_t number) {
  return {record::ActionKind::put, "bench", key,
          Bytes{std::string(256, static_cast<char>('a' + number % 26))}};
}

// Makes the command of this number.
using MakeCommand = record::Command (*)(Random& random, std::uint64_t number);

inline record::Command sample_command(Random& random, std::uint64_t number) {
  const std::string key = fmt::format("k{:08}", random.between(0, 99'999));
  return sample_command(number, {sample_put(key, number)});
}

// Always another record.
inline record::Command insert_command(Random&, std::uint64_t number) {
  return sample_command(number, {sample_put(fmt::format("n{:012}", number), number)});
}

// Always one of a hundred records.
inline record::Command overwrite_command(Random& random, std::uint64_t number) {
  const std::string key = fmt::format("o{:02}", random.between(0, 99));
  return sample_command(number, {sample_put(key, number)});
}

// Four records under one revision.
inline record::Command transaction_command(Random& random, std::uint64_t number) {
  std::vector<record::Action> actions;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::string key = fmt::format("t{}-{:07}", i, random.between(0, 99'999));
    actions.push_back(sample_put(key, number));
  }
  return sample_command(number, std::move(actions));
}

// An entry that moves stock between two of a hundred places.
inline record::Command post_command(Random& random, std::uint64_t number) {
  const std::uint64_t from = random.between(0, 99);
  const std::uint64_t to = (from + random.between(1, 99)) % 100;
  return sample_command(
      number, {{record::ActionKind::post, "moves", fmt::format("e{:012}", number),
                Bytes{fmt::format(R"({{"quantity":"1.500","item":"A","from":{{"place":"{}"}},)"
                                  R"("to":{{"place":"{}"}}}})",
                                  from, to)}}});
}

inline record::Batch sample_batch(Random& random, std::uint64_t& number, std::size_t commands,
                                  MakeCommand make = sample_command) {
  record::Batch batch;
  batch.origin = NodeId{1};
  batch.origin_boot = BootId{1};
  batch.sequence = number;
  for (std::size_t i = 0; i < commands; ++i) batch.commands.push_back(make(random, ++number));
  return batch;
}

// The collections of these commands; to be applied first.
inline record::Batch sample_declarations() {
  const auto declare = [](const char* name, const char* json) {
    record::Command command = sample_command(
        0,
        {{record::ActionKind::declare, record::system_collection::collections, name, Bytes{json}}});
    command.operation = fmt::format("declare-{}", name);
    return command;
  };
  record::Batch batch;
  batch.origin = NodeId{1};
  batch.commands = {declare("bench", "{}"),
                    declare("moves", R"({"kind":"ledger","ledger":{"dimensions":["item","place"],)"
                                     R"("scale":3}})")};
  return batch;
}

}  // namespace mainstay::bench
