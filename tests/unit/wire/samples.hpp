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
  command.kind = record::CommandKind::put;
  command.collection = "orders";
  command.key = "A-1";
  command.value = Bytes{std::move(value)};
  return command;
}

inline record::Batch sample_batch() {
  record::Batch batch{NodeId{3}, BootId{77}, 5, {put("op-1", R"({"a":1})")}};
  record::Command remove;
  remove.operation = "op-2";
  remove.kind = record::CommandKind::remove;
  remove.collection = "stock";
  remove.key = "x";
  remove.condition.version_is = 0;
  remove.condition.must_exist = true;
  remove.condition.version_is_not = {7, 9};
  batch.commands.push_back(remove);
  return batch;
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
