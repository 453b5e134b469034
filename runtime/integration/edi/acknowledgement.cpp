#include "runtime/integration/edi/acknowledgement.hpp"

#include <algorithm>

namespace mainstay::edi {

using json::Value;

namespace {

Value object_of(std::initializer_list<json::Member> members) {
  Value value = Value::object();
  for (const auto& [name, member] : members) value.set(name, member);
  return value;
}
json::Member text(std::string name, std::string value) {
  return {std::move(name), Value::string(std::move(value))};
}

// Of AK502; "": accepted.
std::string fault_code(const Transaction& transaction, const std::vector<Guide>& guides) {
  if (!transaction.fault.message.empty()) return transaction.fault.code;
  const Guide* guide = find_guide(guides, Standard::x12, transaction.set);
  if (guide == nullptr) return "1";
  return read_document(*guide, transaction.segments) ? "" : "5";
}

}  // namespace

const Guide* find_guide(const std::vector<Guide>& guides, Standard standard, std::string_view set) {
  const auto at = std::find_if(guides.rbegin(), guides.rend(), [&](const Guide& guide) {
    return guide.standard == standard && guide.set == set;
  });
  return at == guides.rend() ? nullptr : &*at;
}

Value acknowledgement_of(const Group& group, const std::vector<Guide>& guides) {
  json::Array transactions;
  std::size_t accepted = 0;
  for (const Transaction& transaction : group.transactions) {
    const std::string code = fault_code(transaction, guides);
    accepted += code.empty() ? 1 : 0;
    Value status = object_of({text("code", code.empty() ? "A" : "R")});
    if (!code.empty()) status.set("error", Value::string(code));
    const auto or_unknown = [](const std::string& value, const char* otherwise) {
      return value.empty() ? std::string{otherwise} : value;
    };
    transactions.push_back(object_of({text("set", or_unknown(transaction.set, "000")),
                                      text("control", or_unknown(transaction.control, "0000")),
                                      {"status", status}}));
  }
  const std::size_t all = group.transactions.size();
  const std::string count = std::to_string(all);
  const char* result = accepted == all ? "A" : accepted == 0 ? "R" : "P";
  return object_of(
      {{"group", object_of({text("id", group.id), text("control", group.control)})},
       {"transactions", Value::array(std::move(transactions))},
       {"result", object_of({text("code", result), text("included", count), text("received", count),
                             text("accepted", std::to_string(accepted))})}});
}

}  // namespace mainstay::edi
