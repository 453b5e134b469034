#include "runtime/consensus/input_ring.hpp"

#include <algorithm>
#include <thread>

namespace mainstay::consensus {

class InputRing::RecordedRandom final : public Random {
 public:
  RecordedRandom(InputRing& ring, Random& source) : ring_{ring}, source_{source} {}

  std::uint64_t next() override {
    const std::uint64_t drawn = source_.next();
    const ChangeGate::Pass pass{ring_.gate_};
    ring_.newer_.draws.push_back(drawn);
    return drawn;
  }

 private:
  InputRing& ring_;
  Random& source_;
};

namespace {

// Terms never fall along a log, so that the end of each run can be searched by halving.
std::vector<Checkpoint::TermRun> term_runs(const LogReader& log, const Status& status) {
  std::vector<Checkpoint::TermRun> runs;
  const Index durable = std::min(log.last_index(), status.last);
  Index first = log.first_index();
  while (first <= durable) {
    const Term term = log.term(first).value_or(0);
    runs.push_back({first, term});
    Index low = first;
    Index high = durable;
    while (low < high) {
      const Index middle = low + (high - low + 1) / 2;
      if (log.term(middle).value_or(0) == term)
        low = middle;
      else
        high = middle - 1;
    }
    first = low + 1;
  }
  // What is not stored yet is younger than the rest; mostly of the present term.
  if (durable < status.last && (runs.empty() || runs.back().term != status.term))
    runs.push_back({durable + 1, status.term});
  return runs;
}

}  // namespace

bool ChangeGate::close() {
  closed_ = true;
  constexpr int looks_max = 100'000;  // a change takes microseconds, the looks less than a second
  for (int look = 0; look < looks_max && busy_; ++look) std::this_thread::yield();
  return !busy_;
}

void InputRing::clear() {
  const ChangeGate::Pass pass{gate_};
  older_ = newer_ = Half{};
  has_older_ = has_newer_ = false;
}

bool InputRing::wants_checkpoint() const {
  return !has_newer_ || newer_.inputs.size() >= inputs_max_ / 2;
}

void InputRing::checkpoint(const CoreOptions& options, const Core& core, const LogReader& log) {
  Half next;
  next.start.options = options;
  next.start.status = core.status();
  next.start.timer = core.election_timer();
  next.start.start_term = log.term(log.first_index() - 1).value_or(0);
  next.start.terms = term_runs(log, next.start.status);
  const ChangeGate::Pass pass{gate_};
  if (has_newer_) {
    older_ = std::move(newer_);
    has_older_ = true;
  }
  newer_ = std::move(next);
  has_newer_ = true;
}

void InputRing::record(Input input) {
  for (const Entry& entry : input.message.entries) input.sizes.push_back(entry.payload.size());
  for (Entry& entry : input.message.entries) entry.payload = Bytes{};
  const ChangeGate::Pass pass{gate_};
  newer_.inputs.push_back(std::move(input));
}

void InputRing::tick() {
  if (!newer_.inputs.empty() && newer_.inputs.back().kind == Input::Kind::tick) {
    const ChangeGate::Pass pass{gate_};
    ++newer_.inputs.back().number;
    return;
  }
  number(Input::Kind::tick, 1);
}

void InputRing::step(const Message& message) {
  Input input;
  input.kind = Input::Kind::step;
  input.message = message;
  record(std::move(input));
}

void InputRing::propose(const std::vector<Bytes>& payloads) {
  Input input;
  input.kind = Input::Kind::propose;
  for (const Bytes& payload : payloads) input.sizes.push_back(payload.size());
  record(std::move(input));
}

void InputRing::stored(const PersistMark& mark) {
  Input input;
  input.kind = Input::Kind::stored;
  input.mark = mark;
  record(std::move(input));
}

void InputRing::number(Input::Kind kind, std::uint64_t number) {
  Input input;
  input.kind = kind;
  input.number = number;
  record(std::move(input));
}

std::unique_ptr<Random> InputRing::recorded(Random& source) {
  return std::make_unique<RecordedRandom>(*this, source);
}

Recording InputRing::recording() const {
  const Half& first = has_older_ ? older_ : newer_;
  Recording recording{first.start, first.inputs, first.draws};
  if (has_older_) {
    recording.inputs.insert(recording.inputs.end(), newer_.inputs.begin(), newer_.inputs.end());
    recording.draws.insert(recording.draws.end(), newer_.draws.begin(), newer_.draws.end());
  }
  return recording;
}

}  // namespace mainstay::consensus
