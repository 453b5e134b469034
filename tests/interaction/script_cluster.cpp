#include "tests/interaction/script_cluster.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "tests/harness/describe.hpp"

namespace mainstay::interaction {

using consensus::Core;
using consensus::CoreRole;
using consensus::Entry;
using consensus::Index;
using consensus::Member;
using consensus::MemberRole;
using consensus::Membership;
using consensus::Message;
using consensus::Persist;
using consensus::Ready;
using consensus::SnapshotMeta;
using harness::describe;

namespace {

// A mistake in the script, not in the cluster.
struct ScriptError {
  std::string what;
};

std::uint64_t number(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
    throw ScriptError{"'" + text + "' is not a number"};
  return std::stoull(text);
}

NodeId id_of(const std::vector<std::string>& words, std::size_t at) {
  if (at >= words.size()) throw ScriptError{"which node?"};
  return NodeId{number(words[at])};
}

// "name=value" among the words.
std::optional<std::string> value_of(const std::vector<std::string>& words,
                                    const std::string& name) {
  for (const std::string& word : words)
    if (word.compare(0, name.size() + 1, name + "=") == 0) return word.substr(name.size() + 1);
  return std::nullopt;
}

std::set<NodeId> ids_in(const std::string& list) {
  std::set<NodeId> ids;
  std::istringstream in{list};
  for (std::string part; std::getline(in, part, ',');) ids.insert(NodeId{number(part)});
  return ids;
}

Member member_of(NodeId id, Incarnation incarnation, MemberRole role) {
  Member member;
  member.id = id;
  member.incarnation = incarnation;
  member.role = role;
  return member;
}

}  // namespace

std::string ScriptCluster::run(const std::string& line) {
  answer_.clear();
  std::istringstream in{line};
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  try {
    const std::string complaint = words.empty() ? "no command" : dispatch(words);
    if (!complaint.empty()) say("error: " + complaint);
  } catch (const ScriptError& error) {
    say("error: " + error.what);
  }
  return answer_.empty() ? "ok\n" : std::move(answer_);
}

std::string ScriptCluster::dispatch(const Words& words) {
  const std::string& command = words[0];
  if (command == "add-nodes") {
    add_nodes(words);
  } else if (command == "campaign") {
    campaign(id_of(words, 1));
  } else if (command == "quietly") {
    return quietly(words);
  } else if (command == "elect") {
    elect(id_of(words, 1));
  } else if (command == "tick") {
    const NodeId id = id_of(words, 1);
    const std::uint64_t count = words.size() > 2 ? number(words[2]) : 1;
    for (std::uint64_t i = 0; i < count; ++i) node(id).core->tick();
    note_role(id);
  } else if (command == "propose") {
    propose(words);
  } else if (command == "change") {
    change(words);
  } else if (command == "read") {
    if (words.size() != 3) throw ScriptError{"read NODE CONTEXT"};
    node(id_of(words, 1)).core->read_index(number(words[2]));
  } else if (command == "transfer") {
    const NodeId to = words.size() > 2 ? id_of(words, 2) : NodeId{};
    const Result<void> done = node(id_of(words, 1)).core->transfer(to);
    if (!done) say("refused: " + std::string{to_string(done.error().code)});
  } else if (command == "ready") {
    ready(id_of(words, 1));
  } else if (command == "deliver") {
    deliver(words);
  } else if (command == "stabilize") {
    stabilize(words);
  } else if (command == "status") {
    status(words);
  } else {
    return dispatch_faults(words);
  }
  return {};
}

std::string ScriptCluster::dispatch_faults(const Words& words) {
  const std::string& command = words[0];
  if (command == "slow-disk") {
    node(id_of(words, 1)).slow_disk = words.size() < 3 || words[2] == "on";
  } else if (command == "stored") {
    stored(id_of(words, 1), words.size() > 2 ? number(words[2]) : 1);
  } else if (command == "crash") {
    crash(id_of(words, 1));
  } else if (command == "restart") {
    restart(id_of(words, 1));
  } else if (command == "cut" || command == "isolate") {
    cut(words);
  } else if (command == "heal") {
    cuts_.clear();
  } else if (command == "lose") {
    for (auto& [id, each] : nodes_)
      if (words.size() < 2 || id == id_of(words, 1)) each->inbox.clear();
  } else if (command == "unreachable") {
    node(id_of(words, 1)).core->report_unreachable(id_of(words, 2));
    note_role(id_of(words, 1));
  } else if (command == "drain") {
    node(id_of(words, 1)).core->set_draining(words.size() < 3 || words[2] == "on");
  } else if (command == "quarantine") {
    node(id_of(words, 1)).core->set_quarantined(words.size() < 3 || words[2] == "on");
  } else {
    return dispatch_log(words);
  }
  return {};
}

std::string ScriptCluster::dispatch_log(const Words& words) {
  const std::string& command = words[0];
  if (command == "add-empty") {
    add_empty_node(id_of(words, 1), words.size() > 2 ? number(words[2]) : 1);
  } else if (command == "snapshot") {
    snapshot(id_of(words, 1));
  } else if (command == "compact") {
    if (words.size() != 3) throw ScriptError{"compact NODE INDEX"};
    harness::MemoryLog& log = node(id_of(words, 1)).log;
    const Index to = number(words[2]);
    if (to < log.first_index() || to > log.last_index())
      throw ScriptError{"it holds no such entry"};
    log.compact(to);
  } else if (command == "snapshot-received" || command == "snapshot-failed") {
    const NodeId id = id_of(words, 1);
    if (!node(id).pulling) throw ScriptError{"it pulls no snapshot"};
    const SnapshotMeta meta = *node(id).pulling;
    node(id).pulling.reset();
    node(id).core->snapshot_received(meta, command == "snapshot-received");
  } else if (command == "check") {
    const Result<Index> done = node(id_of(words, 1)).core->propose_check();
    if (!done) say("refused: " + std::string{to_string(done.error().code)});
  } else if (command == "log") {
    show_log(id_of(words, 1));
  } else {
    return "there is no command '" + command + "'";
  }
  return {};
}

// --- making nodes ---

void ScriptCluster::set_option(const std::string& word) {
  const std::size_t split = word.find('=');
  if (split == std::string::npos) throw ScriptError{"'" + word + "' is not name=value"};
  const std::string name = word.substr(0, split);
  const std::uint64_t value = number(word.substr(split + 1));
  const auto narrow = static_cast<std::uint32_t>(value);
  if (name == "append-bytes")
    options_.append_bytes_max = value;
  else if (name == "window")
    options_.inflight_appends_max = value;
  else if (name == "window-bytes")
    options_.inflight_bytes_max = value;
  else if (name == "uncommitted-bytes")
    options_.uncommitted_bytes_max = value;
  else if (name == "promote-lag")
    options_.promote_lag_entries = narrow;
  else if (name == "promote-ticks")
    options_.promote_stable_ticks = narrow;
  else if (name == "recent-bytes")
    options_.recent_bytes_max = value;
  else if (name == "stall-ticks")
    options_.disk_stall_ticks = narrow;
  else if (name != "learners")
    throw ScriptError{"there is no option '" + name + "'"};
}

void ScriptCluster::add_nodes(const Words& words) {
  const std::uint64_t count = words.size() > 1 ? number(words[1]) : 0;
  for (std::size_t i = 2; i < words.size(); ++i) set_option(words[i]);
  const std::uint64_t learners = number(value_of(words, "learners").value_or("0"));
  Membership initial;
  for (std::uint64_t id = 1; id <= count + learners; ++id)
    initial.members.push_back(member_of(NodeId{id}, Incarnation{id * 100 + 1},
                                        id <= count ? MemberRole::voter : MemberRole::learner));
  for (const Member& member : initial.members) {
    auto& made = nodes_[member.id] = std::make_unique<Node>();
    made->incarnation = member.incarnation;
    made->log = harness::MemoryLog{initial};
    made->applied_membership = initial;
    start_core(member.id);
  }
}

void ScriptCluster::add_empty_node(NodeId id, std::uint64_t life) {
  auto& made = nodes_[id] = std::make_unique<Node>();
  made->incarnation = Incarnation{id.value * 100 + life};
  start_core(id);
}

void ScriptCluster::start_core(NodeId id) {
  Node& starting = node(id);
  consensus::CoreOptions options = options_;
  options.id = id;
  options.incarnation = starting.incarnation;
  consensus::InitialState initial;
  initial.hard_state = starting.log.hard_state();
  initial.membership = starting.log.start_membership();
  initial.applied = starting.applied =
      std::max(starting.durable_applied, starting.log.first_index() - 1);
  starting.random = std::make_unique<SeededRandom>(id.value);
  starting.core = std::make_unique<Core>(options, initial, starting.log, *starting.random);
  starting.role = CoreRole::follower;
}

ScriptCluster::Node& ScriptCluster::node(NodeId id) {
  const auto at = nodes_.find(id);
  if (at == nodes_.end()) throw ScriptError{"there is no node " + to_string(id)};
  return *at->second;
}

// --- commands ---

void ScriptCluster::campaign(NodeId id) {
  Node& campaigning = node(id);
  for (int ticks = 0; ticks < 200 && !campaigning.core->has_ready(); ++ticks)
    campaigning.core->tick();
  note_role(id);
}

// An election whose messages are not the point of the script.
void ScriptCluster::elect(NodeId id) {
  campaign(id);
  stabilize({"stabilize"});
  answer_.clear();
  say(fmt::format("n{} is {} of term {}", id.value, to_string(node(id).core->role()),
                  node(id).core->term()));
}

std::string ScriptCluster::quietly(const Words& words) {
  const std::string complaint = dispatch({words.begin() + 1, words.end()});
  answer_.clear();
  return complaint;
}

void ScriptCluster::propose(const Words& words) {
  if (words.size() < 3) throw ScriptError{"propose NODE TEXT [COUNT]"};
  const std::uint64_t count = words.size() > 3 ? number(words[3]) : 1;
  std::vector<Bytes> payloads;
  for (std::uint64_t i = 0; i < count; ++i)
    payloads.emplace_back(count == 1 ? words[2] : words[2] + std::to_string(i + 1));
  const Result<Index> place = node(id_of(words, 1)).core->propose(std::move(payloads));
  if (place)
    say(fmt::format("at {}", *place));
  else
    say("refused: " + std::string{to_string(place.error().code)});
}

// change NODE add=4 | add-auto=4 | remove=2 | promote=4 | demote=3 | replace=2
void ScriptCluster::change(const Words& words) {
  const NodeId leader = id_of(words, 1);
  Membership next = node(leader).core->membership();
  auto& members = next.members;
  const auto place = [&](const std::string& text) {
    const NodeId id{number(text)};
    return std::find_if(members.begin(), members.end(),
                        [id](const Member& member) { return member.id >= id; });
  };
  for (const char* how : {"add", "add-auto", "replace"}) {
    const auto who = value_of(words, how);
    if (!who) continue;
    const NodeId id{number(*who)};
    Member member = member_of(id, node(id).incarnation, MemberRole::learner);
    member.auto_promote = std::string{how} != "add";
    const auto at = place(*who);
    if (std::string{how} == "replace")
      *at = member;
    else
      members.insert(at, member);
  }
  if (const auto who = value_of(words, "remove")) members.erase(place(*who));
  if (const auto who = value_of(words, "promote")) place(*who)->role = MemberRole::voter;
  if (const auto who = value_of(words, "demote")) place(*who)->role = MemberRole::learner;
  const Result<Index> done = node(leader).core->propose_membership(next);
  if (done)
    say(fmt::format("at {}", *done));
  else
    say("refused: " + std::string{to_string(done.error().code)});
}

void ScriptCluster::ready(NodeId id) {
  if (!ready_once(id)) say("nothing");
}

bool ScriptCluster::ready_once(NodeId id) {
  Node& working = node(id);
  if (!working.core || !working.core->has_ready()) return false;
  const Ready ready = working.core->take_ready();
  if (!ready.persist.empty()) say(fmt::format("n{} writes {}", id.value, describe(ready.persist)));
  for (const Message& message : ready.send_now) post(message, "sends");
  for (const consensus::ReadState& read : ready.reads)
    say(read.index == 0
            ? fmt::format("n{} read {} is refused", id.value, read.context)
            : fmt::format("n{} read {} may be served at {}", id.value, read.context, read.index));
  if (ready.pull_snapshot) {
    working.pulling = ready.pull_snapshot;
    say(fmt::format("n{} is to pull snapshot {}@t{} from n{}", id.value, ready.pull_snapshot->index,
                    ready.pull_snapshot->term, ready.snapshot_source.value));
  }
  apply(id, ready.committed);
  if (working.slow_disk && !ready.persist.empty()) {
    for (const Message& message : ready.send_after_stored)
      say(fmt::format("n{} keeps until stored: {}", id.value, describe(message)));
    working.unstored.emplace_back(ready.persist, ready.send_after_stored);
  } else {
    if (!ready.persist.empty()) persisted(id, ready.persist);
    for (const Message& message : ready.send_after_stored) post(message, "sends");
  }
  note_role(id);
  return true;
}

void ScriptCluster::persisted(NodeId id, const Persist& persist) {
  Node& writing = node(id);
  writing.log.write(persist);
  if (persist.snapshot) {
    writing.applied = writing.durable_applied = persist.snapshot->index;
    writing.applied_membership = persist.snapshot->membership;
    say(fmt::format("n{} installs snapshot {}", id.value, persist.snapshot->index));
  }
  writing.core->stored(persist.mark);
}

void ScriptCluster::apply(NodeId id, const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  Node& applying = node(id);
  std::string text;
  for (const Entry& entry : entries) {
    text += (text.empty() ? "" : ", ") + describe(entry);
    if (entry.membership) applying.applied_membership = *entry.membership;
    applying.applied = entry.index;
  }
  applying.durable_applied = applying.applied;
  say(fmt::format("n{} applies {}", id.value, text));
  applying.core->applied(applying.applied);
}

void ScriptCluster::post(const Message& message, const char* when) {
  const bool lost = cuts_.contains({message.from, message.to}) || nodes_.count(message.to) == 0 ||
                    !node(message.to).core;
  say(fmt::format("n{} {} {}{}", message.from.value, when, describe(message),
                  lost ? " (lost)" : ""));
  if (!lost) node(message.to).inbox.push_back(message);
}

void ScriptCluster::deliver(const Words& words) {
  const NodeId id = id_of(words, 1);
  std::set<NodeId> dropped;
  if (const auto list = value_of(words, "drop")) dropped = ids_in(*list);
  if (!deliver_to(id, dropped)) say("nothing");
}

bool ScriptCluster::deliver_to(NodeId id, const std::set<NodeId>& dropped) {
  Node& receiving = node(id);
  if (!receiving.core || receiving.inbox.empty()) return false;
  for (const Message& message : std::exchange(receiving.inbox, {})) {
    const bool drop = dropped.contains(message.from);
    say(fmt::format("n{} {} {}", id.value, drop ? "never gets" : "gets", describe(message)));
    if (!drop) receiving.core->step(message);
  }
  note_role(id);
  return true;
}

// stabilize [NODES]: until nothing moves any more. Slow disks stay slow.
void ScriptCluster::stabilize(const Words& words) {
  std::set<NodeId> ids;
  for (std::size_t i = 1; i < words.size(); ++i) ids.insert(NodeId{number(words[i])});
  bool moved = true;
  for (int round = 0; moved && round < 100; ++round) {
    moved = false;
    for (const auto& [id, each] : nodes_) {
      if (!ids.empty() && !ids.contains(id)) continue;
      while (ready_once(id)) moved = true;
      if (deliver_to(id, {})) moved = true;
    }
  }
}

void ScriptCluster::stored(NodeId id, std::size_t count) {
  Node& writing = node(id);
  for (std::size_t i = 0; i < count && !writing.unstored.empty(); ++i) {
    const auto [persist, messages] = std::move(writing.unstored.front());
    writing.unstored.pop_front();
    say(fmt::format("n{} has stored {}", id.value, describe(persist)));
    persisted(id, persist);
    for (const Message& message : messages) post(message, "sends");
  }
  note_role(id);
}

void ScriptCluster::crash(NodeId id) {
  Node& dying = node(id);
  dying.core.reset();
  dying.inbox.clear();
  if (!dying.unstored.empty())
    say(fmt::format("n{} loses {} writes", id.value, dying.unstored.size()));
  dying.unstored.clear();
  dying.pulling.reset();
}

void ScriptCluster::restart(NodeId id) {
  if (node(id).core) throw ScriptError{"it runs"};
  start_core(id);
  status({"status", std::to_string(id.value)});
}

// cut FROM TO: one direction; isolate NODE: all its links, both directions.
void ScriptCluster::cut(const Words& words) {
  const NodeId id = id_of(words, 1);
  if (words[0] == "cut") {
    cuts_.insert({id, id_of(words, 2)});
    return;
  }
  for (const auto& [other, unused] : nodes_) {
    cuts_.insert({id, other});
    cuts_.insert({other, id});
  }
}

void ScriptCluster::snapshot(NodeId id) {
  Node& making = node(id);
  SnapshotMeta meta;
  meta.index = making.applied;
  meta.term = making.log.term(meta.index).value_or(0);
  meta.membership = making.applied_membership;
  meta.id = fmt::format("s{}.{}", id.value, meta.index);
  meta.bytes = 1000;
  making.log.set_snapshot(meta);
  say(fmt::format("snapshot {}@t{} {}", meta.index, meta.term, describe(meta.membership)));
}

void ScriptCluster::status(const Words& words) {
  for (const auto& [id, each] : nodes_) {
    if (words.size() > 1 && id_of(words, 1) != id) continue;
    if (!each->core) {
      say(fmt::format("n{} is down", id.value));
      continue;
    }
    const consensus::Status status = each->core->status();
    std::string text = fmt::format("n{} {} term {} log {}..{} commit {} applied {}", id.value,
                                   to_string(status.role), status.term, status.first, status.last,
                                   status.commit, status.applied);
    if (status.leader) text += fmt::format(" leader n{}", status.leader.value);
    text += " " + describe(status.membership);
    say(text);
    static constexpr const char* states[] = {"probe", "replicate", "snapshot"};
    for (const consensus::MemberStatus& member : status.members)
      if (member.id != id)
        say(fmt::format("  n{} {} match {} next {}{}", member.id.value,
                        states[static_cast<int>(member.state)], member.match, member.next,
                        member.recently_active ? "" : " silent"));
  }
}

void ScriptCluster::show_log(NodeId id) {
  const harness::MemoryLog& log = node(id).log;
  say(fmt::format("n{} starts after {}@t{}", id.value, log.first_index() - 1,
                  log.term(log.first_index() - 1).value_or(0)));
  if (log.last_index() < log.first_index()) return;
  for (const Entry& entry :
       log.entries(log.first_index(), log.last_index() + 1, std::size_t{1} << 30))
    say("  " + describe(entry));
}

void ScriptCluster::note_role(NodeId id) {
  Node& changed = node(id);
  if (!changed.core || changed.core->role() == changed.role) return;
  changed.role = changed.core->role();
  say(fmt::format("n{} is {} of term {}", id.value, to_string(changed.role), changed.core->term()));
}

void ScriptCluster::say(const std::string& text) {
  answer_ += text + "\n";
}

}  // namespace mainstay::interaction
