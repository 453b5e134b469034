#include "tests/harness/plan.hpp"

#include <fmt/format.h>

#include "runtime/base/limits.hpp"

namespace mainstay::harness {

namespace {

bool chance(Random& random, std::uint32_t percent) {
  return random.between(0, 99) < percent;
}

NetworkFaults draw_network(Random& random) {
  NetworkFaults network;
  network.delay_min = random.between(50, 500);
  network.delay_max = network.delay_min + random.between(50, chance(random, 25) ? 20'000 : 1'500);
  if (chance(random, 40)) network.drop = static_cast<std::uint32_t>(random.between(1, 150));
  if (chance(random, 40)) network.duplicate = static_cast<std::uint32_t>(random.between(1, 150));
  if (chance(random, 40)) network.reorder = static_cast<std::uint32_t>(random.between(10, 500));
  if (chance(random, 30)) network.straggle = static_cast<std::uint32_t>(random.between(1, 60));
  if (chance(random, 30)) network.slow_votes = static_cast<std::uint32_t>(random.between(100, 700));
  network.straggle_max = random.between(20, 1500) * sim_ms;
  return network;
}

NodeSettings draw_node(Random& random) {
  NodeSettings node;
  node.disk_min = random.between(20, 500);
  node.disk_max = node.disk_min + random.between(20, chance(random, 25) ? 30'000 : 1'000);
  node.report_max = random.between(0, chance(random, 25) ? 10'000 : 300);
  node.apply_max = node.apply_min + random.between(0, chance(random, 25) ? 20'000 : 500);
  if (chance(random, 60)) node.compact_every = static_cast<std::uint32_t>(random.between(3, 60));
  node.keep_entries = chance(random, 50) ? 0 : static_cast<std::uint32_t>(random.between(1, 20));
  node.honour_pins = chance(random, 60);
  node.compact_alone = chance(random, 40);
  node.report_last_only = chance(random, 30);
  node.sync_every = random.between(50, 1'000) * sim_ms;
  node.resend = chance(random, 30);
  node.chunk_bytes = random.between(2'000, 20'000);
  consensus::CoreOptions& core = node.core;
  core.promote_stable_ticks = static_cast<std::uint32_t>(random.between(2, 40));
  core.promote_lag_entries = static_cast<std::uint32_t>(random.between(2, 50));
  if (chance(random, 60))
    core.recent_bytes_max = random.between(0, 3'000);  // else compaction shows late
  if (chance(random, 30)) core.append_bytes_max = random.between(100, 2'000);
  if (chance(random, 30)) core.inflight_appends_max = random.between(1, 8);
  if (chance(random, 20)) core.inflight_bytes_max = random.between(500, 10'000);
  if (chance(random, 20)) core.uncommitted_bytes_max = random.between(1'000, 20'000);
  return node;
}

// How clients behave, and how long what they did is remembered.
void draw_clients(Random& random, Plan& plan) {
  plan.clients = static_cast<std::uint32_t>(random.between(2, 5));
  plan.keys = static_cast<std::uint32_t>(random.between(1, 4));
  plan.think_max = random.between(5, 100) * sim_ms;
  plan.value_bytes_max = chance(random, 15) ? 12'000 : 64;
  plan.stock_percent = static_cast<std::uint32_t>(random.between(30, 70));
  if (chance(random, 40)) plan.fence_percent = static_cast<std::uint32_t>(random.between(2, 20));
  plan.readers = static_cast<std::uint32_t>(random.between(1, 2));
  plan.bulk = chance(random, 4);
  plan.node.apply.window_ms = limits::retention_window_ms;
  plan.short_window = chance(random, 25);
  if (!plan.short_window) return;
  static constexpr std::array<std::uint64_t, 4> rates{1, 1, 1'000, 50'000};
  plan.node.clock_rate = rates.at(random.between(0, rates.size() - 1));
  // At the highest rate two days pass within a seed.
  if (plan.node.clock_rate < rates.back() || chance(random, 60))
    plan.node.apply.window_ms = random.between(50, 2'000) * plan.node.clock_rate;
  // Few: so that some of what is due has to wait for the next entries.
  if (chance(random, 60)) plan.node.apply.expire_rows_min = random.between(2, 20);
  if (plan.bulk || !chance(random, 40)) return;
  plan.churn_percent = static_cast<std::uint32_t>(random.between(30, 90));
  plan.stock_percent = static_cast<std::uint32_t>(random.between(5, 40));
  plan.node.apply.expire_rows_min = random.between(2, 8);
}

}  // namespace

std::string_view to_string(Fault fault) {
  static constexpr std::array<std::string_view, fault_count> names{
      "kill",      "power",          "power_in_write", "power_all",    "pause",  "partition",
      "one_way",   "isolate_leader", "transfer",       "drain",        "member", "lost_disk",
      "slow_disk", "disk_error",     "damage",         "chase_leader", "unseen", "check",
      "storm",     "election_crash", "hasty_member",   "differ"};
  return names.at(static_cast<std::size_t>(fault));
}

Plan draw_plan(Random& random, std::uint64_t seed, std::uint32_t nodes, bool liveness) {
  Plan plan;
  static constexpr std::array<std::uint32_t, 8> mix{3, 3, 5, 3, 4, 5, 7, 3};
  plan.nodes = nodes != 0 ? nodes : mix.at(random.between(0, mix.size() - 1));
  plan.chaos = random.between(2'500, 6'000) * sim_ms;
  const auto calm =
      static_cast<std::uint32_t>(random.between(50, 90));  // percent of faults that stay off
  for (SimTime& every : plan.every)
    if (!chance(random, calm)) every = random.between(150, 1'500) * sim_ms;
  // Who differs is found by checks.
  SimTime& checks = plan.every.at(static_cast<std::size_t>(Fault::check));
  if (plan.on(Fault::differ) && checks == 0) checks = 300 * sim_ms;
  plan.network = draw_network(random);
  plan.node = draw_node(random);
  draw_clients(random, plan);
  plan.liveness = liveness || seed % 2 == 0;
  // Only where the stream does not outrun windows, disks and network.
  const consensus::CoreOptions ample;
  plan.flood = chance(random, 60) && plan.node.disk_max < 1'500 && plan.network.delay_max < 2'500 &&
               plan.node.core.append_bytes_max == ample.append_bytes_max &&
               plan.node.core.inflight_appends_max == ample.inflight_appends_max &&
               plan.node.core.inflight_bytes_max == ample.inflight_bytes_max &&
               plan.node.core.uncommitted_bytes_max == ample.uncommitted_bytes_max;
  plan.skewed_ticks = chance(random, 40);
  plan.skewed_clocks = chance(random, 40);
  return plan;
}

Plan draw_calm_plan(Random& random, std::uint32_t nodes) {
  Plan plan;
  plan.nodes = nodes;
  plan.chaos = 700 * sim_ms;
  draw_clients(random, plan);
  plan.think_max = 40 * sim_ms;
  plan.short_window = plan.bulk = false;
  plan.churn_percent = 0;
  plan.node = NodeSettings{};
  plan.node.apply.window_ms = limits::retention_window_ms;
  plan.node.compact_every = static_cast<std::uint32_t>(random.between(20, 60));
  plan.node.keep_entries = static_cast<std::uint32_t>(random.between(0, 20));
  plan.node.sync_every = random.between(50, 500) * sim_ms;
  plan.every.at(static_cast<std::size_t>(Fault::check)) = 300 * sim_ms;
  return plan;
}

std::string describe(const Plan& plan) {
  std::string text = fmt::format(
      "{} nodes, {} clients, {} keys, chaos {} ms, drop {} duplicate {} reorder {} straggle {} per "
      "mille, delay {}-{} us, disk {}-{} us, compaction every {}",
      plan.nodes, plan.clients, plan.keys, plan.chaos / sim_ms, plan.network.drop,
      plan.network.duplicate, plan.network.reorder, plan.network.straggle, plan.network.delay_min,
      plan.network.delay_max, plan.node.disk_min, plan.node.disk_max, plan.node.compact_every);
  for (std::size_t i = 0; i < fault_count; ++i)
    if (plan.every[i] != 0)
      text +=
          fmt::format(", {} every {} ms", to_string(static_cast<Fault>(i)), plan.every[i] / sim_ms);
  if (plan.short_window)
    text += fmt::format(", kept for {} ms, {} rows leave at once", plan.node.apply.window_ms,
                        plan.node.apply.expire_rows_min);
  if (plan.churn_percent != 0)
    text +=
        fmt::format(", {} % of the commands on histories that are cut short", plan.churn_percent);
  if (plan.node.clock_rate != 1)
    text += fmt::format(", clocks {} times as fast", plan.node.clock_rate);
  return text + (plan.bulk ? ", bulk" : "") + (plan.liveness ? ", liveness demanded" : "");
}

}  // namespace mainstay::harness
