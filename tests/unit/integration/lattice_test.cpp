// What follows from facts, whatever their order and repetition.
#include "runtime/integration/lattice.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::integration {
namespace {

using Kind = LineFact::Kind;
using testing::ElementsAre;

Decimal d(std::string_view text) {
  return Decimal::parse(text).value();
}

// "closed 2: 5 = 3 + 2 + 0": status, revision, ordered = shipped + cancelled + open
std::string line(const std::vector<LineFact>& facts) {
  const LineState state = line_state(facts).value();
  return std::string{to_string(state.status)} + " " + std::to_string(state.revision) + ": " +
         state.ordered.to_string() + " = " + state.shipped.to_string() + " + " +
         state.cancelled.to_string() + " + " + state.open.to_string();
}

TEST(OrderLine, FollowsFromItsFacts) {
  std::vector<LineFact> facts{{Kind::ordered, "", 1, d("5")}};
  EXPECT_EQ(line({}), "open 0: 0 = 0 + 0 + 0");
  EXPECT_EQ(line(facts), "open 1: 5 = 0 + 0 + 5");
  facts.push_back({Kind::shipped, "s1", 0, d("3")});
  EXPECT_EQ(line(facts), "partial 1: 5 = 3 + 0 + 2");
  facts.push_back({Kind::cancelled, "c1", 0, d("4")});
  EXPECT_EQ(line(facts), "closed 1: 5 = 3 + 2 + 0") << "goods that left win over a cancellation";
  facts.push_back({Kind::shipped, "s2", 0, d("1.5")});
  EXPECT_EQ(line(facts), "closed 1: 5 = 4.5 + 0.5 + 0.0");
  facts.push_back({Kind::shipped, "s3", 0, d("1")});
  EXPECT_EQ(line(facts), "exception 1: 5 = 5.5 + 0 + 0");
  facts.push_back({Kind::ordered, "", 2, d("8")});
  EXPECT_EQ(line(facts), "closed 2: 8 = 5.5 + 2.5 + 0.0") << "a new revision looks again";
  EXPECT_EQ(line({{Kind::shipped, "s1", 0, d("1")}}), "exception 0: 0 = 1 + 0 + 0");
  EXPECT_EQ(line({{Kind::ordered, "", 3, d("0")}}), "closed 3: 0 = 0 + 0 + 0");
}

TEST(OrderLine, ContradictionsAreNamed) {
  const auto state = line_state({{Kind::ordered, "", 1, d("5")},
                                 {Kind::ordered, "", 1, d("4")},
                                 {Kind::shipped, "s", 0, d("1.0")},
                                 {Kind::shipped, "s", 0, d("1")},
                                 {Kind::returned, "r", 0, d("1")},
                                 {Kind::returned, "r", 0, d("2")}});
  EXPECT_THAT(state->contradictions, ElementsAre("r", "revision 1"));
  EXPECT_EQ(state->returned, d("2"));
  EXPECT_EQ(line_state({{Kind::shipped, "a", 0, d("99999999999999999999999999999999999999")},
                        {Kind::shipped, "b", 0, d("1")}})
                .error()
                .code,
            Errc::invalid_argument);
}

TEST(Shipment, IsCancelledOnlyBelowPicked) {
  using S = ShipmentStatus;
  EXPECT_EQ(shipment_state({}), S::requested);
  EXPECT_EQ(shipment_state({S::cancelled, S::assigned}), S::cancelled);
  EXPECT_EQ(shipment_state({S::cancelled, S::picked}), S::picked);
  EXPECT_EQ(shipment_state({S::delivered, S::requested, S::cancelled}), S::delivered);
  EXPECT_EQ(to_string(S::cancelled), "cancelled");
}

TEST(Production, StatusAndHold) {
  using P = ProductionStatus;
  EXPECT_EQ(production_state({}, {}).status, P::planned);
  EXPECT_EQ(production_state({P::running, P::firm}, {}).status, P::running);
  EXPECT_EQ(production_state({P::aborted, P::running}, {}).status, P::aborted);
  EXPECT_EQ(production_state({P::aborted, P::completed}, {}).status, P::completed);
  EXPECT_TRUE(production_state({}, {{true, {5, 0}}, {false, {4, 9}}}).held);
  EXPECT_FALSE(production_state({}, {{true, {5, 0}}, {false, {5, 1}}}).held);
  EXPECT_TRUE(production_state({}, {{false, {5, 1}}, {true, {5, 1}}}).held);
  EXPECT_EQ(to_string(P::closed), "closed");
}

TEST(Production, CountersAreTheMostOfEachSession) {
  const auto totals = production_totals({{"P1", "1", d("10"), d("1"), d("0")},
                                         {"P1", "1", d("8"), d("2"), d("0")},
                                         {"P1", "2", d("3"), d("0"), d("1")},
                                         {"P2", "1", d("0.5"), d("0"), d("0")}})
                          .value();
  EXPECT_EQ(totals.good.to_string(), "13.5");
  EXPECT_EQ(totals.scrap, d("2"));
  EXPECT_EQ(totals.rework, d("1"));
}

TEST(Lot, IsAsItsWorstOpenVerdict) {
  using V = QualityFact::Verdict;
  EXPECT_EQ(lot_state({}, {}), LotStatus::unknown);
  EXPECT_EQ(lot_state({{"1", V::passed}}, {}), LotStatus::released);
  EXPECT_EQ(lot_state({{"1", V::passed}, {"2", V::hold}}, {}), LotStatus::hold);
  EXPECT_EQ(lot_state({{"1", V::hold}, {"2", V::passed}}, {}), LotStatus::hold)
      << "a retest does not lift it";
  EXPECT_EQ(lot_state({{"1", V::hold}, {"2", V::passed}}, {{"1", true}}), LotStatus::released);
  EXPECT_EQ(lot_state({{"1", V::hold}, {"2", V::failed}}, {{"1", true}}), LotStatus::rejected);
  EXPECT_EQ(lot_state({{"1", V::hold}}, {{"1", true}, {"1", false}}), LotStatus::rejected);
  EXPECT_EQ(to_string(LotStatus::hold), "hold");
}

// --- properties ---

template <class T>
std::vector<T> shuffled_with_repetitions(const std::vector<T>& facts) {
  std::vector<T> all = facts;
  if (!facts.empty())
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) all.push_back(*rc::gen::elementOf(facts));
  for (std::size_t i = all.size(); i > 1; --i)
    std::swap(all[i - 1], all[*rc::gen::inRange<std::size_t>(0, i)]);
  return all;
}

LineFact any_line_fact() {
  LineFact fact;
  fact.kind = static_cast<Kind>(*rc::gen::inRange(0, 4));
  fact.id = std::to_string(*rc::gen::inRange(0, 4));
  fact.revision = *rc::gen::inRange<std::uint64_t>(1, 3);
  fact.quantity = Decimal{*rc::gen::inRange(0, 60), 1};
  return fact;
}

std::string all_of(const LineState& state) {
  std::string text = std::string{to_string(state.status)} + std::to_string(state.revision);
  for (const Decimal* each :
       {&state.ordered, &state.shipped, &state.cancelled, &state.open, &state.returned})
    text += " " + each->rescaled(1)->to_string();
  for (const std::string& id : state.contradictions) text += " " + id;
  return text;
}

TEST(OrderLineProperties, AnyOrderAndRepetitionGivesTheSame) {
  EXPECT_TRUE(rc::check([] {
    std::vector<LineFact> facts;
    for (int i = *rc::gen::inRange(0, 12); i > 0; --i) facts.push_back(any_line_fact());
    const std::string once = all_of(line_state(facts).value());
    const std::string again = all_of(line_state(shuffled_with_repetitions(facts)).value());
    RC_ASSERT(once == again);
  }));
}

TEST(OrderLineProperties, MoreFactsNeverTakeItBack) {
  EXPECT_TRUE(rc::check([] {
    std::vector<LineFact> facts;
    auto last = std::pair{std::uint64_t{0}, LineStatus::open};
    for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
      facts.push_back(any_line_fact());
      const LineState state = line_state(facts).value();
      const auto now = std::pair{state.revision, state.status};
      RC_ASSERT(!(now < last));
      last = now;
      if (state.status == LineStatus::exception) continue;
      const Decimal sum = state.shipped.plus(state.cancelled)->plus(state.open).value();
      RC_ASSERT(sum == state.ordered);
    }
  }));
}

TEST(ShipmentProperties, AnyOrderGivesTheSameAndMoreNeverTakesItBack) {
  EXPECT_TRUE(rc::check([] {
    std::vector<ShipmentStatus> said;
    ShipmentStatus last = ShipmentStatus::requested;
    for (int i = *rc::gen::inRange(0, 10); i > 0; --i) {
      said.push_back(static_cast<ShipmentStatus>(*rc::gen::inRange(0, 7)));
      const ShipmentStatus now = shipment_state(said);
      RC_ASSERT(now >= last);
      RC_ASSERT(now == shipment_state(shuffled_with_repetitions(said)));
      last = now;
    }
  }));
}

TEST(ProductionProperties, AnyOrderGivesTheSameAndMoreNeverTakesItBack) {
  EXPECT_TRUE(rc::check([] {
    std::vector<ProductionStatus> said;
    std::vector<HoldFact> holds;
    std::vector<ProductionFact> counters;
    Decimal last;
    for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
      said.push_back(static_cast<ProductionStatus>(*rc::gen::inRange(0, 7)));
      holds.push_back({*rc::gen::arbitrary<bool>(), {*rc::gen::inRange<std::uint64_t>(0, 4), 0}});
      counters.push_back({std::to_string(*rc::gen::inRange(0, 2)),
                          std::to_string(*rc::gen::inRange(0, 3)),
                          Decimal{*rc::gen::inRange(0, 100), 1}, Decimal{}, Decimal{}});
      const ProductionState now = production_state(said, holds);
      const ProductionState same =
          production_state(shuffled_with_repetitions(said), shuffled_with_repetitions(holds));
      RC_ASSERT(now.status == same.status);
      RC_ASSERT(now.held == same.held);
      const Decimal good = production_totals(counters)->good;
      RC_ASSERT(!(good < last));
      const bool equal = good == production_totals(shuffled_with_repetitions(counters))->good;
      RC_ASSERT(equal);
      last = good;
    }
  }));
}

TEST(LotProperties, AnyOrderGivesTheSameAndOnlyADispositionLifts) {
  EXPECT_TRUE(rc::check([] {
    std::vector<QualityFact> results;
    std::vector<DispositionFact> dispositions;
    LotStatus last = LotStatus::unknown;
    for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
      const std::string result = std::to_string(*rc::gen::inRange(0, 4));
      const bool decides = *rc::gen::inRange(0, 4) == 0;
      if (decides)
        dispositions.push_back({result, *rc::gen::arbitrary<bool>()});
      else
        results.push_back({result, static_cast<QualityFact::Verdict>(*rc::gen::inRange(0, 3))});
      const LotStatus now = lot_state(results, dispositions);
      RC_ASSERT(decides || now >= last);
      RC_ASSERT(now == lot_state(shuffled_with_repetitions(results),
                                 shuffled_with_repetitions(dispositions)));
      last = now;
    }
  }));
}

}  // namespace
}  // namespace mainstay::integration
