// Looks at every node of a cluster at once: asks the given endpoints, then the members they name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/daemon/tool/document.hpp"
#include "runtime/daemon/tool/session.hpp"

namespace mainstay::tool {

struct CheckStatus {
  std::string name;
  bool ok = false;
  std::string detail;
};

// What is known of one node.
struct NodeStatus {
  std::uint64_t id = 0;  // 0: an endpoint that did not say
  std::string address;
  std::string role = "-";           // as a member: voter, learner
  std::optional<json::Value> view;  // its /v1/cluster
  std::string problem;              // why there is no view
  bool ready = false;
  std::vector<CheckStatus> checks;  // of /readyz
  std::string metrics;              // Prometheus text, when asked for
};

struct Look {
  std::vector<NodeStatus> nodes;  // members by id, then endpoints of nobody

  // The view with the highest term that knows a leader, else any; null without any.
  const json::Value* newest() const;
  std::size_t ready() const;
  bool whole() const { return !nodes.empty() && ready() == nodes.size(); }
};

Look look(Session& session, Millis wait, bool metrics = false);

}  // namespace mainstay::tool
