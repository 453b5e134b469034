#include "runtime/torture/report.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mainstay::torture {

namespace {

double seconds_of(Millis time) {
  return static_cast<double>(time.count()) / 1000;
}

json::Value number(std::uint64_t value) {
  return json::Value::number(std::to_string(value));
}

json::Value number(Millis value) {
  return json::Value::number(std::to_string(value.count()));
}

json::Value text(const std::string& value) {
  return json::Value::string(value);
}

std::string who(const Struck& struck) {
  return struck.node == 0 ? "all" : fmt::format("node {}", struck.node);
}

std::string amount_text(const Fault& fault) {
  if (fault.amount == 0) return {};
  return fault.kind == FaultKind::loss
             ? fmt::format(" {:.0f}%", static_cast<double>(fault.amount) / 10)
             : fmt::format(" {} ms", fault.amount);
}

std::string left_out_lines(const Abilities& abilities) {
  std::string lines;
  const auto add = [&lines](const std::string& reason, const char* what) {
    if (!reason.empty()) lines += fmt::format("left out: {}, because {}\n", what, reason);
  };
  add(abilities.no_network, "faults of the network");
  add(abilities.no_hook, "faults of disk and clock, crash images");
  add(abilities.no_mount, "the full disk");
  return lines;
}

// A row of the table: each kind of fault, how often, and the worst it did.
std::string fault_lines(const Outcome& outcome) {
  std::string lines = "FAULT          TIMES  LEFT OUT  LONGEST GAP  SLOWEST REQUEST  WELL AGAIN\n";
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    std::size_t times = 0, left_out = 0;
    Millis gap{0}, request{0}, well{0};
    for (std::size_t i = 0; i < outcome.struck.size(); ++i) {
      const Struck& struck = outcome.struck[i];
      if (struck.fault.kind != static_cast<FaultKind>(kind)) continue;
      if (!struck.happened()) {
        ++left_out;
        continue;
      }
      ++times;
      gap = std::max(gap, outcome.effects[i].gap);
      request = std::max(request, outcome.effects[i].request);
      well = std::max(well, struck.well - struck.healed);
    }
    if (times + left_out == 0) continue;
    lines += fmt::format("{:<14} {:>5}  {:>8}  {:>8} ms  {:>12} ms  {:>7} ms\n",
                         to_string(static_cast<FaultKind>(kind)), times, left_out, gap.count(),
                         request.count(), well.count());
  }
  return lines;
}

std::string check_lines(const Outcome& outcome) {
  std::string lines;
  for (const Check& check : outcome.checks) {
    lines += fmt::format("{}  {:<42} {:>9} {}{}\n", check.passed() ? "PASS" : "FAIL", check.name,
                         check.looked, check.unit, check.note.empty() ? "" : "; " + check.note);
    for (std::size_t i = 0; i < std::min<std::size_t>(check.findings.size(), 3); ++i)
      lines += fmt::format("      {:.400}\n", check.findings[i]);
    if (check.wrong > 3) lines += fmt::format("      and {} more\n", check.wrong - 3);
  }
  return lines;
}

}  // namespace

bool Outcome::passed() const {
  return !interrupted && std::all_of(checks.begin(), checks.end(),
                                     [](const Check& check) { return check.passed(); });
}

double percent_in_time(std::uint64_t requests, std::uint64_t late) {
  if (requests == 0) return 0;
  return 100.0 * static_cast<double>(requests - late) / static_cast<double>(requests);
}

std::string verdict_text(const Outcome& outcome) {
  const double ran = std::max(0.001, seconds_of(outcome.ran));
  const auto happened = static_cast<std::size_t>(std::count_if(
      outcome.struck.begin(), outcome.struck.end(), [](const Struck& s) { return s.happened(); }));
  std::string text = fmt::format(
      "mainstay torture {}: {}\n"
      "seed {}, {} nodes, {:.0f} s of load on {}, {}\n\n",
      outcome.version, outcome.passed() ? "PASS" : (outcome.interrupted ? "INTERRUPTED" : "FAIL"),
      outcome.seed, outcome.nodes, ran, outcome.machine, outcome.began);
  text += left_out_lines(outcome.abilities);
  text += fmt::format(
      "{} requests ({:.0f}/s), p50 {:.1f} ms, p99 {:.1f} ms, longest {:.1f} s; {} faults\n"
      "answered within 1 s: {:.3f}% ({} late), {:.3f}% with the times when no majority was up\n"
      "longest time without an acknowledged write while a majority was up: {} ms\n"
      "packets: {} passed, {} lost, {} delayed, {} connections reset\n\n",
      outcome.requests, static_cast<double>(outcome.requests) / ran,
      static_cast<double>(outcome.latency.quantile(0.5).count()) / 1000,
      static_cast<double>(outcome.latency.quantile(0.99).count()) / 1000,
      static_cast<double>(outcome.latency.max().count()) / 1e6, happened,
      percent_in_time(outcome.served_requests, outcome.served_late), outcome.served_late,
      percent_in_time(outcome.requests, outcome.late), outcome.longest_gap.count(),
      outcome.packets.passed, outcome.packets.lost, outcome.packets.delayed,
      outcome.packets.resets);
  text += fault_lines(outcome);
  if (outcome.no_time > 0)
    text += fmt::format("{} planned faults had no time left, for others took longer\n",
                        outcome.no_time);
  text += "\n" + check_lines(outcome);
  text += "\nreport: " + outcome.directory + "/report.html\n";
  if (!outcome.passed()) text += "again: " + outcome.replay + "\n";
  return text;
}

json::Value verdict_document(const Outcome& outcome) {
  json::Array faults;
  for (std::size_t i = 0; i < outcome.struck.size(); ++i) {
    const Struck& struck = outcome.struck[i];
    json::Value fault =
        json::Value::object({{"kind", text(std::string{to_string(struck.fault.kind)})},
                             {"who", text(who(struck))},
                             {"amount", text(amount_text(struck.fault))},
                             {"from_ms", number(struck.from)}});
    if (struck.happened()) {
      fault.set("healed_ms", number(struck.healed));
      fault.set("well_ms", number(struck.well));
      fault.set("gap_ms", number(outcome.effects[i].gap));
      fault.set("slowest_request_ms", number(outcome.effects[i].request));
    } else {
      fault.set("left_out", text(struck.left_out));
    }
    if (!struck.note.empty()) fault.set("note", text(struck.note));
    faults.push_back(std::move(fault));
  }
  json::Array checks;
  for (const Check& check : outcome.checks) {
    json::Array findings;
    for (const std::string& finding : check.findings) findings.push_back(text(finding));
    checks.push_back(json::Value::object({{"name", text(check.name)},
                                          {"passed", json::Value::boolean(check.passed())},
                                          {"looked_at", number(check.looked)},
                                          {"unit", text(check.unit)},
                                          {"wrong", number(check.wrong)},
                                          {"note", text(check.note)},
                                          {"findings", json::Value::array(std::move(findings))}}));
  }
  json::Array gaps;
  for (const Gap& gap : outcome.gaps)
    gaps.push_back(
        json::Value::object({{"from_ms", number(gap.from)}, {"lasted_ms", number(gap.lasted)}}));
  return json::Value::object(
      {{"passed", json::Value::boolean(outcome.passed())},
       {"version", text(outcome.version)},
       {"machine", text(outcome.machine)},
       {"began", text(outcome.began)},
       {"seed", number(outcome.seed)},
       {"nodes", number(outcome.nodes)},
       {"load_ms", number(outcome.ran)},
       {"requests", number(outcome.requests)},
       {"late", number(outcome.late)},
       {"percent_in_time",
        json::Value::number(
            fmt::format("{:.4f}", percent_in_time(outcome.served_requests, outcome.served_late)))},
       {"p50_us", number(static_cast<std::uint64_t>(outcome.latency.quantile(0.5).count()))},
       {"p99_us", number(static_cast<std::uint64_t>(outcome.latency.quantile(0.99).count()))},
       {"max_us", number(static_cast<std::uint64_t>(outcome.latency.max().count()))},
       {"longest_gap_ms", number(outcome.longest_gap)},
       {"faults_without_time", number(std::uint64_t{outcome.no_time})},
       {"gaps", json::Value::array(std::move(gaps))},
       {"replay", text(outcome.replay)},
       {"checks", json::Value::array(std::move(checks))},
       {"faults", json::Value::array(std::move(faults))}});
}

}  // namespace mainstay::torture
