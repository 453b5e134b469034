// What a random log of the record store's tests is made of.
#pragma once

#include <string>

#include "runtime/base/random.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {

// Every kind of command, on a few keys, so that they meet.
class RandomCommands {
 public:
  explicit RandomCommands(std::uint64_t seed) : random_{seed} {}

  record::Command next(std::uint64_t number) {
    const std::string id = "op" + std::to_string(random_.between(0, 600));
    const std::string key = "k" + std::to_string(random_.between(0, 20));
    switch (random_.between(0, 11)) {
      case 0:
        return remove(id, key);
      case 1:
        return command_of(id, {declaration(number)});
      case 2:
      case 3:
        return command_of(id, {entry(number)});
      case 4:
        return command_of(id, {document(key, number), entry(number)});
      case 5: {
        record::Command fence = command_of(id, {});
        fence.kind = record::CommandKind::fence;
        return fence;
      }
      case 6: {
        record::Command guarded = command_of(id, {document(key, number)});
        guarded.checks = {{"docs", "k" + std::to_string(random_.between(0, 20)), {}}};
        guarded.checks[0].condition.must_exist = true;
        return guarded;
      }
      case 7:
        return command_of(id, {{record::ActionKind::remove, "docs", key, {}}});
      default:
        return command_of(id, {document(key, number)});
    }
  }

  static record::Action declare(const std::string& name, const std::string& json) {
    return {record::ActionKind::declare, record::system_collection::collections, name, Bytes{json}};
  }
  static record::Action ledger() {
    return declare("stock", R"({"kind":"ledger","ledger":{"dimensions":["item","location"],)"
                            R"("scale":2,"never_below":"-40"}})");
  }

  SeededRandom& random() { return random_; }

 private:
  // The same collection, with one index or another.
  record::Action declaration(std::uint64_t number) {
    const std::string name = number % 2 == 0 ? "by-a" : "by-b";
    const std::string pointer = number % 2 == 0 ? "/a" : "/b";
    return declare("docs",
                   R"({"indexes":[{"name":")" + name + R"(","pointer":")" + pointer + R"("}]})");
  }

  record::Action document(const std::string& key, std::uint64_t number) {
    const std::string value = R"({"a":)" + std::to_string(number % 7) + R"(,"b":"t)" +
                              std::to_string(random_.between(0, 3)) + R"("})";
    return {record::ActionKind::put, "docs", key, Bytes{value}};
  }

  record::Action entry(std::uint64_t number) {
    const std::string item = std::to_string(random_.between(0, 2));
    const std::string json = R"({"quantity":")" + std::to_string(random_.between(1, 9)) +
                             R"(.50","item":")" + item +
                             R"(","from":{"location":"x"},"to":{"location":"y"}})";
    return {record::ActionKind::post, "stock", "e" + std::to_string(number % 90), Bytes{json}};
  }

  SeededRandom random_;
};

}  // namespace mainstay::store
