// The functional acknowledgement of X12, 997: that a group came, and which of its transactions are
// good. Pure.
#pragma once

#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/integration/edi/envelope.hpp"
#include "runtime/integration/edi/guide.hpp"

namespace mainstay::edi {

// The 997 for a group, as a document of the guide 997. Transactions of sets without a guide in
// `guides` are rejected as not supported, those that their guide does not take as faulty.
json::Value acknowledgement_of(const Group& group, const std::vector<Guide>& guides);

// The guide of a set; null: there is none. Later guides go before earlier ones.
const Guide* find_guide(const std::vector<Guide>& guides, Standard standard, std::string_view set);

}  // namespace mainstay::edi
