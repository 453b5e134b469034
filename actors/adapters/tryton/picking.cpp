#include "actors/adapters/tryton/picking.hpp"

#include <algorithm>
#include <tuple>

namespace mainstay::adapters::tryton {

namespace {

using Amounts = std::map<std::tuple<Id, Id, Id>, Decimal>;  // by product, bin, lot

// Sums of few quantities of one unit stay within 38 digits.
Decimal sum(const Decimal& a, const Decimal& b) {
  return a.plus(b).value_or(a);
}
Decimal difference(const Decimal& a, const Decimal& b) {
  return a.minus(b).value_or(a);
}

void add(Amounts& amounts, std::tuple<Id, Id, Id> key, const Decimal& quantity) {
  if (quantity.is_zero()) return;
  amounts[key] = sum(amounts[key], quantity);
}

const InventoryMove* like(const std::vector<InventoryMove>& present, Id product) {
  const auto at =
      std::find_if(present.begin(), present.end(),
                   [product](const InventoryMove& move) { return move.product == product; });
  return at == present.end() ? (present.empty() ? nullptr : &present.front()) : &*at;
}

}  // namespace

bool fits(const std::vector<Pick>& picks, const std::vector<InventoryMove>& present) {
  Amounts picked, there;
  std::map<Id, bool> anywhere;
  for (const Pick& pick : picks)
    if (pick.bin == 0) anywhere[pick.product] = true;
  for (const Pick& pick : picks) {
    const bool any = anywhere.count(pick.product) != 0;
    add(picked, {pick.product, any ? 0 : pick.bin, any ? 0 : pick.lot}, pick.quantity);
  }
  for (const InventoryMove& move : present) {
    const bool any = anywhere.count(move.product) != 0;
    add(there, {move.product, any ? 0 : move.bin, any ? 0 : move.lot}, move.quantity);
  }
  return picked == there;
}

Result<std::vector<InventoryMove>> allocate(const std::vector<Pick>& picks,
                                            const std::vector<Wanted>& wanted,
                                            const std::vector<InventoryMove>& present) {
  std::vector<Wanted> open = wanted;
  std::vector<InventoryMove> moves;
  for (const Pick& pick : picks) {
    Decimal left = pick.quantity;
    for (Wanted& want : open) {
      if (want.product != pick.product || want.quantity <= Decimal{} || left <= Decimal{}) continue;
      const Decimal part = std::min(left, want.quantity);
      const InventoryMove* model = like(present, pick.product);
      moves.push_back({.product = pick.product,
                       .unit = want.unit,
                       .bin = pick.bin != 0 || model == nullptr ? pick.bin : model->bin,
                       .lot = pick.lot,
                       .quantity = part,
                       .origin = want.move,
                       .to = model == nullptr ? 0 : model->to,
                       .state = {}});
      want.quantity = difference(want.quantity, part);
      left = difference(left, part);
    }
    if (left > Decimal{})
      return fail(Errc::invalid_argument,
                  "more of " + pick.item +
                      " was picked than the shipment wants: " + left.to_string() + " too many");
  }
  // Moves that are there are used again where they fit.
  std::vector<InventoryMove> unused = present;
  for (InventoryMove& move : moves) {
    auto at = std::find_if(unused.begin(), unused.end(), [&move](const InventoryMove& old) {
      return old.product == move.product && old.origin == move.origin;
    });
    if (at == unused.end()) continue;
    move.id = at->id;
    unused.erase(at);
  }
  return moves;
}

}  // namespace mainstay::adapters::tryton
