// The same commands for every layer's benchmark: 256-byte values under random keys of 100 000, as
// in the cluster's write benchmark.
#pragma once

#include <string>

#include <fmt/format.h>

#include "runtime/base/random.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::bench {

inline record::Command sample_command(Random& random, std::uint64_t number) {
  record::Command command;
  command.operation = fmt::format("bench-{:016x}", number);
  command.request_hash = {number, ~number};
  command.collection = "bench";
  command.key = fmt::format("k{:08}", random.between(0, 99'999));
  command.value = Bytes{std::string(256, static_cast<char>('a' + number % 26))};
  return command;
}

inline record::Batch sample_batch(Random& random, std::uint64_t& number, std::size_t commands) {
  record::Batch batch;
  batch.origin = NodeId{1};
  batch.origin_boot = BootId{1};
  batch.sequence = number;
  for (std::size_t i = 0; i < commands; ++i)
    batch.commands.push_back(sample_command(random, ++number));
  return batch;
}

}  // namespace mainstay::bench
