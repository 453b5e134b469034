#include "runtime/integration/lattice.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace mainstay::integration {

namespace {

template <class Enum, std::size_t n>
std::string_view name_of(Enum value, const std::array<std::string_view, n>& names) {
  return names[static_cast<std::size_t>(value)];
}

// One quantity an id, and the ids of which several were said.
class Quantities {
 public:
  explicit Quantities(bool most) : most_{most} {}

  void add(const std::string& id, const Decimal& quantity) {
    const auto [at, fresh] = by_id_.emplace(id, quantity);
    if (fresh || at->second == quantity) return;
    contradictions_.insert(id);
    // The one that takes the status further: whichever comes last, it never goes back.
    if (most_ == (at->second < quantity)) at->second = quantity;
  }
  Result<Decimal> sum() const {
    Decimal sum;
    for (const auto& [id, quantity] : by_id_) {
      TRY_ASSIGN(sum, sum.plus(quantity));
    }
    return sum;
  }
  const std::set<std::string>& contradictions() const { return contradictions_; }

 private:
  const bool most_;
  std::map<std::string, Decimal> by_id_;
  std::set<std::string> contradictions_;
};

LineStatus status_of(const LineState& state) {
  if (state.shipped > state.ordered) return LineStatus::exception;
  const bool nothing = state.shipped.is_zero() && state.cancelled.is_zero();
  if (state.open.is_zero() && (state.revision != 0 || !nothing)) return LineStatus::closed;
  return nothing ? LineStatus::open : LineStatus::partial;
}

struct SessionMost {
  Decimal good, scrap, rework;
};

}  // namespace

Result<LineState> line_state(const std::vector<LineFact>& facts) {
  using Kind = LineFact::Kind;
  Quantities shipped{true}, cancelled{true}, returned{true};
  std::map<std::uint64_t, Quantities> revisions;
  for (const LineFact& fact : facts) {
    if (fact.kind == Kind::shipped) shipped.add(fact.id, fact.quantity);
    if (fact.kind == Kind::cancelled) cancelled.add(fact.id, fact.quantity);
    if (fact.kind == Kind::returned) returned.add(fact.id, fact.quantity);
    // An order says one thing a revision; of several the least, since it closes first.
    if (fact.kind == Kind::ordered)
      revisions.emplace(fact.revision, Quantities{false}).first->second.add("", fact.quantity);
  }
  LineState state;
  if (!revisions.empty()) {
    state.revision = revisions.rbegin()->first;
    TRY_ASSIGN(state.ordered, revisions.rbegin()->second.sum());
  }
  TRY_ASSIGN(state.shipped, shipped.sum());
  TRY_ASSIGN(const Decimal asked, cancelled.sum());
  TRY_ASSIGN(state.returned, returned.sum());
  TRY_ASSIGN(Decimal rest, state.ordered.minus(state.shipped));
  if (rest.is_negative()) rest = Decimal{};
  state.cancelled = std::min(asked, rest);
  TRY_ASSIGN(state.open, rest.minus(state.cancelled));
  state.status = status_of(state);
  std::set<std::string> all;
  for (const Quantities* each : {&shipped, &cancelled, &returned})
    all.insert(each->contradictions().begin(), each->contradictions().end());
  for (const auto& [revision, said] : revisions)
    if (!said.contradictions().empty()) all.insert("revision " + std::to_string(revision));
  state.contradictions.assign(all.begin(), all.end());
  return state;
}

ShipmentStatus shipment_state(const std::vector<ShipmentStatus>& said) {
  const auto most = std::max_element(said.begin(), said.end());
  return most == said.end() ? ShipmentStatus::requested : *most;
}

ProductionState production_state(const std::vector<ProductionStatus>& said,
                                 const std::vector<HoldFact>& holds) {
  ProductionState state;
  if (!said.empty()) state.status = *std::max_element(said.begin(), said.end());
  const auto before = [](const HoldFact& a, const HoldFact& b) {
    return std::pair{a.at, a.hold} < std::pair{b.at, b.hold};
  };
  const auto latest = std::max_element(holds.begin(), holds.end(), before);
  state.held = latest != holds.end() && latest->hold;
  return state;
}

Result<ProductionTotals> production_totals(const std::vector<ProductionFact>& facts) {
  std::map<std::pair<std::string_view, std::string_view>, SessionMost> sessions;
  for (const ProductionFact& fact : facts) {
    SessionMost& most = sessions[{fact.machine, fact.session}];
    most.good = std::max(most.good, fact.good);
    most.scrap = std::max(most.scrap, fact.scrap);
    most.rework = std::max(most.rework, fact.rework);
  }
  ProductionTotals totals;
  for (const auto& [session, most] : sessions) {
    TRY_ASSIGN(totals.good, totals.good.plus(most.good));
    TRY_ASSIGN(totals.scrap, totals.scrap.plus(most.scrap));
    TRY_ASSIGN(totals.rework, totals.rework.plus(most.rework));
  }
  return totals;
}

LotStatus lot_state(const std::vector<QualityFact>& results,
                    const std::vector<DispositionFact>& dispositions) {
  std::map<std::string_view, bool> decided;  // released, unless one of them rejects
  for (const DispositionFact& fact : dispositions) {
    const auto [at, fresh] = decided.emplace(fact.result, fact.released);
    if (!fresh) at->second = at->second && fact.released;
  }
  LotStatus status = LotStatus::unknown;
  const auto at_least = [&status](LotStatus other) { status = std::max(status, other); };
  for (const auto& [result, released] : decided)
    at_least(released ? LotStatus::released : LotStatus::rejected);
  for (const QualityFact& fact : results) {
    if (decided.count(fact.result) != 0) continue;
    if (fact.verdict == QualityFact::Verdict::passed) at_least(LotStatus::released);
    if (fact.verdict == QualityFact::Verdict::hold) at_least(LotStatus::hold);
    if (fact.verdict == QualityFact::Verdict::failed) at_least(LotStatus::rejected);
  }
  return status;
}

std::string_view to_string(LineStatus status) {
  return name_of(status, std::array<std::string_view, 4>{"open", "partial", "closed", "exception"});
}

std::string_view to_string(ShipmentStatus status) {
  return name_of(status,
                 std::array<std::string_view, 7>{"requested", "assigned", "cancelled", "picked",
                                                 "packed", "shipped", "delivered"});
}

std::string_view to_string(ProductionStatus status) {
  return name_of(status, std::array<std::string_view, 7>{"planned", "firm", "dispatched", "running",
                                                         "aborted", "completed", "closed"});
}

std::string_view to_string(LotStatus status) {
  return name_of(status,
                 std::array<std::string_view, 4>{"unknown", "released", "hold", "rejected"});
}

}  // namespace mainstay::integration
