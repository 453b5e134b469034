#include "runtime/torture/registers.hpp"

#include <fmt/format.h>

#include "runtime/sys/clock.hpp"

namespace mainstay::torture {

namespace {

using history::Call;
using history::Judgement;

constexpr std::uint64_t judge_steps_max = 500'000;

std::string key_of(std::uint64_t window, std::size_t record) {
  return fmt::format("r-{:06}-{}", window, record);
}

class RegisterClient final : public Worker {
 public:
  RegisterClient(Courier& courier, Evidence& evidence, RegisterHistory& history,
                 const Timeline& timeline, std::string name, std::uint64_t seed)
      : Worker{courier, evidence},
        history_{history},
        timeline_{timeline},
        name_{std::move(name)},
        seed_{seed},
        random_{seed} {}

  void step() override {
    const std::size_t record = random_.between(0, registers_count - 1);
    const auto begun =
        history_.begin(timeline_.since_begin(sys::system_clock().monotonic()), record);
    if (begun.window != window_) {
      window_ = begun.window;
      versions_.fill(0);
    }
    Call call = draw(record);
    const Answer answer = courier_.ask(ask_of(call, key_of(begun.window, record)));
    call = seen(std::move(call), answer);
    versions_[record] = call.answer == Call::Answer::none ? 0 : call.version;
    history_.end(begun, std::move(call));
  }

 private:
  Call draw(std::size_t record) {
    Call call;
    call.label = name_;
    const std::uint64_t choice = random_.between(0, 99);
    if (choice < 45) return call;
    call.kind = choice < 90 ? Call::Kind::put : Call::Kind::remove;
    if (call.kind == Call::Kind::put) {
      // No two writers write the same value.
      call.value = (seed_ % 1000) * 1'000'000'000 + ++written_;
      const std::uint64_t demand = random_.between(0, 9);
      if (demand < 3 && versions_[record] > 0) {
        call.demand = Call::Demand::version_is;
        call.demanded_version = versions_[record];
      } else if (demand == 3) {
        call.demand = Call::Demand::must_exist;
      } else if (demand == 4) {
        call.demand = Call::Demand::must_be_absent;
      }
    }
    return call;
  }

  Ask ask_of(const Call& call, const std::string& key) {
    Ask ask;
    ask.target = "/v1/collections/torture-registers/records/" + key;
    if (call.kind == Call::Kind::read) return ask;
    ask.method = call.kind == Call::Kind::put ? http::Method::put : http::Method::remove;
    if (call.kind == Call::Kind::put) ask.body = std::to_string(call.value);
    ask.operation = fmt::format("{}-{}", name_, ++operations_);
    switch (call.demand) {
      case Call::Demand::none:
        break;
      case Call::Demand::version_is:
        ask.headers.emplace_back("If-Match", fmt::format("\"{}\"", call.demanded_version));
        break;
      case Call::Demand::must_exist:
        ask.headers.emplace_back("If-Match", "*");
        break;
      case Call::Demand::must_be_absent:
        ask.headers.emplace_back("If-None-Match", "*");
        break;
    }
    return ask;
  }

  RegisterHistory& history_;
  const Timeline& timeline_;
  const std::string name_;
  const std::uint64_t seed_;
  SeededRandom random_;
  std::uint64_t written_ = 0, operations_ = 0, window_ = 0;
  std::array<std::uint64_t, registers_count> versions_{};
};

}  // namespace

Call seen(Call call, const Answer& answer) {
  call.called = answer.began;
  call.version = answer.version;
  if (answer.status == 0) return call;  // called, and answered never
  call.answered = answer.ended;
  if (call.kind == Call::Kind::read) {
    call.answer = Call::Answer::done;
    call.value = answer.good() ? static_cast<std::uint64_t>(signed_in(answer.body)) : 0;
    return call;
  }
  call.answer = answer.good() ? Call::Answer::done : Call::Answer::refused;
  return call;
}

RegisterHistory::Begun RegisterHistory::begin(Millis since_start, std::size_t record) {
  const std::lock_guard guard{mutex_};
  // From 1; never one that may have been judged.
  newest_ = std::max(newest_, 1 + static_cast<std::uint64_t>(since_start / register_window));
  ++windows_[newest_].open;
  return {newest_, record};
}

void RegisterHistory::end(const Begun& begun, Call call) {
  std::map<std::uint64_t, Window> whole;
  {
    const std::lock_guard guard{mutex_};
    Window& window = windows_.at(begun.window);
    --window.open;
    window.calls.at(begun.record).push_back(std::move(call));
    for (auto at = windows_.begin(); at != windows_.end() && at->first < newest_;) {
      const auto next = std::next(at);
      if (at->second.open == 0) whole.insert(windows_.extract(at));
      at = next;
    }
  }
  for (const auto& [number, window] : whole) judge(number, window);
}

void RegisterHistory::judge_rest() {
  std::map<std::uint64_t, Window> rest;
  {
    const std::lock_guard guard{mutex_};
    rest.swap(windows_);
  }
  for (const auto& [number, window] : rest) judge(number, window);
}

void RegisterHistory::judge(std::uint64_t number, const Window& window) {
  for (std::size_t record = 0; record < registers_count; ++record) {
    const auto& calls = window.calls[record];
    const Judgement judgement = history::judge(calls, judge_steps_max);
    evidence_.looked(check::linearizable, calls.size());
    if (judgement.verdict == Judgement::Verdict::violated)
      evidence_.wrong(check::linearizable, key_of(number, record) + ": " + judgement.explanation);
    if (judgement.verdict == Judgement::Verdict::undecided)
      evidence_.wrong(check::linearizable,
                      key_of(number, record) + ": not decided within the steps allowed");
  }
}

std::unique_ptr<Worker> register_client(Courier& courier, Evidence& evidence,
                                        RegisterHistory& history, const Timeline& timeline,
                                        const std::string& name, std::uint64_t seed) {
  return std::make_unique<RegisterClient>(courier, evidence, history, timeline, name, seed);
}

}  // namespace mainstay::torture
