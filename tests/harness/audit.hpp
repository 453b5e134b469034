// Looks through everything that one moment of one node's records holds: the tables must fit each
// other, and what the model says of that moment. Throws Violation.
#pragma once

#include "runtime/record/state.hpp"
#include "tests/harness/model.hpp"

namespace mainstay::harness {

// Costs about as much as there are rows.
void audit(const record::StateReader& state, const Model& model, NodeId node);

// One record as a view shows it against the model's of that revision.
void check_record(const std::string& collection, const std::string& key,
                  const std::optional<record::Record>& found, record::Revision revision,
                  const Model& model, NodeId node);

}  // namespace mainstay::harness
