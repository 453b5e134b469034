#include "runtime/daemon/tool/doctor/findings.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mainstay::tool::doctor {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::critical:
      return "critical";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "";
}

std::vector<const Condition*> conditions() {
  std::vector<const Condition*> all;
  for (const auto part :
       {cluster_conditions(), node_conditions(), host_conditions(), flow_conditions()})
    for (const Condition& condition : part) all.push_back(&condition);
  return all;
}

std::vector<Finding> examine(const Evidence& evidence) {
  std::vector<Finding> findings;
  for (const Condition* condition : conditions()) {
    Found found;
    condition->look(evidence, found);
    for (const Found::Item& item : found.items())
      findings.push_back({condition, item.subject, item.evidence, item.mend});
  }
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return a.condition->severity < b.condition->severity;
  });
  return findings;
}

std::string conditions_document() {
  std::string text =
      "# What `mainstay doctor` looks for\n\n"
      "For each condition that holds it tells the evidence, the risk and the command that mends "
      "it; "
      "it is silent about a healthy cluster.\nHow to run it: [tool.md](tool.md). Made from the "
      "table in `runtime/daemon/tool/doctor/`; a test compares the two.\n\n"
      "| condition | severity | means | risk |\n|---|---|---|---|\n";
  for (const Condition* condition : conditions())
    text += fmt::format("| `{}` | {} | {} | {} |\n", condition->name,
                        to_string(condition->severity), condition->means, condition->risk);
  return text;
}

}  // namespace mainstay::tool::doctor
