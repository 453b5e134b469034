#include "runtime/history/linearizability.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "runtime/base/checksum.hpp"

namespace mainstay::history {

namespace {

// The record as the model knows it: version counts writes, deletions included; value 0 means it
// does not exist.
struct Cell {
  std::uint64_t version = 0;
  std::uint64_t value = 0;
};

bool demand_holds(const Call& call, const Cell& cell) {
  switch (call.demand) {
    case Call::Demand::none:
      return true;
    case Call::Demand::version_is:
      return cell.value != 0 && cell.version == call.demanded_version;
    case Call::Demand::must_exist:
      return cell.value != 0;
    case Call::Demand::must_be_absent:
      return cell.value == 0;
  }
  return false;
}

Cell written(const Call& call, const Cell& cell) {
  if (call.kind == Call::Kind::put) return {cell.version + 1, call.value};
  // Removing what is not there changes nothing.
  return cell.value == 0 ? cell : Cell{cell.version + 1, 0};
}

// The record after the call, or nothing if the call cannot have had this answer in this state.
std::optional<Cell> after(const Call& call, const Cell& cell) {
  if (call.kind == Call::Kind::read) {
    if (call.answer == Call::Answer::none) return cell;
    const bool same = call.value == cell.value && (call.value == 0 || call.version == cell.version);
    return same ? std::optional{cell} : std::nullopt;
  }
  const bool holds = demand_holds(call, cell);
  switch (call.answer) {
    case Call::Answer::none:
      return holds ? written(call, cell) : cell;
    case Call::Answer::refused:
      if (call.kind == Call::Kind::remove && cell.value == 0) return cell;
      return !holds ? std::optional{cell} : std::nullopt;
    case Call::Answer::done: {
      if (!holds) return std::nullopt;
      const Cell next = written(call, cell);
      return next.version == call.version ? std::optional{next} : std::nullopt;
    }
  }
  return std::nullopt;
}

class Search {
 public:
  Search(std::vector<Call> calls, std::uint64_t steps_max)
      : calls_{std::move(calls)}, left_{steps_max}, taken_(calls_.size(), '\0') {
    for (const Call& call : calls_) open_ += call.answer != Call::Answer::none ? 1 : 0;
  }

  Judgement run() {
    if (explain(Cell{}, 0)) return {};
    if (left_ == 0) return {Judgement::Verdict::undecided, "the search was cut short"};
    return {Judgement::Verdict::violated, story()};
  }

 private:
  // Depth-first over the orders; true when all answered calls have a place.
  bool explain(Cell cell, std::size_t first) {
    if (open_ == 0) return true;
    if (left_ == 0 || !visit(cell)) return false;
    --left_;
    while (first < calls_.size() && taken_[first] != 0) ++first;
    const std::uint64_t horizon = earliest_answer(first);
    if (order_.size() > best_.size()) best_ = order_;
    for (std::size_t i = first; i < calls_.size() && calls_[i].called <= horizon; ++i) {
      if (taken_[i] != 0) continue;
      const auto next = after(calls_[i], cell);
      const bool pointless =
          calls_[i].answer == Call::Answer::none &&
          (!next || (next->version == cell.version && next->value == cell.value));
      if (!next || pointless) continue;
      take(i);
      if (explain(*next, first)) return true;
      give_back(i);
    }
    return false;
  }

  void take(std::size_t i) {
    taken_[i] = 1;
    order_.push_back(i);
    if (calls_[i].answer != Call::Answer::none) --open_;
  }

  void give_back(std::size_t i) {
    taken_[i] = 0;
    order_.pop_back();
    if (calls_[i].answer != Call::Answer::none) ++open_;
  }

  // Whatever comes next must have been called before the earliest answer still unexplained.
  std::uint64_t earliest_answer(std::size_t first) const {
    std::uint64_t earliest = never;
    for (std::size_t i = first; i < calls_.size() && calls_[i].called <= earliest; ++i)
      if (taken_[i] == 0) earliest = std::min(earliest, calls_[i].answered);
    return earliest;
  }

  bool visit(const Cell& cell) {
    const std::uint64_t seed = cell.version * 0x9e3779b97f4a7c15 + cell.value;
    return visited_.insert(xxh3_128({taken_.data(), taken_.size()}, seed)).second;
  }

  std::string story() const {
    std::string text = "no order explains these answers; the longest one found:\n";
    Cell cell;
    std::set<std::size_t> placed;
    for (std::size_t i : best_) {
      cell = *after(calls_[i], cell);
      placed.insert(i);
    }
    const std::size_t from = best_.size() > 12 ? best_.size() - 12 : 0;
    for (std::size_t at = from; at < best_.size(); ++at)
      text += fmt::format("  {}\n", to_string(calls_[best_[at]]));
    text += fmt::format("then version {} value {}, and none of these fits next:\n", cell.version,
                        cell.value);
    std::size_t shown = 0;
    for (std::size_t i = 0; i < calls_.size() && shown < 12; ++i) {
      if (placed.contains(i) || calls_[i].answer == Call::Answer::none) continue;
      text += fmt::format("  {}\n", to_string(calls_[i]));
      ++shown;
    }
    return text;
  }

  std::vector<Call> calls_;
  std::uint64_t left_;
  std::vector<char> taken_;
  std::size_t open_ = 0;  // answered calls without a place
  std::vector<std::size_t> order_, best_;
  std::set<Hash128> visited_;
};

}  // namespace

Judgement judge(std::vector<Call> calls, std::uint64_t steps_max) {
  std::stable_sort(calls.begin(), calls.end(),
                   [](const Call& a, const Call& b) { return a.called < b.called; });
  return Search{std::move(calls), steps_max}.run();
}

std::string to_string(const Call& call) {
  static constexpr const char* kinds[] = {"read", "put", "remove"};
  static constexpr const char* demands[] = {"", " if version ", " if it exists", " if absent"};
  std::string text =
      fmt::format("[{} .. {}] {} {}{}", call.called,
                  call.answered == never ? "?" : std::to_string(call.answered), call.label,
                  kinds[static_cast<int>(call.kind)], demands[static_cast<int>(call.demand)]);
  if (call.demand == Call::Demand::version_is) text += std::to_string(call.demanded_version);
  if (call.kind == Call::Kind::put) text += fmt::format(" value {}", call.value);
  switch (call.answer) {
    case Call::Answer::none:
      return text + " -> no answer";
    case Call::Answer::refused:
      return text + fmt::format(" -> refused, version {}", call.version);
    case Call::Answer::done:
      break;
  }
  if (call.kind == Call::Kind::read) text += fmt::format(" -> value {}", call.value);
  return text + fmt::format(" -> version {}", call.version);
}

}  // namespace mainstay::history
