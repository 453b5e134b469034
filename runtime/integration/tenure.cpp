#include "runtime/integration/tenure.hpp"

#include "runtime/base/mutant.hpp"

namespace mainstay::integration {

record::RecordCheck check_of(const Tenure& tenure) {
  record::RecordCheck check;
  check.collection = hub::adapters;
  check.key = tenure.adapter;
  check.condition.must_exist = true;
  if (!MUTANT(epoch_not_checked))
    check.condition.fields.push_back({"/epoch", Bytes{std::to_string(tenure.epoch)}});
  return check;
}

bool is_over(const record::Outcome& outcome, const record::Command& command) {
  return outcome.refused == Errc::precondition_failed && outcome.part == record::Part::check &&
         outcome.position < command.checks.size() &&
         command.checks[outcome.position].collection == hub::adapters;
}

}  // namespace mainstay::integration
