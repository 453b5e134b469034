// The records in which the integration hub keeps what it knows: ordinary declared collections,
// whose names start with "hub-", which only Mainstay itself writes. Everything that must survive a
// node is here and nowhere else, so that an adapter goes on anywhere. docs/integration/hub.md tells
// it to users.
//
//   hub-adapters       <adapter>                       where it runs: node, boot, epoch, paused
//   hub-nodes          <node id>                       which adapters the node could run
//   hub-positions      <adapter>/source | …/feed       how far it has read
//   hub-inbox          <adapter>/<id>/<version>        what came in, and which records it made
//   hub-effects        <adapter>/<effect key>          what shall happen outside, and its receipt
//   hub-letters        <adapter>/<in|out>/<id>         parked: raw bytes, reason, what was tried
//   hub-commands       <adapter>/<command id>          asked by people: backfill, reconcile, replay
//   hub-fingerprints   <adapter>/<type>                the shape of its messages so far
//   hub-reconciliations <adapter>/<name>               verified_through, last run, totals
//   hub-discrepancies  <adapter>/<name>/<key>          one difference, open or resolved
//   hub-paths          <adapter>/<path>                the last heartbeat that came through
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::integration {

inline constexpr std::string_view hub_prefix = "hub-";

namespace hub {
inline constexpr const char* adapters = "hub-adapters";
inline constexpr const char* nodes = "hub-nodes";
inline constexpr const char* positions = "hub-positions";
inline constexpr const char* inbox = "hub-inbox";
inline constexpr const char* effects = "hub-effects";
inline constexpr const char* letters = "hub-letters";
inline constexpr const char* commands = "hub-commands";
inline constexpr const char* fingerprints = "hub-fingerprints";
inline constexpr const char* reconciliations = "hub-reconciliations";
inline constexpr const char* discrepancies = "hub-discrepancies";
inline constexpr const char* paths = "hub-paths";
}  // namespace hub

struct DeclaredCollection {
  std::string name;
  std::string declaration;  // JSON, as PUT /v1/collections takes it
};

// The hub's own collections.
const std::vector<DeclaredCollection>& hub_collections();
// The canonical records (schemas/records/*.json): orders, stock_moves, …
const std::vector<DeclaredCollection>& canonical_collections();

// A part of a record key: '/' and '%' and control characters become %XX, so that parts can be
// joined with '/'. Parts that would make a key too long end in a hash of the rest.
std::string key_part(std::string_view text);

}  // namespace mainstay::integration
