#include "tests/harness/corruption.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/disk_state.hpp"
#include "tests/harness/simulation.hpp"

namespace mainstay::harness {

namespace fs = std::filesystem;

std::string_view to_string(DamagedFile file) {
  static constexpr std::array<std::string_view, damaged_file_count> names{
      "log/data.mdb",       "log/checkpoint", "log/journal.*",   "records/data.mdb",
      "records/checkpoint", "identity.json",  "snapshots/*.snap"};
  return names.at(static_cast<std::size_t>(file));
}

std::string_view to_string(Damage damage) {
  static constexpr std::array<std::string_view, damage_count> names{
      "flipped bit", "garbage", "zeroed page", "truncated", "another node's", "missing"};
  return names.at(static_cast<std::size_t>(damage));
}

std::string_view to_string(DamageMoment moment) {
  static constexpr std::array<std::string_view, damage_moment_count> names{"killed", "power cut",
                                                                           "running"};
  return names.at(static_cast<std::size_t>(moment));
}

std::string_view to_string(DamageOutcome outcome) {
  static constexpr std::array<std::string_view, damage_outcome_count> names{
      "no place", "harmless", "refused", "scrubbed", "stopped", "quarantined", "died"};
  return names.at(static_cast<std::size_t>(outcome));
}

bool makes_sense(const Corruption& corruption) {
  const bool mapped =
      corruption.file == DamagedFile::log_data || corruption.file == DamagedFile::record_data;
  if (corruption.file == DamagedFile::snapshot) return corruption.moment == DamageMoment::running;
  if (corruption.moment != DamageMoment::running) return true;
  return !mapped || corruption.damage == Damage::flipped_bit;
}

namespace {

// The path of the file below a data directory, if it is there.
std::optional<fs::path> path_of(const fs::path& directory, DamagedFile file, Random& random) {
  const auto there = [&](const fs::path& name) -> std::optional<fs::path> {
    return fs::exists(directory / name) ? std::optional{directory / name} : std::nullopt;
  };
  if (file == DamagedFile::journal)
    return there(random.between(0, 1) == 0 ? "log/journal.0" : "log/journal.1");
  if (file != DamagedFile::snapshot) return there(fs::path{to_string(file)});
  std::vector<fs::path> found;
  if (fs::exists(directory / "snapshots"))
    for (const auto& entry : fs::directory_iterator{directory / "snapshots"})
      if (entry.path().extension() == ".snap") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  if (found.empty()) return std::nullopt;
  return found.back();
}

std::string read_all(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

void write_at(const fs::path& path, std::size_t at, std::string_view bytes) {
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  file.seekp(static_cast<std::streamoff>(at));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

bool flip_in(const fs::path& path, const std::string& content, const std::string& text,
             Random& random) {
  std::vector<std::size_t> places;
  for (std::size_t at = content.find(text); at != std::string::npos;
       at = content.find(text, at + 1))
    places.push_back(at);
  if (places.empty()) return false;
  const std::size_t at =
      places[random.between(0, places.size() - 1)] + random.between(0, text.size() - 1);
  const char flipped = static_cast<char>(content[at] ^ (1 << random.between(0, 6)));
  write_at(path, at, {&flipped, 1});
  return true;
}

}  // namespace

bool damage_file(const std::string& directory, const std::string& other,
                 const Corruption& corruption, const std::string& text, Random& random) {
  const PastTheDisk past;
  const auto path = path_of(directory, corruption.file, random);
  if (!path) return false;
  const std::string content = read_all(*path);
  if (!text.empty()) return flip_in(*path, content, text, random);
  const std::size_t used = content.find_last_not_of('\0') + 1;
  if (used == 0) return false;
  const std::size_t at = random.between(0, used - 1);
  switch (corruption.damage) {
    case Damage::flipped_bit: {
      const char flipped = static_cast<char>(content[at] ^ (1 << random.between(0, 7)));
      write_at(*path, at, {&flipped, 1});
      return true;
    }
    case Damage::garbage: {
      std::string bytes(std::min<std::size_t>(64, content.size() - at), '\0');
      for (char& byte : bytes) byte = static_cast<char>(random.between(0, 255));
      write_at(*path, at, bytes);
      return true;
    }
    case Damage::zeroed_page: {
      const std::size_t page = at / 4096 * 4096;
      write_at(*path, page, std::string(std::min<std::size_t>(4096, content.size() - page), '\0'));
      return true;
    }
    case Damage::truncated:
      fs::resize_file(*path, at);
      return true;
    case Damage::swapped: {
      const fs::path theirs = fs::path{other} / path->lexically_relative(directory);
      if (!fs::exists(theirs)) return false;
      fs::copy_file(theirs, *path, fs::copy_options::overwrite_existing);
      return true;
    }
    case Damage::missing:
      fs::remove(*path);
      return true;
  }
  return false;
}

// --- the run ---

namespace {

constexpr SimTime down_for = 200 * sim_ms;
constexpr SimTime go_on_for = 600 * sim_ms;

// Opens the store and reads everything it holds; the exit code tells: 0 good, 1 refused, 2 damaged.
[[noreturn]] void try_store(SimNode& node, const std::string& directory) {
  ::alarm(20);
  int code = 0;
  try {
    store::StoreOptions options = node.store_options();
    options.directory = directory;
    SeededRandom random{1};
    auto opened = store::NodeStore::open(options, random);
    if (!opened) {
      code = 1;
    } else {
      const bool whole = (*opened)->log().verify() && (*opened)->records().scrub();
      code = whole ? 0 : 2;
    }
  } catch (const NodeStopped&) {
    code = 2;
  }
  ::_exit(code);
}

}  // namespace

// In a process of its own and on a copy: LMDB trusts its pages, and a damaged one can bring the
// process down. That is one node's end, not the simulated cluster's.
DamageOutcome Simulation::probe(SimNode& node) {
  const std::string copy = root_ + "/probe";
  const PastTheDisk past;
  fs::remove_all(copy);
  fs::copy(node.disk().directory(), copy, fs::copy_options::recursive);
  const pid_t child = ::fork();
  if (child == 0) try_store(node, copy);
  int status = 0;
  ::waitpid(child, &status, 0);
  fs::remove_all(copy);
  if (!WIFEXITED(status)) return DamageOutcome::died;
  static constexpr std::array outcomes{DamageOutcome::harmless, DamageOutcome::refused,
                                       DamageOutcome::scrubbed};
  return outcomes.at(static_cast<std::size_t>(WEXITSTATUS(status)));
}

std::vector<SimNode*> Simulation::pick_victims(std::uint32_t count) {
  std::vector<SimNode*> victims;
  if (SimNode* leading = leader(); leading != nullptr && random_->between(0, 1) == 0)
    victims.push_back(leading);
  while (victims.size() < count) {
    SimNode* node = random_up();
    if (std::find(victims.begin(), victims.end(), node) == victims.end()) victims.push_back(node);
  }
  return victims;
}

void Simulation::damage_files(const Corruption& corruption, std::vector<SimNode*>& victims) {
  const bool mapped =
      corruption.file == DamagedFile::log_data || corruption.file == DamagedFile::record_data;
  const bool in_use = corruption.moment == DamageMoment::running;
  for (SimNode* victim : victims) {
    if (!in_use) victim->crash(corruption.moment == DamageMoment::power_cut);
    const auto others = node_ids();
    NodeId other = victim->id();
    while (other == victim->id()) other = others[random_->between(0, others.size() - 1)];
    const std::uint64_t call = random_->between(1, workload_->calls());
    const std::string text = in_use && mapped ? "op-" + std::to_string(call) : "";
    const bool done =
        damage_file(victim->disk().directory().string(), node(other).disk().directory().string(),
                    corruption, text, *random_);
    victim->expect_trouble(true);
    outcomes_[victim->id()] = done ? DamageOutcome::harmless : DamageOutcome::no_place;
    trace_.say(victim->id().value, "{}: {} {}", to_string(corruption.file),
               to_string(corruption.damage), done ? "" : "found no place");
  }
}

// As whoever runs it does when a node does not start (docs/operations.md), or as the node itself
// when the majority tells it so: it begins anew.
void Simulation::begin_anew(SimNode& node, DamageOutcome why) {
  outcomes_[node.id()] = why;
  if (node.state() != SimNode::State::down) node.crash(false);
  lose_disk(node);
}

void Simulation::watch_victims(const std::vector<SimNode*>& victims) {
  for (SimNode* victim : victims)
    if (victim->state() == SimNode::State::down && !retired_.contains(victim->id()))
      begin_anew(*victim, DamageOutcome::stopped);
  scheduler_.after(100 * sim_ms, [this, victims] { watch_victims(victims); });
}

void Simulation::corrupt() {
  const Corruption& corruption = *options_.corruption;
  std::vector<SimNode*> victims = pick_victims(corruption.victims);
  damage_files(corruption, victims);
  run_for(down_for);
  if (corruption.file == DamagedFile::snapshot) {
    // It matters when somebody has to have it.
    SimNode* newcomer = random_up();
    while (std::find(victims.begin(), victims.end(), newcomer) != victims.end())
      newcomer = random_up();
    newcomer->crash(true);
    lose_disk(*newcomer);
    run_for(go_on_for);
  }
  for (SimNode* victim : victims) {
    victim->crash(false);
    const DamageOutcome outcome = probe(*victim);
    if (outcome != DamageOutcome::harmless) {
      begin_anew(*victim, outcome);
      continue;
    }
    victim->settings().audit_one_in = 4;
    bring_up(*victim);
  }
  watch_victims(victims);
  run_for(go_on_for);
}

}  // namespace mainstay::harness
