// What the clients of a simulated cluster ask for, drawn from the seed. The model tells what stands
// there now, so that conditions hold about as often as not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/record/types.hpp"
#include "tests/harness/model.hpp"

namespace mainstay::harness {

class Requests {
 public:
  // `scratch`: a collection that comes and goes. Of all commands, `churn_percent` are writes to it
  // and declarations that make its history longer and shorter.
  Requests(Random& random, const Model& model, bool scratch, std::uint32_t churn_percent)
      : random_{random}, model_{model}, scratch_{scratch}, churn_percent_{churn_percent} {}

  // Declares the collections and opens the accounts; one after the other, before all else.
  static std::vector<record::Command> setup();

  // One command of the kinds that are judged by the model alone; `number` is unique.
  record::Command draw(std::uint64_t number);
  // Many records at once, and then an index over them; one after the other.
  static std::vector<record::Command> bulk();

 private:
  using Action = record::Action;
  using Command = record::Command;

  bool chance(std::uint32_t percent) { return random_.between(0, 99) < percent; }
  std::string number_between(std::uint64_t low, std::uint64_t high) {
    return std::to_string(random_.between(low, high));
  }
  template <class T>
  const T& one_of(const std::vector<T>& choices) {
    return choices[random_.between(0, choices.size() - 1)];
  }

  void order(Command& command);
  void transfer(Command& command);
  void post(Command& command);
  void mixed(Command& command);
  void scratch(Command& command);
  void churn(Command& command);
  Action order_action(const std::string& key);
  std::string order_value();
  record::Condition condition_on(const std::string& collection, const std::string& key);
  Action post_action();
  std::string entry_text(const std::string& quantity, const std::string& item,
                         const std::string& from, const std::string& to,
                         const std::string& reverses);
  std::string spelled(std::int64_t units);
  record::BalanceCheck balance_check();
  std::string posted_id();

  Random& random_;
  const Model& model_;
  const bool scratch_;
  const std::uint32_t churn_percent_;
  std::uint64_t number_ = 0;
  std::uint64_t entries_ = 0;
};

}  // namespace mainstay::harness
