// Which moves a shipment must have so that exactly what was picked leaves: the picks are spread
// over the order lines of their item, in their order. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/adapters/tryton/values.hpp"
#include "runtime/base/decimal.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::adapters::tryton {

// So much of an item was taken, from a bin (0: wherever the ERP finds it).
struct Pick {
  Id product = 0;
  std::string item;
  Id bin = 0;
  Id lot = 0;
  Decimal quantity;
};

// What an outgoing move, of one order line, still wants.
struct Wanted {
  Id move = 0;
  Id product = 0;
  Id unit = 0;
  Decimal quantity;
};

// A move from the storage to the output zone.
struct InventoryMove {
  Id id = 0;  // 0: to be made
  Id product = 0;
  Id unit = 0;
  Id bin = 0;
  Id lot = 0;
  Decimal quantity;
  Id origin = 0;  // outgoing move
  Id to = 0;
  std::string state;

  bool operator==(const InventoryMove&) const = default;
};

// The moves that are needed. `present` gives where to (and from, for picks without a bin). Errors:
// invalid_argument: more of an item than is wanted.
Result<std::vector<InventoryMove>> allocate(const std::vector<Pick>& picks,
                                            const std::vector<Wanted>& wanted,
                                            const std::vector<InventoryMove>& present);

// Do these moves take what was picked? Picks without a bin: from wherever.
bool fits(const std::vector<Pick>& picks, const std::vector<InventoryMove>& present);

}  // namespace mainstay::adapters::tryton
