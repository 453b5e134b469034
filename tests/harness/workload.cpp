#include "tests/harness/workload.hpp"

#include <charconv>

#include "tests/harness/violation.hpp"

namespace mainstay::harness {

using record::Command;
using record::CommandKind;
using record::Outcome;

namespace {

constexpr const char* collection = "stock";

std::uint64_t number_in(std::string_view json) {
  std::uint64_t number = 0;
  if (json.size() > 1) std::from_chars(json.data() + 1, json.data() + json.size(), number);
  return number;
}

bool same_answer(const Outcome& a, const Outcome& b) {
  return a.refused == b.refused && a.version == b.version && a.revision == b.revision &&
         a.created == b.created;
}

}  // namespace

struct Workload::Client {
  std::uint32_t number = 0;
};

// One call from the client's first attempt to its answer, or until it gives up.
struct Workload::Running {
  Client* client = nullptr;  // null: a probe or a final read
  std::uint32_t key = 0;
  Call call;
  Command command;
  SimTime give_up = 0;
  std::uint32_t attempts = 0;
  bool over = false;
  std::function<void()> on_answer;
};

Workload::Workload(SimWorld world, const Plan& plan, std::function<SimNode*()> pick)
    : world_{world}, plan_{plan}, pick_{std::move(pick)} {}

Workload::~Workload() = default;

void Workload::start() {
  for (std::uint32_t i = 0; i < plan_.clients; ++i) {
    clients_.push_back(std::make_unique<Client>(Client{i + 1}));
    Client* client = clients_.back().get();
    world_.scheduler.after(world_.random.between(0, 300 * sim_ms),
                           [this, client] { begin(*client); });
  }
}

void Workload::stop() {
  stopped_ = true;
}

bool Workload::idle() const {
  return under_way_ == 0;
}

void Workload::begin(Client& client) {
  if (stopped_) return;
  const auto key = static_cast<std::uint32_t>(world_.random.between(1, plan_.keys));
  auto running = make_call(key, world_.random.between(0, 99) < 60);
  running->client = &client;
  running->call.label = "client " + std::to_string(client.number);
  attempt(running);
}

std::shared_ptr<Workload::Running> Workload::make_call(std::uint32_t key, bool write) {
  Random& random = world_.random;
  auto running = std::make_shared<Running>();
  const std::uint64_t number = ++next_call_;
  running->key = key;
  running->call.called = world_.scheduler.now();
  running->give_up = world_.scheduler.now() + 3 * sim_second;
  ++under_way_;
  if (!write) return running;
  const bool remove = random.between(0, 9) == 0;
  running->call.kind = remove ? Call::Kind::remove : Call::Kind::put;
  running->call.value = remove ? 0 : number;
  Command& command = running->command;
  command.operation = "op-" + std::to_string(number);
  command.request_hash = {1, number};
  command.kind = remove ? CommandKind::remove : CommandKind::put;
  command.collection = collection;
  command.key = key_name(key);
  if (!remove)
    command.value = Bytes{"\"" + std::to_string(number) + ":" +
                          std::string(random.between(0, plan_.value_bytes_max), 'x') + "\""};
  const std::uint64_t demand = random.between(0, 9);
  if (demand < 3 && seen_version_[key] != 0) {
    running->call.demand = Call::Demand::version_is;
    running->call.demanded_version = seen_version_[key];
    command.condition.version_is = seen_version_[key];
  } else if (demand == 3 && !remove) {
    running->call.demand = Call::Demand::must_be_absent;
    command.condition.must_be_absent = true;
  } else if (demand == 4) {
    running->call.demand = Call::Demand::must_exist;
    command.condition.must_exist = true;
  }
  return running;
}

void Workload::attempt(const std::shared_ptr<Running>& running) {
  if (running->over) return;
  if (world_.scheduler.now() >= running->give_up) {
    finish(running);
    return;
  }
  ++running->attempts;
  if (SimNode* node = pick_()) {
    if (running->call.kind == Call::Kind::read)
      attempt_read(running, *node);
    else
      attempt_write(running, *node);
  }
  world_.scheduler.after(world_.random.between(100 * sim_ms, 500 * sim_ms),
                         [this, running] { attempt(running); });
}

void Workload::attempt_write(const std::shared_ptr<Running>& running, SimNode& node) {
  node.submit(running->command,
              [this, running](const Outcome& outcome) { on_outcome(running, outcome); });
}

void Workload::on_outcome(const std::shared_ptr<Running>& running, const Outcome& outcome) {
  const auto [at, first] = acknowledged_.try_emplace(running->command.operation, outcome);
  if (!first && !same_answer(at->second, outcome))
    throw Violation{"one operation, one answer",
                    running->command.operation + " was answered differently by two attempts"};
  if (running->over) return;
  world_.trace.mark("outcome", outcome.version, outcome.refused.has_value() ? 1 : 0);
  running->call.answered = world_.scheduler.now();
  running->call.version = outcome.version;
  running->call.answer = outcome.refused ? Call::Answer::refused : Call::Answer::done;
  if (outcome.version != 0) seen_version_[running->key] = outcome.version;
  world_.trace.say(0, "{} {}", running->command.operation, to_string(running->call));
  if (running->on_answer) running->on_answer();
  const std::uint64_t choice = world_.random.between(0, 19);
  if (choice < 2) repeat(running);
  if (choice == 2) reuse(running);
  finish(running);
}

// A client that asks again though it was answered gets the same answer.
void Workload::repeat(const std::shared_ptr<Running>& running) {
  const Command command = running->command;
  world_.scheduler.after(world_.random.between(0, 400 * sim_ms), [this, command] {
    SimNode* node = pick_();
    if (node == nullptr) return;
    node->submit(command, [this, command](const Outcome& outcome) {
      if (!same_answer(acknowledged_.at(command.operation), outcome))
        throw Violation{"one operation, one answer",
                        command.operation + " got another answer when it was repeated"};
    });
  });
}

// Another request under a used operation id is refused.
void Workload::reuse(const std::shared_ptr<Running>& running) {
  Command command = running->command;
  command.request_hash[0] = 2;
  SimNode* node = pick_();
  if (node == nullptr) return;
  node->submit(command, [command](const Outcome& outcome) {
    if (outcome.refused != Errc::operation_reused)
      throw Violation{"reused operation id refused",
                      command.operation + " was used for a second, different request"};
  });
}

void Workload::attempt_read(const std::shared_ptr<Running>& running, SimNode& node) {
  node.read(collection, key_name(running->key),
            [this, running](const ReadAnswer& answer) { on_read(running, answer); });
}

void Workload::on_read(const std::shared_ptr<Running>& running, const ReadAnswer& answer) {
  if (running->over || answer.refused) return;
  running->call.answered = world_.scheduler.now();
  running->call.answer = Call::Answer::done;
  if (answer.record && !answer.record->tombstone) {
    running->call.version = answer.record->version;
    running->call.value = number_in(answer.record->value.view());
    seen_version_[running->key] = answer.record->version;
  }
  world_.trace.mark("read", running->call.value, running->call.version);
  world_.trace.say(0, "{}", to_string(running->call));
  if (running->on_answer) running->on_answer();
  finish(running);
}

void Workload::finish(const std::shared_ptr<Running>& running) {
  running->over = true;
  --under_way_;
  history_[running->key].push_back(running->call);
  Client* client = running->client;
  if (client == nullptr || stopped_) return;
  world_.scheduler.after(world_.random.between(0, plan_.think_max),
                         [this, client] { begin(*client); });
}

std::shared_ptr<Workload::Probe> Workload::probe() {
  auto probe = std::make_shared<Probe>();
  for (const bool write : {true, false}) {
    auto running = make_call(1, write);
    running->call.label = "probe";
    running->give_up = world_.scheduler.now() + 3600 * sim_second;
    running->on_answer = [probe, write] { (write ? probe->wrote : probe->read) = true; };
    attempt(running);
  }
  return probe;
}

void Workload::read_all(SimNode& node) {
  for (std::uint32_t key = 1; key <= plan_.keys; ++key) {
    auto running = make_call(key, false);
    running->call.label = "reader";
    running->give_up = world_.scheduler.now() + 20 * sim_second;
    attempt_read(running, node);
    attempt(running);
  }
}

void Workload::judge_history() const {
  for (const auto& [key, calls] : history_) {
    const Judgement judgement = judge(calls, 300'000);
    if (judgement.verdict == Judgement::Verdict::undecided) ++undecided_;
    if (judgement.verdict == Judgement::Verdict::violated)
      throw Violation{"linearizable", "record " + key_name(key) + ": " + judgement.explanation};
  }
}

void Workload::check_acknowledged(SimNode& node) const {
  auto view = node.store().records().read();
  if (!view) throw Violation{"acknowledged is for ever", "no read view"};
  for (const auto& [operation, outcome] : acknowledged_) {
    const auto found = (*view)->state().find_operation(operation);
    if (!found || !same_answer(found->outcome, outcome))
      throw Violation{"acknowledged is for ever",
                      operation + (found ? " has another outcome" : " is missing") + " on n" +
                          to_string(node.id())};
  }
}

}  // namespace mainstay::harness
