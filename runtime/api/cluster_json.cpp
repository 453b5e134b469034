// The cluster as JSON.
#include <boost/json.hpp>

#include "runtime/api/render.hpp"
#include "runtime/api/times.hpp"

namespace mainstay::api {

namespace {

// 64-bit numbers that are identities, not counts: text, because many JSON readers keep 53 bits
// only.
std::string identity(std::uint64_t value) {
  return std::to_string(value);
}

boost::json::value optional_node(NodeId node) {
  if (!node) return nullptr;
  return node.value;
}

boost::json::value optional_time(std::int64_t seconds) {
  if (seconds <= 0) return nullptr;
  return boost::json::string{time_text(static_cast<std::uint64_t>(seconds) * 1000)};
}

boost::json::object member_json(const MemberView& member) {
  boost::json::object object;
  object["id"] = member.id.value;
  object["incarnation"] = identity(member.incarnation.value);
  object["role"] = member.voter ? "voter" : "learner";
  object["peer_address"] = member.peer_address;
  object["api_address"] = member.api_address;
  object["connected"] = member.connected;
  object["match"] = member.match;
  object["applied"] = member.applied;
  object["release"] = member.release;
  object["protocol"] = member.protocol;
  object["clock_offset_ms"] = member.clock_offset_ms;
  return object;
}

boost::json::object actor_json(const ActorView& actor) {
  return {{"name", actor.name},
          {"state", actor.state},
          {"restarts", actor.restarts},
          {"last_end", actor.last_end}};
}

void add_node(boost::json::object& object, const ClusterView& view) {
  object["release"] = view.release;
  object["disk_free_bytes"] = view.disk_free_bytes;
  object["disk_total_bytes"] = view.disk_total_bytes;
  object["disk_low"] = view.disk_low;
  object["fsync_ms"] = view.fsync_ms;
  object["log_bytes"] = view.log_bytes;
  object["record_bytes"] = view.record_bytes;
  object["apply_lag"] = view.apply_lag;
  object["queue_depth"] = view.queue_depth;
  object["peer_certificate_expires"] = optional_time(view.peer_certificate_expires);
  object["api_certificate_expires"] = optional_time(view.api_certificate_expires);
}

}  // namespace

std::string cluster_json(const ClusterView& view) {
  boost::json::object object;
  object["cluster"] = to_string(view.cluster);
  object["formed"] = view.formed;
  object["node"] = view.self.value;
  object["incarnation"] = identity(view.incarnation.value);
  object["role"] = view.role;
  object["leader"] = optional_node(view.leader);
  object["term"] = view.term;
  object["commit"] = view.commit;
  object["applied"] = view.applied;
  object["revision"] = view.revision;
  object["checked_index"] = view.checked_index;
  object["hashes_agree"] = view.hashes_agree;
  object["quarantined"] = view.quarantined;
  object["draining"] = view.draining;
  add_node(object, view);
  boost::json::array members;
  for (const MemberView& member : view.members) members.push_back(member_json(member));
  object["members"] = std::move(members);
  boost::json::array actors;
  for (const ActorView& actor : view.actors) actors.push_back(actor_json(actor));
  object["actors"] = std::move(actors);
  return boost::json::serialize(object);
}

}  // namespace mainstay::api
