#include "runtime/torture/nemesis.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>
#include <poll.h>

#include "runtime/sys/clock.hpp"

namespace mainstay::torture {

namespace {

constexpr int look_ms = 10;
constexpr Millis restart_after{200};
constexpr Millis well_within{30'000};
constexpr Millis drained_within{30'000};
constexpr Millis flap_every{250};
constexpr int exit_no_start = 1;   // as long as the disk is full
constexpr int exit_io_error = 74;  // a failed write or sync ends a node (docs/guarantees.md, P7)

MonotonicTime now() {
  return sys::system_clock().monotonic();
}

}  // namespace

Nemesis::Nemesis(Lab& lab, Courier& courier, Evidence& evidence, const Timeline& timeline,
                 const std::atomic<bool>& interrupted, const NemesisOptions& options)
    : lab_{lab},
      courier_{courier},
      evidence_{evidence},
      timeline_{timeline},
      interrupted_{interrupted},
      options_{options},
      random_{options.seed} {}

// --- time, and what a service manager does ---

void Nemesis::supervise() {
  for (std::uint32_t node = 1; node <= lab_.nodes(); ++node) {
    if (const auto code = lab_.take_end(node)) {
      const bool expected = disk_faulty_ && (*code == exit_io_error || *code == exit_no_start);
      if (!expected)
        evidence_.wrong(
            check::ends,
            fmt::format("{:.1f} s: node {} ended with {}",
                        static_cast<double>(timeline_.since_begin(now()).count()) / 1000, node,
                        *code));
      start_again_[node] = now() + restart_after;
    }
    const auto due = start_again_.find(node);
    if (due != start_again_.end() && now() >= due->second) start(node);
  }
}

void Nemesis::start(std::uint32_t node, const std::filesystem::path& recording) {
  start_again_.erase(node);
  evidence_.looked(check::ends);
  if (const auto started = lab_.start(node, recording); !started)
    evidence_.wrong(check::ends, fmt::format("node {}: {}", node, started.error().message));
}

bool Nemesis::wait_until(Millis patience, const std::function<bool()>& done) {
  const auto until = now() + patience;
  for (;;) {
    supervise();
    if (done()) return true;
    if (now() >= until) return false;
    ::poll(nullptr, 0, look_ms);
  }
}

void Nemesis::idle(Millis time) {
  wait_until(time, [this] { return interrupted_.load(); });
}

void Nemesis::idle_until(Millis since_begin) {
  idle(since_begin - timeline_.since_begin(now()));
}

// --- looking ---

std::optional<json::Value> Nemesis::view(std::uint32_t node) {
  const Answer answer = courier_.ask_node(node, {http::Method::get, "/v1/cluster"}, Millis{500});
  if (!answer.good()) return std::nullopt;
  return object_in(answer.body);
}

std::uint32_t Nemesis::leader(Millis patience) {
  std::uint32_t found = 0;
  wait_until(patience, [&] {
    std::uint64_t term = 0;
    for (std::uint32_t node = 1; node <= lab_.nodes(); ++node) {
      const auto seen = view(node);
      if (!seen || text_of(*seen, "role") != "leader" || number_of(*seen, "term") < term) continue;
      term = number_of(*seen, "term");
      found = node;
    }
    return found != 0 || interrupted_;
  });
  return found;
}

bool Nemesis::ready(std::uint32_t node) {
  return courier_.ask_node(node, {http::Method::get, "/readyz"}, Millis{500}).good();
}

bool Nemesis::make_well(Millis patience) {
  if (lab_.network() != nullptr) lab_.network()->heal();
  for (std::uint32_t node = 1; node <= lab_.nodes(); ++node) {
    if (Control* control = lab_.control(node); control != nullptr) {
      control->clock_ahead_ms = 0;
      control->sync_delay_ms = 0;
      control->sync_error = 0;
    }
    if (Process* process = lab_.process(node); process != nullptr)
      process->signal(SIGCONT);
    else if (!start_again_.contains(node))
      start(node);
  }
  const bool well = wait_until(patience, [this] {
    for (std::uint32_t node = 1; node <= lab_.nodes(); ++node)
      if (!ready(node)) return false;
    // A node that was added again may be a learner still: the next fault would find no majority.
    return all_voters();
  });
  if (well) disk_faulty_ = false;
  return well;
}

bool Nemesis::agreed(Millis patience) {
  return wait_until(patience, [this] {
    std::uint64_t checked = 0;
    for (std::uint32_t node = 1; node <= lab_.nodes(); ++node) {
      const auto seen = view(node);
      if (!seen || !flag_of(*seen, "hashes_agree")) return false;
      const std::uint64_t at = number_of(*seen, "checked_index");
      if (at == 0 || number_of(*seen, "applied") < at || (checked != 0 && at != checked))
        return false;
      checked = at;
    }
    return all_voters();
  });
}

bool Nemesis::all_voters() {
  for (std::uint32_t node = 1; node <= lab_.nodes(); ++node) {
    const auto seen = view(node);
    const json::Value* members = seen ? seen->find("members") : nullptr;
    if (members == nullptr || members->items().size() != lab_.nodes()) return false;
    for (const json::Value& member : members->items())
      if (text_of(member, "role") != "voter") return false;
  }
  return true;
}

// --- one fault ---

std::string Nemesis::obstacle(const Fault& fault) const {
  const Abilities& abilities = lab_.abilities();
  switch (need_of(fault.kind)) {
    case Need::nothing:
      return {};
    case Need::network:
      return abilities.no_network;
    case Need::hook:
      return abilities.no_hook;
    case Need::mount:
      return abilities.no_mount;
  }
  return {};
}

void Nemesis::strike(const Fault& fault) {
  idle_until(fault.at);
  if (interrupted_) return;
  Struck struck;
  struck.fault = fault;
  struck.left_out = obstacle(fault);
  struck.from = timeline_.since_begin(now());
  if (struck.happened()) {
    struck.node = fault.node != 0 ? fault.node : leader(Millis{5000});
    if (fault.kind == FaultKind::disk_full) struck.node = lab_.small_disk();
    if (struck.node == 0) struck.node = 1;
    struck.from = timeline_.since_begin(now());
    act(struck);
    struck.healed = timeline_.since_begin(now());
    evidence_.looked(check::recovers);
    if (!make_well(well_within))
      evidence_.wrong(check::recovers, fmt::format("not all nodes were ready {} s after: {}",
                                                   well_within.count() / 1000, to_string(fault)));
    struck.well = timeline_.since_begin(now());
  }
  struck_.push_back(std::move(struck));
}

void Nemesis::act(Struck& struck) {
  switch (need_of(struck.fault.kind)) {
    case Need::nothing:
      return act_on_process(struck);
    case Need::network:
      return act_on_network(struck);
    case Need::hook:
    case Need::mount:
      return act_on_disk(struck);
  }
}

void Nemesis::act_on_process(Struck& struck) {
  const Fault& fault = struck.fault;
  switch (fault.kind) {
    case FaultKind::kill:
      lab_.kill(struck.node);
      return idle(fault.lasts);
    case FaultKind::freeze:
      if (Process* process = lab_.process(struck.node); process != nullptr && !process->freeze())
        struck.note = "it did not stop within a second";
      return idle(fault.lasts);
    case FaultKind::drain:
      return drain(struck.node, struck);
    case FaultKind::rolling_drain:
      struck.node = 0;
      for (std::uint32_t node = 1; node <= lab_.nodes() && !interrupted_; ++node) {
        drain(node, struck);
        make_well(well_within);
      }
      return;
    case FaultKind::kill_all:
      return kill_all(struck);
    default:
      return membership(struck);
  }
}

void Nemesis::kill_all(Struck& struck) {
  struck.node = 0;
  for (std::uint32_t node = 1; node <= lab_.nodes(); ++node) lab_.kill(node);
  for (std::uint32_t node = 1; node <= lab_.nodes(); ++node) start(node);
}

void Nemesis::drain(std::uint32_t node, Struck& struck) {
  Process* process = lab_.process(node);
  if (process == nullptr) return;
  const auto began = now();
  process->signal(SIGTERM);
  const auto code = process->wait(drained_within);
  struck.note += fmt::format("{}node {} gone after {:.1f} s", struck.note.empty() ? "" : ", ", node,
                             std::chrono::duration<double>(now() - began).count());
  if (code != 0)
    evidence_.wrong(check::ends, fmt::format("node {} drained with {}", node,
                                             code ? std::to_string(*code) : "no end"));
  lab_.kill(node);
  start(node);
}

void Nemesis::membership(Struck& struck) {
  const std::uint32_t leading = leader(Millis{5000});
  if (struck.node == leading || struck.fault.node == 0) struck.node = leading % lab_.nodes() + 1;
  const auto seen = view(struck.node);
  const json::Value* members = seen ? seen->find("members") : nullptr;
  json::Value self = json::Value::object();
  if (members != nullptr)
    for (const json::Value& member : members->items())
      if (number_of(member, "id") == struck.node) self = member;
  const std::string target = fmt::format("/v1/cluster/members/{}", struck.node);
  if (!courier_.ask_quietly({http::Method::remove, target}).good()) {
    struck.note = "the cluster did not remove it";
    return;
  }
  idle(struck.fault.lasts);
  const std::string body = fmt::format(
      R"({{"id":{},"incarnation":"{}","peer_address":"{}","api_address":"{}"}})", struck.node,
      text_of(self, "incarnation"), text_of(self, "peer_address"), text_of(self, "api_address"));
  const bool added = wait_until(well_within, [&] {
    return courier_
        .ask_quietly({http::Method::post,
                      "/v1/cluster/members",
                      body,
                      {},
                      {{"Content-Type", "application/json"}}},
                     Millis{2000})
        .good();
  });
  if (!added)
    evidence_.wrong(check::recovers, fmt::format("node {} was not added again", struck.node));
}

// --- the network ---

void Nemesis::link_pair(std::uint32_t a, std::uint32_t b, const Link& link) {
  lab_.network()->set_link(a - 1, b - 1, link);
  lab_.network()->set_link(b - 1, a - 1, link);
}

void Nemesis::link_all(const Link& link) {
  for (std::uint32_t a = 1; a <= lab_.nodes(); ++a)
    for (std::uint32_t b = a + 1; b <= lab_.nodes(); ++b) link_pair(a, b, link);
}

void Nemesis::cut_from_others(std::uint32_t node, bool in, bool out) {
  Link cut;
  cut.cut = true;
  for (std::uint32_t other = 1; other <= lab_.nodes(); ++other) {
    if (other == node) continue;
    if (in) lab_.network()->set_link(other - 1, node - 1, cut);
    if (out) lab_.network()->set_link(node - 1, other - 1, cut);
  }
}

void Nemesis::flap(Struck& struck) {
  const auto until = now() + struck.fault.lasts;
  for (bool apart = true; now() < until && !interrupted_; apart = !apart) {
    if (apart)
      cut_from_others(struck.node, true, true);
    else
      lab_.network()->heal();
    idle(flap_every);
  }
}

void Nemesis::act_on_network(Struck& struck) {
  const Fault& fault = struck.fault;
  const auto amount = fault.amount;
  Link link;
  switch (fault.kind) {
    case FaultKind::flapping:
      return flap(struck);
    case FaultKind::isolate: {
      cut_from_others(struck.node, true, true);
      Link cut;
      cut.cut = true;
      link_pair(struck.node, lab_.nodes() + 1, cut);
      break;
    }
    case FaultKind::partition:
      cut_from_others(struck.node, true, true);
      break;
    case FaultKind::one_way:
      cut_from_others(struck.node, false, true);
      break;
    case FaultKind::bridge: {
      // Every other node but the bridge, in turn on its left and on its right.
      link.cut = true;
      std::vector<std::uint32_t> left, right;
      for (std::uint32_t node = 1; node <= lab_.nodes(); ++node)
        if (node != struck.node) (left.size() <= right.size() ? left : right).push_back(node);
      for (const std::uint32_t a : left)
        for (const std::uint32_t b : right) link_pair(a, b, link);
      break;
    }
    case FaultKind::loss:
      struck.node = 0;
      link.loss_per_mille = static_cast<std::uint32_t>(amount);
      link_all(link);
      break;
    case FaultKind::delay:
      struck.node = 0;
      link.delay = Millis{amount / 2};
      link.jitter = Millis{amount};
      link_all(link);
      break;
    default:
      struck.node = 0;
      link.reset = true;
      link_all(link);
      break;
  }
  idle(fault.lasts);
}

// --- disk and clock ---

void Nemesis::sync_error(Struck& struck) {
  disk_faulty_ = true;
  lab_.control(struck.node)->sync_error = EIO;
  Process* process = lab_.process(struck.node);
  if (process == nullptr) return;
  const auto code = process->wait(Millis{5000});
  struck.note = code ? fmt::format("it ended with {}", *code) : "it went on: nothing was synced";
}

void Nemesis::act_on_disk(Struck& struck) {
  const Fault& fault = struck.fault;
  switch (fault.kind) {
    case FaultKind::sync_error:
      return sync_error(struck);
    case FaultKind::sync_stall:
      lab_.control(struck.node)->sync_delay_ms = static_cast<std::uint32_t>(fault.amount);
      return idle(fault.lasts);
    case FaultKind::clock_step:
      lab_.control(struck.node)->clock_ahead_ms = fault.amount;
      return idle(fault.lasts);
    case FaultKind::crash_images:
      return crash_images(struck);
    default:
      break;
  }
  disk_faulty_ = true;
  if (const auto filled = lab_.fill_disk(); !filled) {
    struck.note = filled.error().message;
    return;
  }
  idle(fault.lasts);
  const auto seen = view(struck.node);
  struck.note = !seen                        ? "it did not answer"
                : flag_of(*seen, "disk_low") ? "it refused inserts"
                                             : "";
  if (const auto freed = lab_.free_disk(); !freed)
    evidence_.wrong(check::recovers, freed.error().message);
}

}  // namespace mainstay::torture
