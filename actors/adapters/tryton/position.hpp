// How far the reader is: for every model a watermark of the ERP's own clock, what was seen within
// the overlap behind it, and how far the sweep is. Stored as a JSON text. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actors/adapters/tryton/values.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::adapters::tryton {

struct Seen {
  std::string version;
  std::string modified;  // RFC 3339
};

// The rows with ids of one range as the last sweep saw them.
struct SweptBlock {
  std::string hash;    // of ids and versions
  std::string ranges;  // of the ids: "1-17,19"
};

struct ModelPosition {
  std::string watermark;  // "": nothing was read yet
  Id after = 0;           // a pass over several pages is under way, behind this id
  std::string high;       // the watermark behind that pass
  std::map<Id, Seen> seen;
  std::map<Id, SweptBlock> swept;  // by number of the block
};

struct SweepPosition {
  std::string model;         // "": none is under way
  Id block = 0;              // next
  std::size_t skip = 0;      // rows of that block that were told already
  std::string hash;          // of the block when they were
  std::uint64_t due_ms = 0;  // when the next one begins
};

struct Position {
  std::size_t turn = 0;  // the model that is next
  std::map<std::string, ModelPosition> models;
  SweepPosition sweep;
};

// "": the beginning. Errors: invalid_argument.
Result<Position> parse_position(const std::string& text);
std::string to_text(const Position& position);

// Ids as "1-3,7". REQUIRES: sorted.
std::string to_ranges(const Ids& sorted);
Ids from_ranges(std::string_view ranges);

}  // namespace mainstay::adapters::tryton
