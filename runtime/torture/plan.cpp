#include "runtime/torture/plan.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/base/random.hpp"

namespace mainstay::torture {

namespace {

struct Row {
  std::string_view name;
  Need need;
  bool majority;
};

// In the order of FaultKind.
constexpr std::array<Row, fault_kinds> rows{{
    {"kill", Need::nothing, true},          {"kill all", Need::nothing, false},
    {"freeze", Need::nothing, true},        {"drain", Need::nothing, true},
    {"rolling drain", Need::nothing, true}, {"partition", Need::network, true},
    {"isolate", Need::network, true},       {"one-way", Need::network, true},
    {"flapping", Need::network, true},      {"bridge", Need::network, true},
    {"loss", Need::network, true},          {"delay", Need::network, true},
    {"reset", Need::network, true},         {"sync error", Need::hook, true},
    {"sync stall", Need::hook, true},       {"disk full", Need::mount, true},
    {"clock step", Need::hook, true},       {"membership", Need::nothing, true},
    {"crash images", Need::hook, true},
}};

const Row& row_of(FaultKind kind) {
  return rows.at(static_cast<std::size_t>(kind));
}

constexpr Millis warm_up{2000};    // load without faults, to compare with
constexpr Millis cool_down{3000};  // the same at the end

// The kinds one after the other in a drawn order, then all again in another: a run of any length
// has as many different ones as fit.
class Deck {
 public:
  explicit Deck(Random& random) : random_{random} {}

  FaultKind draw() {
    if (cards_.empty()) {
      for (std::size_t i = 0; i < fault_kinds; ++i) cards_.push_back(static_cast<FaultKind>(i));
      for (std::size_t i = cards_.size() - 1; i > 0; --i)
        std::swap(cards_[i], cards_[random_.between(0, i)]);
    }
    const FaultKind kind = cards_.back();
    cards_.pop_back();
    return kind;
  }

 private:
  Random& random_;
  std::vector<FaultKind> cards_;
};

std::int64_t draw_amount(FaultKind kind, Random& random) {
  switch (kind) {
    case FaultKind::loss:
      return static_cast<std::int64_t>(random.between(20, 300));
    case FaultKind::delay:
      return static_cast<std::int64_t>(random.between(5, 80));
    case FaultKind::sync_stall:
      return static_cast<std::int64_t>(random.between(50, 2000));
    case FaultKind::clock_step: {
      const auto size = static_cast<std::int64_t>(random.between(500, 600'000));
      return random.between(0, 1) == 0 ? size : -size;
    }
    default:
      return 0;
  }
}

Millis draw_length(FaultKind kind, Random& random) {
  switch (kind) {
    case FaultKind::reset:
    case FaultKind::sync_error:
    case FaultKind::drain:
    case FaultKind::rolling_drain:
    case FaultKind::kill_all:
      return Millis{500};
    case FaultKind::crash_images:
      return Millis{random.between(2000, 4000)};
    case FaultKind::clock_step:
      return Millis{random.between(2000, 5000)};
    default:
      return Millis{random.between(800, 4000)};
  }
}

}  // namespace

std::string_view to_string(FaultKind kind) {
  return row_of(kind).name;
}

Need need_of(FaultKind kind) {
  return row_of(kind).need;
}

bool leaves_majority(FaultKind kind) {
  return row_of(kind).majority;
}

std::string to_string(const Fault& fault) {
  std::string text = fmt::format("{:.1f} s: {}", static_cast<double>(fault.at.count()) / 1000,
                                 to_string(fault.kind));
  text += fault.node == 0 ? std::string{" (whoever leads)"} : fmt::format(" node {}", fault.node);
  if (fault.amount != 0)
    text +=
        fmt::format(", {} {}", fault.amount, fault.kind == FaultKind::loss ? "per mille" : "ms");
  return text + fmt::format(" for {:.1f} s", static_cast<double>(fault.lasts.count()) / 1000);
}

std::vector<Fault> make_plan(const PlanOptions& options) {
  ASSERT(options.nodes >= 3);
  SeededRandom random{options.seed};
  Deck deck{random};
  std::vector<Fault> plan;
  Millis at = warm_up;
  for (;;) {
    Fault fault;
    fault.kind = deck.draw();
    // The leader is the one that matters most: as often as all others together.
    fault.node = random.between(0, 1) == 0
                     ? 0
                     : static_cast<std::uint32_t>(random.between(1, options.nodes));
    fault.amount = draw_amount(fault.kind, random);
    fault.lasts = draw_length(fault.kind, random);
    fault.at = at;
    // Time for what it leaves behind to heal.
    at += fault.lasts + Millis{random.between(1500, 3500)};
    if (at + cool_down > options.length) return plan;
    plan.push_back(fault);
  }
}

}  // namespace mainstay::torture
