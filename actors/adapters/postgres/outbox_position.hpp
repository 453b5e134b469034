// How far the outbox tables of a counterpart have been read. Pure.
//
// Rows are read in the order (transaction, id, table). The transaction comes first because ids are
// given out before transactions commit: a row with a smaller id may appear later, but never one of
// a transaction below the oldest one still running.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace mainstay::adapters::postgres {

struct OutboxPosition {
  std::uint64_t transaction = 0;  // xid8
  std::int64_t id = 0;
  std::uint64_t table = 0;  // its place in the settings, from 0

  auto operator<=>(const OutboxPosition&) const = default;
};

// "" is the beginning. Errors: invalid_argument.
Result<OutboxPosition> parse_position(std::string_view text);
std::string to_string(const OutboxPosition& position);  // "734:12:0"

}  // namespace mainstay::adapters::postgres
