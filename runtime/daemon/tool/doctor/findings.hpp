// What doctor finds: a pure function from evidence to findings. Each condition is one entry of a
// table; docs/doctor.md is made from it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/daemon/tool/doctor/evidence.hpp"

namespace mainstay::tool::doctor {

enum class Severity : std::uint8_t {
  critical,  // the cluster does not serve, or data is at stake
  warning,   // the next failure, or more time, makes it critical
  note,      // works as configured, but should be known
};
std::string_view to_string(Severity severity);

// Takes what a condition found: whom it concerns, what was seen, the command that mends it.
class Found {
 public:
  struct Item {
    std::string subject, evidence, mend;
  };
  void add(std::string subject, std::string evidence, std::string mend) {
    items_.push_back({std::move(subject), std::move(evidence), std::move(mend)});
  }
  const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
};

struct Condition {
  std::string_view name;  // "one-failure-from-no-quorum": stable
  Severity severity;
  std::string_view means;
  std::string_view risk;
  void (*look)(const Evidence& evidence, Found& found);
};

std::span<const Condition> cluster_conditions();
std::span<const Condition> node_conditions();
std::span<const Condition> host_conditions();
std::span<const Condition> flow_conditions();
// Every condition, in the order in which findings are told.
std::vector<const Condition*> conditions();

struct Finding {
  const Condition* condition = nullptr;
  std::string subject, evidence, mend;
};

// The worst first.
std::vector<Finding> examine(const Evidence& evidence);

// docs/doctor.md.
std::string conditions_document();

}  // namespace mainstay::tool::doctor
