// Evidence from running nodes: /v1/cluster, /readyz and /metrics of every node, twice.
#pragma once

#include "runtime/daemon/tool/doctor/evidence.hpp"
#include "runtime/daemon/tool/look.hpp"

namespace mainstay::tool::doctor {

// `before` and `after` are looks at the same cluster with a pause between.
std::vector<NodeSeen> nodes_seen(const Look& before, const Look& after);

// "name{label=\"x\"} 1.5" lines; the labels stand as they came.
Metrics parse_metrics(const std::string& text);

NodeView view_of(const json::Value& cluster);

// Of a page of GET /v1/collections.
CollectionSeen collection_of(const json::Value& collection);
// As GET /v1/adapters and its reconciliations show them.
AdapterSeen adapter_of(const json::Value& adapter);
ReconciliationSeen reconciliation_of(const json::Value& reconciliation);

}  // namespace mainstay::tool::doctor
