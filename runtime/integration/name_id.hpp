// Ids made of names: the same names give the same id, in every region and in every program that
// knows the rule (RFC 4122, version 5). Pure.
#pragma once

#include <string>
#include <vector>

namespace mainstay::integration {

// The UUID of the parts joined with '|' ('\' and '|' within a part have a '\' before them) in the
// namespace 6d61696e-7374-5179-8000-687562000005.
std::string name_id(const std::vector<std::string>& parts);

}  // namespace mainstay::integration
