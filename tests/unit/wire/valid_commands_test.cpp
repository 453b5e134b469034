// What the edge takes, every node must be able to read back: a committed entry that cannot be
// decoded stops them all. So the limits of record::validate() and those of the codec are compared
// here, with commands that go to the edges of the former and a little beyond.
#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/state_machine.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::wire {
namespace {

const int fixed_seed = setenv("RC_PARAMS", "seed=20261128 max_success=300", 0);

std::size_t draw(std::size_t low, std::size_t high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high + 1));
}
bool one_in(std::size_t n) {
  return draw(1, n) == 1;
}
// Small, or at the limit, or, now and then, beyond it.
std::size_t size_to(std::size_t most) {
  if (one_in(3)) return most;
  return one_in(60) ? most + 1 : draw(0, std::min<std::size_t>(most, 3));
}
std::string text(std::size_t bytes) {
  return std::string(bytes, "abz09"[draw(0, 4)]);
}
std::string name(std::size_t most) {
  return text(std::max<std::size_t>(1, size_to(most)));
}
Bytes value() {
  return Bytes{"\"" + text(size_to(100)) + "\""};
}

record::RecordCheck record_check() {
  record::RecordCheck check{
      name(limits::collection_name_bytes_max), name(limits::record_key_bytes_max), {}};
  if (one_in(2)) check.condition.version_is = draw(0, 3) == 0 ? UINT64_MAX : draw(0, 9);
  for (std::size_t i = size_to(limits::condition_versions_max); i > 0; --i)
    check.condition.version_is_not.push_back(i);
  check.condition.must_exist = one_in(2);
  check.condition.must_be_absent = one_in(2);
  for (std::size_t i = size_to(limits::condition_fields_max); i > 0; --i) {
    const std::size_t bytes = size_to(limits::pointer_bytes_max);
    check.condition.fields.push_back({bytes == 0 ? "" : "/" + text(bytes - 1), value()});
  }
  return check;
}

record::BalanceCheck balance_check() {
  record::BalanceCheck check;
  check.collection = name(limits::collection_name_bytes_max);
  for (std::size_t i = size_to(limits::ledger_dimensions_max); i > 0; --i)
    check.dimensions.emplace_back(text(draw(0, 4)),
                                  text(one_in(3) ? limits::balance_key_bytes_max - 4 : draw(0, 4)));
  const auto digits = std::string(draw(1, 38), '9');
  const std::string sign = one_in(2) ? "-" : "";
  const auto number = Decimal::parse(sign + digits);
  if (number) check.at_least = *number;
  return check;
}

record::Command command() {
  record::Command made;
  made.operation = name(limits::operation_id_bytes_max);
  made.request_hash = {draw(0, 1000), UINT64_MAX};
  if (one_in(10)) {
    made.kind = record::CommandKind::fence;
    return made;
  }
  for (std::size_t i = one_in(8) ? size_to(limits::transaction_checks_max) : draw(0, 2); i > 0; --i)
    if (one_in(2))
      made.checks.push_back(record_check());
    else
      made.balances.push_back(balance_check());
  using Kind = record::ActionKind;
  const bool declares = one_in(10);
  const std::size_t actions = declares    ? 1
                              : one_in(8) ? size_to(limits::transaction_actions_max)
                                          : draw(1, 3);
  for (std::size_t i = 0; i < actions; ++i) {
    const Kind kind =
        declares ? (one_in(2) ? Kind::declare : Kind::undeclare) : static_cast<Kind>(draw(0, 3));
    record::Action& action = made.actions.emplace_back();
    action.kind = kind;
    action.collection =
        declares ? record::system_collection::collections : name(limits::collection_name_bytes_max);
    action.key = declares ? name(limits::collection_name_bytes_max)
                          : std::to_string(i) + text(limits::record_key_bytes_max - 3);
    if (kind == Kind::declare) action.value = Bytes{"{}"};
    if (kind == Kind::put || kind == Kind::patch || kind == Kind::post) action.value = value();
  }
  return made;
}

TEST(ValidCommands, ComeBackFromTheirBytes) {
  std::size_t valid = 0;
  EXPECT_TRUE(rc::check("validate(c) implies decode(encode(c)) == c", [&valid] {
    const record::Batch batch{NodeId{3}, BootId{77}, 5, {command()}};
    if (!record::validate(batch.commands[0])) return;
    ++valid;
    const auto decoded = decode_batch(Bytes{encode(batch)});
    if (!decoded) RC_FAIL(to_string(decoded.error()));
    RC_ASSERT(*decoded == batch);
  }));
  EXPECT_GT(valid, 30u) << "else it says little";
}

}  // namespace
}  // namespace mainstay::wire
