// States that follow from facts: order lines, shipments, production, lots. Facts come in any order
// and more than once; the same set of facts always gives the same state, and more facts never take
// a status back (a lot's hold is lifted by a signed fact of its own). Pure functions.
//
// A fact has an id. The same id with other content is a contradiction: the state is one that does
// not depend on which came first, and `contradictions` names the ids, for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/decimal.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::integration {

// --- a line of a sales order ---

struct LineFact {
  enum class Kind : std::uint8_t { ordered, shipped, cancelled, returned };
  Kind kind = Kind::ordered;
  std::string id;
  std::uint64_t revision = 0;  // of ordered: the order's; the highest counts
  Decimal quantity;            // 0 or more
};

// Within one revision a status only grows; a higher revision may open a line again.
enum class LineStatus : std::uint8_t { open, partial, closed, exception };
std::string_view to_string(LineStatus status);

struct LineState {
  std::uint64_t revision = 0;
  LineStatus status = LineStatus::open;  // exception: more shipped than ordered
  Decimal ordered;
  Decimal shipped;
  Decimal cancelled;  // at most what was not shipped: goods that left win
  Decimal open;       // ordered = shipped + cancelled + open, unless it is an exception
  Decimal returned;
  std::vector<std::string> contradictions;
};
// Errors: invalid_argument (a sum of more than 38 digits).
Result<LineState> line_state(const std::vector<LineFact>& facts);

// --- a shipment ---

// In the order of their rank: what is cancelled may still turn out to be picked, not the reverse.
enum class ShipmentStatus : std::uint8_t {
  requested,
  assigned,
  cancelled,
  picked,
  packed,
  shipped,
  delivered,
};
std::string_view to_string(ShipmentStatus status);
// Of everything that was said of it; requested if nothing was.
ShipmentStatus shipment_state(const std::vector<ShipmentStatus>& said);

// --- a production order ---

// In the order of their rank: what was aborted may still turn out to be completed.
enum class ProductionStatus : std::uint8_t {
  planned,
  firm,
  dispatched,
  running,
  aborted,
  completed,
  closed,
};
std::string_view to_string(ProductionStatus status);

struct HoldFact {
  bool hold = false;  // else: resume
  HlcStamp at;
};
struct ProductionState {
  ProductionStatus status = ProductionStatus::planned;
  bool held = false;  // by the latest of hold and resume; at the same time, hold wins
};
ProductionState production_state(const std::vector<ProductionStatus>& said,
                                 const std::vector<HoldFact>& holds);

// --- production quantities ---

// Cumulative counters of a machine belong to a session, and start again with the next one. A report
// without counters (somebody's sheet) is its own session: its id.
struct ProductionFact {
  std::string machine;
  std::string session;
  Decimal good;
  Decimal scrap;
  Decimal rework;
};
struct ProductionTotals {
  Decimal good;
  Decimal scrap;
  Decimal rework;
};
// The most of each session, summed over the sessions. Errors: invalid_argument (more than 38
// digits).
Result<ProductionTotals> production_totals(const std::vector<ProductionFact>& facts);

// --- a lot ---

enum class LotStatus : std::uint8_t { unknown, released, hold, rejected };
std::string_view to_string(LotStatus status);

struct QualityFact {
  enum class Verdict : std::uint8_t { passed, hold, failed };
  std::string result;  // its id; a retest is another one
  Verdict verdict = Verdict::passed;
};
// Decides about one result, signed: it is open no longer. Of two that contradict, the rejection
// counts.
struct DispositionFact {
  std::string result;
  bool released = false;  // else rejected
};
// By the worst verdict that is open: a retest that passes does not lift a hold, a disposition does.
LotStatus lot_state(const std::vector<QualityFact>& results,
                    const std::vector<DispositionFact>& dispositions);

}  // namespace mainstay::integration
