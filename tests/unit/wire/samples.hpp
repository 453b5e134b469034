// Values that several codec tests use.
#pragma once

#include <string>
#include <utility>

#include "runtime/consensus/types.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::wire {

inline record::Command put(std::string operation, std::string value) {
  record::Command command;
  command.operation = std::move(operation);
  command.request_hash = {1, 2};
  command.actions = {
      {record::ActionKind::put, "orders", "A-1", Bytes{std::move(value)}},
  };
  return command;
}

// Every part of a command, each field away from its default.
inline record::Command transaction() {
  record::Command command = put("op-2", R"({"a":2})");
  record::RecordCheck check{"stock", "x", {}};
  check.condition.version_is = 0;
  check.condition.must_exist = true;
  check.condition.must_be_absent = true;
  check.condition.version_is_not = {7, 9};
  check.condition.fields = {{"/a/b", Bytes{"1.50"}}, {"", Bytes{"{}"}}};
  command.checks = {check, {"orders", "A-1", {}}};
  command.balances = {
      {"moves", {{"item", "A"}, {"location", ""}}, Decimal{-12'345, 3}},
      {"moves", {}, Decimal{}},
  };
  using Kind = record::ActionKind;
  for (const Kind kind : {Kind::patch, Kind::post, Kind::declare})
    command.actions.push_back(
        {kind, "c" + std::to_string(static_cast<int>(kind)), "k", Bytes{R"({"n":null})"}});
  for (const Kind kind : {Kind::remove, Kind::undeclare})
    command.actions.push_back({kind, "stock", "x", {}});
  return command;
}

inline record::Command fence(std::string operation) {
  record::Command command;
  command.kind = record::CommandKind::fence;
  command.operation = std::move(operation);
  return command;
}

inline record::Batch sample_batch() {
  return {NodeId{3}, BootId{77}, 5, {put("op-1", R"({"a":1})"), transaction(), fence("op-3")}};
}

inline consensus::Membership three_members() {
  consensus::Membership membership;
  for (std::uint64_t id = 1; id <= 3; ++id)
    membership.members.push_back(
        {NodeId{id}, Incarnation{id * 11},
         id == 3 ? consensus::MemberRole::learner : consensus::MemberRole::voter, id == 3, "host:1",
         "host:2"});
  return membership;
}

inline bool lies_in(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// Every way to flip one bit of `good`.
template <class Check>
void for_each_flipped_bit(const std::string& good, Check check) {
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    check(bad, bit);
  }
}

}  // namespace mainstay::wire
