#include "tests/harness/workload.hpp"

#include <charconv>

#include "runtime/record/state_machine.hpp"
#include "tests/harness/audit.hpp"
#include "tests/harness/collections.hpp"
#include "tests/harness/outcomes.hpp"
#include "tests/harness/violation.hpp"

namespace mainstay::harness {

using record::ActionKind;
using record::Command;
using record::CommandKind;
using record::Outcome;
using record::StateReader;

namespace {

std::uint64_t number_in(std::string_view json) {
  std::uint64_t number = 0;
  if (json.size() > 1) std::from_chars(json.data() + 1, json.data() + json.size(), number);
  return number;
}

}  // namespace

struct Workload::Client {
  std::uint32_t number = 0;
};

// One call from the client's first attempt to its answer, or until it gives up.
struct Workload::Running {
  enum class Kind { stock_write, stock_read, command };
  Client* client = nullptr;  // null: a probe or a final read
  Kind kind = Kind::command;
  std::uint32_t key = 0;  // of stock
  Call call;
  Command command;
  SimTime give_up = 0;
  record::Revision acknowledged_before = 0;
  bool fenced = false;
  bool over = false;
  std::function<void()> on_answer;
};

Workload::Workload(SimWorld world, const Plan& plan, std::function<SimNode*()> pick)
    : world_{world},
      plan_{plan},
      pick_{std::move(pick)},
      requests_{world.random, world.model, !plan.bulk, plan.churn_percent} {}

Workload::~Workload() = default;

void Workload::start() {
  // Nothing can be written before its collection is declared.
  run_steps("setup", Requests::setup(), [this] {
    for (std::uint32_t i = 0; i < plan_.clients; ++i) {
      clients_.push_back(std::make_unique<Client>(Client{i + 1}));
      Client* client = clients_.back().get();
      world_.scheduler.after(world_.random.between(0, 100 * sim_ms),
                             [this, client] { begin(*client); });
    }
    if (plan_.bulk) run_steps("bulk", Requests::bulk(), [] {});
  });
  for (std::uint32_t i = 0; i < plan_.readers; ++i) {
    readers_.push_back(std::make_unique<FeedReader>(world_, i + 1, pick_));
    readers_.back()->start();
  }
}

// One after the other, whatever it takes.
void Workload::run_steps(std::string name, std::vector<Command> steps, std::function<void()> then) {
  if (steps.empty() || stopped_) return then();
  Command command = std::move(steps.front());
  steps.erase(steps.begin());
  command.operation = name + "-" + std::to_string(steps.size());
  command.request_hash = {4, steps.size()};
  const RunningPtr running = make_command(std::move(command));
  running->give_up = world_.scheduler.now() + 3600 * sim_second;
  running->on_answer = [this, name, steps = std::move(steps), then = std::move(then)] {
    run_steps(name, steps, then);
  };
  attempt(running);
}

void Workload::stop() {
  stopped_ = true;
  for (const auto& reader : readers_) reader->stop();
}

bool Workload::idle() const {
  return under_way_ == 0;
}

std::uint64_t Workload::changes_read() const {
  std::uint64_t sum = 0;
  for (const auto& reader : readers_) sum += reader->changes();
  return sum;
}

// --- calls ---

void Workload::begin(Client& client) {
  if (stopped_) return;
  RunningPtr running;
  if (world_.random.between(0, 99) < plan_.stock_percent) {
    const auto key = static_cast<std::uint32_t>(world_.random.between(1, plan_.keys));
    running = make_stock_call(key, world_.random.between(0, 99) < 60);
    running->call.label = "client " + std::to_string(client.number);
  } else {
    running = make_command(requests_.draw(next_call_ + 1));
  }
  running->client = &client;
  attempt(running);
}

Workload::RunningPtr Workload::make_call() {
  auto running = std::make_shared<Running>();
  running->call.called = world_.scheduler.now();
  running->give_up = world_.scheduler.now() + 3 * sim_second;
  running->acknowledged_before = newest_acknowledged_;
  ++next_call_;
  ++under_way_;
  return running;
}

Workload::RunningPtr Workload::make_command(Command command) {
  RunningPtr running = make_call();
  running->command = std::move(command);
  const Result<void> valid = record::validate(running->command);
  if (!valid) throw Violation{"requests are valid", to_string(valid.error())};
  return running;
}

Workload::RunningPtr Workload::make_stock_call(std::uint32_t key, bool write) {
  RunningPtr running = make_call();
  running->key = key;
  running->kind = write ? Running::Kind::stock_write : Running::Kind::stock_read;
  if (write) write_stock(*running);
  return running;
}

void Workload::write_stock(Running& running) {
  Random& random = world_.random;
  const std::uint64_t number = next_call_;
  const bool remove = random.between(0, 9) == 0;
  running.call.kind = remove ? Call::Kind::remove : Call::Kind::put;
  running.call.value = remove ? 0 : number;
  record::Action action{
      remove ? ActionKind::remove : ActionKind::put, names::stock, key_name(running.key), {}};
  if (!remove)
    action.value = Bytes{"\"" + std::to_string(number) + ":" +
                         std::string(random.between(0, plan_.value_bytes_max), 'x') + "\""};
  record::Condition condition;
  const std::uint64_t demand = random.between(0, 9);
  const record::Version seen = seen_version_[running.key];
  if (demand < 3 && seen != 0) {
    running.call.demand = Call::Demand::version_is;
    running.call.demanded_version = seen;
    condition.version_is = seen;
  } else if (demand == 3 && !remove) {
    running.call.demand = Call::Demand::must_be_absent;
    condition.must_be_absent = true;
  } else if (demand == 4) {
    running.call.demand = Call::Demand::must_exist;
    condition.must_exist = true;
  }
  running.command = record::single(std::move(action), std::move(condition));
  running.command.operation = "op-" + std::to_string(number);
  running.command.request_hash = {1, number};
}

void Workload::attempt(const RunningPtr& running) {
  if (running->over) return;
  if (world_.scheduler.now() >= running->give_up) {
    finish(running);
    return;
  }
  if (SimNode* node = pick_()) {
    if (running->kind == Running::Kind::stock_read)
      attempt_read(running, *node);
    else
      node->submit(running->command,
                   [this, running](const Outcome& outcome) { on_outcome(running, outcome); });
  }
  const bool client = running->client != nullptr;
  if (client && !running->fenced && running->kind != Running::Kind::stock_read &&
      world_.random.between(0, 99) < plan_.fence_percent)
    fence(running);
  world_.scheduler.after(world_.random.between(100 * sim_ms, 500 * sim_ms),
                         [this, running] { attempt(running); });
}

// --- writes ---

// Every answer to one operation is the same answer, that of a fence too. With a short retention
// window it can be forgotten in between: the model says what is right then.
void Workload::remember(const Running& running, const Outcome& outcome) {
  const std::string& operation = running.command.operation;
  const auto [at, first] = acknowledged_.try_emplace(operation, outcome);
  if (!first && !plan_.short_window && !same_answer(at->second, outcome))
    throw Violation{
        "one operation, one answer",
        operation + " was answered " + describe(at->second) + " and " + describe(outcome)};
  if (outcome.revision == 0) return;
  if (world_.model.commit(outcome.revision).operation != operation)
    throw Violation{"acknowledged is in the timeline", operation};
  if (outcome.revision <= running.acknowledged_before && !plan_.short_window)
    throw Violation{"linearizable", operation + " took effect before it was called"};
  newest_acknowledged_ = std::max(newest_acknowledged_, outcome.revision);
}

void Workload::on_outcome(const RunningPtr& running, const Outcome& outcome) {
  remember(*running, outcome);
  if (running->over) return;
  const record::Version version =
      outcome.results.empty() ? outcome.found_version : outcome.results.front().version;
  world_.trace.mark("outcome", version, outcome.refused.has_value() ? 1 : 0);
  running->call.answered = world_.scheduler.now();
  running->call.version = version;
  // What was fenced, or came before the collection was declared, is no part of the history.
  const bool fenced = outcome.refused == Errc::operation_fenced;
  const bool of_the_record =
      outcome.refused == Errc::precondition_failed || running->call.kind == Call::Kind::remove;
  if (!outcome.refused)
    running->call.answer = Call::Answer::done;
  else if (of_the_record && !fenced)
    running->call.answer = Call::Answer::refused;
  if (running->kind == Running::Kind::stock_write && version != 0)
    seen_version_[running->key] = version;
  if (world_.trace.wanted())
    world_.trace.say(0, "{} {}", running->command.operation, describe(outcome));
  if (running->on_answer) running->on_answer();
  const std::uint64_t choice = world_.random.between(0, 19);
  if (choice < 2) repeat(running);
  if (choice == 2 && !fenced) reuse(running);
  finish(running);
}

// Somebody asks, in the middle of it, that the operation shall not run any more; it is sent again
// after that. Whoever is first wins, and everybody hears the same.
void Workload::fence(const RunningPtr& running) {
  running->fenced = true;
  world_.scheduler.after(world_.random.between(0, 60 * sim_ms), [this, running] {
    SimNode* node = pick_();
    if (node == nullptr) return;
    Command command;
    command.kind = CommandKind::fence;
    command.operation = running->command.operation;
    command.request_hash = running->command.request_hash;
    node->submit(command, [this, running](const Outcome& outcome) {
      world_.trace.say(0, "fence {}: {}", running->command.operation, describe(outcome));
      remember(*running, outcome);
    });
  });
}

// A client that asks again though it was answered gets the same answer.
void Workload::repeat(const RunningPtr& running) {
  world_.scheduler.after(world_.random.between(0, 400 * sim_ms), [this, running] {
    SimNode* node = pick_();
    if (node == nullptr) return;
    node->submit(running->command,
                 [this, running](const Outcome& outcome) { remember(*running, outcome); });
  });
}

// Another request under a used operation id is refused.
void Workload::reuse(const RunningPtr& running) {
  Command command = running->command;
  command.request_hash[0] = 2;
  SimNode* node = pick_();
  if (node == nullptr || plan_.short_window) return;
  node->submit(command, [operation = command.operation](const Outcome& outcome) {
    if (outcome.refused != Errc::operation_reused)
      throw Violation{"reused operation id refused",
                      operation + " was used for a second, different request"};
  });
}

// --- reads ---

void Workload::attempt_read(const RunningPtr& running, SimNode& node) {
  node.look(
      [this, running, id = node.id()](const StateReader* state) { on_view(running, state, id); });
}

void Workload::on_view(const RunningPtr& running, const StateReader* state, NodeId node) {
  if (running->over || state == nullptr) return;
  const record::Revision revision = state->counters().revision;
  if (revision < running->acknowledged_before)
    throw Violation{"read sees what was acknowledged",
                    "n" + to_string(node) + " shows " + std::to_string(revision) + " behind " +
                        std::to_string(running->acknowledged_before)};
  const std::string key = key_name(running->key);
  const auto record = state->find_record(names::stock, key);
  check_record(names::stock, key, record, revision, world_.model, node);
  running->call.answered = world_.scheduler.now();
  running->call.answer = Call::Answer::done;
  if (record && !record->tombstone) {
    running->call.version = record->version;
    running->call.value = number_in(record->value.view());
    seen_version_[running->key] = record->version;
  }
  world_.trace.mark("read", running->call.value, running->call.version);
  if (world_.trace.wanted()) world_.trace.say(0, "{}", to_string(running->call));
  if (running->on_answer) running->on_answer();
  finish(running);
}

void Workload::finish(const RunningPtr& running) {
  running->over = true;
  --under_way_;
  const bool judged = running->kind != Running::Kind::command;
  const bool left_out =
      running->call.answered != history::never && running->call.answer == Call::Answer::none;
  if (judged && !left_out) history_[running->key].push_back(running->call);
  Client* client = running->client;
  if (client == nullptr || stopped_) return;
  world_.scheduler.after(world_.random.between(0, plan_.think_max),
                         [this, client] { begin(*client); });
}

std::shared_ptr<Workload::Probe> Workload::probe() {
  auto probe = std::make_shared<Probe>();
  for (const bool write : {true, false}) {
    const RunningPtr running = make_stock_call(1, write);
    running->call.label = "probe";
    running->give_up = world_.scheduler.now() + 3600 * sim_second;
    running->on_answer = [probe, write] { (write ? probe->wrote : probe->read) = true; };
    attempt(running);
  }
  return probe;
}

void Workload::read_all(SimNode& node) {
  for (std::uint32_t key = 1; key <= plan_.keys; ++key) {
    const RunningPtr running = make_stock_call(key, false);
    running->call.label = "reader";
    running->give_up = world_.scheduler.now() + 20 * sim_second;
    attempt_read(running, node);
    attempt(running);
  }
}

// --- judgement ---

void Workload::judge_history() const {
  if (plan_.short_window) return;  // a repetition may run again when the first was forgotten
  for (const auto& [key, calls] : history_) {
    const Judgement judgement = history::judge(calls, 300'000);
    if (judgement.verdict == Judgement::Verdict::undecided) ++undecided_;
    if (judgement.verdict == Judgement::Verdict::violated)
      throw Violation{"linearizable", "record " + key_name(key) + ": " + judgement.explanation};
  }
}

void Workload::check_acknowledged(SimNode& node) const {
  if (plan_.short_window) return;
  const auto view = node.local_view();
  if (!view) throw Violation{"acknowledged is for ever", "no read view"};
  for (const auto& [operation, outcome] : acknowledged_) {
    const auto found = view->state().find_operation(operation);
    if (!found || !same_answer(found->outcome, outcome))
      throw Violation{"acknowledged is for ever",
                      operation + (found ? " has another outcome" : " is missing") + " on n" +
                          to_string(node.id())};
  }
}

void Workload::finish_feeds(SimNode& node) {
  for (const auto& reader : readers_) reader->finish(node);
}

}  // namespace mainstay::harness
