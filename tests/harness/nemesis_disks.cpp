// Faults of disks: slow, failing, damaged, lost.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "runtime/store/sealed_file.hpp"
#include "tests/harness/simulation.hpp"

namespace mainstay::harness {

using consensus::Member;
using consensus::Membership;

bool Simulation::disks_may_be_lost() const {
  // Never more than one member without its disk, and never while the membership is on the move.
  if (newcomer_ || at_risk_ || !retired_.empty() || someone_may_be_put_out()) return false;
  const Membership& members = invariants_.membership();
  if (members.voters().size() < 3) return false;
  for (const Member& member : members.members) {
    const auto at = nodes_.find(member.id);
    if (at != nodes_.end() && at->second->up() && !(at->second->core().membership() == members))
      return false;
    if (at == nodes_.end() || !at->second->up() || at->second->key().second != member.incarnation)
      return false;
    if (at->second->damaged()) return false;
  }
  return true;
}

void Simulation::strike_disk(Fault fault) {
  Random& random = *random_;
  SimNode* node = random.between(0, 1) == 0 && leader() != nullptr ? leader() : random_up();
  if (node == nullptr) return;
  if (fault == Fault::slow_disk) {
    if (random.between(0, 1) == 0 && leader() != nullptr) {
      stale_write_race();
      return;
    }
    trace_.say(node->id().value, "its disk is slow");
    node->settings().disk_min = random.between(5, 100) * sim_ms;
    node->settings().disk_max = node->settings().disk_min + random.between(0, 900) * sim_ms;
    scheduler_.after(random.between(100, 2'000) * sim_ms, [this, node] {
      node->settings().disk_min = plan_.node.disk_min;
      node->settings().disk_max = plan_.node.disk_max;
    });
  } else if (fault == Fault::disk_error) {
    if (random.between(0, 3) == 0)
      node->disk().fail_from_sync_of(
          random.between(0, 1) == 0 ? "records/checkpoint" : "log/checkpoint", EIO);
    else
      node->disk().fail_after(random.between(0, 20), random.between(0, 1) == 0 ? EIO : ENOSPC);
    scheduler_.after(random.between(50, 1'500) * sim_ms, [this, node] {
      node->disk().clear_failure();
      if (excluded_.contains(node->id())) return;
      bring_up(*node);
      // What a failed sync left in the page cache is gone on from; then it goes, too.
      if (random_->between(0, 2) != 0) return;
      scheduler_.after(random_->between(0, 200) * sim_ms, [this, node] {
        if (!chaos_ || !node->up()) return;
        node->crash(true);
        restart_later(*node, random_->between(1, 300) * sim_ms);
      });
    });
  } else if (disks_may_be_lost() && is_member(*node)) {
    if (fault == Fault::lost_disk) {
      node->crash(true);
      lose_disk(*node);
    } else if (fault == Fault::differ) {
      if (!node->was_altered()) node->alter_next();
    } else {
      damage(*node);
    }
  }
}

// One follower with a slow disk is the only one that still hears the leader; then the leader is
// gone, too: entries that only these two have are still on their way to the disk when another
// leader replaces them.
void Simulation::stale_write_race() {
  const SimNode* old = leader();
  std::vector<SimNode*> others;
  for (const auto& [id, node] : nodes_)
    if (id != old->id() && node->up()) others.push_back(node.get());
  if (others.empty()) return;
  SimNode* slow = others[random_->between(0, others.size() - 1)];
  trace_.say(slow->id().value, "its disk is slow, and only it hears n{}", old->id().value);
  slow->settings().disk_min = random_->between(100, 400) * sim_ms;
  slow->settings().disk_max = slow->settings().disk_min + random_->between(0, 400) * sim_ms;
  for (const SimNode* other : others) {
    if (other == slow) continue;
    network_.cut(old->id(), other->id());
    network_.cut(other->id(), old->id());
  }
  scheduler_.after(random_->between(20, 200) * sim_ms, [this, from = old->id(), to = slow->id()] {
    if (!chaos_) return;
    network_.cut(from, to);
    network_.cut(to, from);
  });
  mend_later(random_->between(500, 1'500) * sim_ms);
  scheduler_.after(random_->between(600, 2'000) * sim_ms, [this, slow] {
    slow->settings().disk_min = plan_.node.disk_min;
    slow->settings().disk_max = plan_.node.disk_max;
  });
}

// The node comes back with an empty disk: another incarnation, hence another member, that must be
// taken in.
void Simulation::lose_disk(SimNode& node) {
  if (at_risk_ == node.id()) at_risk_ = NodeId{};
  node.lose_disk();
  retired_.insert(node.id());
  scheduler_.after(random_->between(10, 500) * sim_ms, [this, id = node.id()] { admit(id); });
}

// The majority named it: it comes back as another member, without what it had.
void Simulation::on_quarantined(SimNode& node) {
  ++quarantines_;
  if (outcomes_.contains(node.id())) outcomes_[node.id()] = DamageOutcome::quarantined;
  scheduler_.after(random_->between(0, 50) * sim_ms, [this, which = &node] {
    if (retired_.contains(which->id())) return;
    which->crash(false);
    which->start_over();
    retired_.insert(which->id());
    scheduler_.after(random_->between(10, 300) * sim_ms, [this, id = which->id()] { admit(id); });
  });
}

bool Simulation::someone_differs() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const auto& each) { return each.second->differs(); });
}

bool Simulation::someone_may_be_put_out() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const auto& each) { return each.second->may_be_put_out(); });
}

namespace {

// Where in a journal file (docs/formats/log.md) a byte of the last frame is, by the mark that
// stands behind it.
std::optional<std::uint64_t> last_frame_byte(const std::filesystem::path& path, Random& random) {
  constexpr std::size_t sector = store::SealedFile::sector_bytes;
  constexpr std::size_t of_content = store::SealedFile::content_bytes;
  std::ifstream file{path, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  std::string content;
  for (std::size_t at = 0; at + sector <= bytes.size(); at += sector)
    content.append(bytes, at, of_content);
  std::uint64_t newest = 0;
  std::optional<std::uint64_t> place;
  for (std::size_t at = 0; at + 24 <= content.size(); at += 8) {
    std::uint64_t sequence = 0;
    std::memcpy(&sequence, &content[at + 16], sizeof sequence);
    if (content.compare(at + 4, 4, "\xff\xff\xff\xff") != 0 || sequence <= newest || at < 24)
      continue;
    newest = sequence;
    const std::size_t byte = at - std::min<std::size_t>(at, random.between(8, 24));
    place = byte / of_content * sector + byte % of_content;
  }
  return place;
}

}  // namespace

void Simulation::damage(SimNode& node) {
  if (random_->between(0, 1) == 0) {
    damage_journal(node);
    return;
  }
  const std::uint64_t number = random_->between(1, workload_->calls() + 1);
  if (!node.disk().flip_bit("log/data.mdb", "op-" + std::to_string(number), *random_)) return;
  trace_.say(node.id().value, "a bit flips in its log");
  node.expect_trouble(true);
  at_risk_ = node.id();
  // It is found at the latest when the log is opened again.
  SimNode* damaged = &node;
  scheduler_.after(random_->between(0, 300) * sim_ms, [this, damaged] {
    damaged->crash(false);
    restart_later(*damaged, random_->between(1, 100) * sim_ms);
  });
}

// The process ends, or the power goes, which takes the mark behind the last frame along; then a bit
// flips in the journal: any, or one of the last frame.
void Simulation::damage_journal(SimNode& node) {
  if (node.disk().failure_happened()) return;
  const std::string file = random_->between(0, 1) == 0 ? "log/journal.0" : "log/journal.1";
  const bool any = random_->between(0, 3) == 0;
  const auto last = last_frame_byte(node.disk().directory() / file, *random_);
  node.crash(random_->between(0, 1) == 0);
  restart_later(node, random_->between(1, 400) * sim_ms);
  const bool flipped = any || !last ? node.disk().flip_any_bit(file, *random_)
                                    : node.disk().flip_bit_at(file, *last, *random_);
  if (!flipped) return;
  trace_.say(node.id().value, "a bit flips in {}", file);
  node.expect_trouble(true);
  at_risk_ = node.id();
}

}  // namespace mainstay::harness
