#include "runtime/metrics/node_metrics.hpp"

namespace mainstay::metrics {

NodeMetrics::NodeMetrics(std::string_view release)
    : role{registry.gauge("mainstay_consensus_role",
                          "0 follower, 1 pre-candidate, 2 candidate, 3 leader")},
      term{registry.gauge("mainstay_consensus_term", "Current term")},
      leader{registry.gauge("mainstay_consensus_leader",
                            "Node id of the known leader, 0 when unknown")},
      log_first_index{registry.gauge("mainstay_log_first_index", "First log index held")},
      log_last_index{registry.gauge("mainstay_log_last_index", "Last log index held")},
      commit_index{
          registry.gauge("mainstay_consensus_commit_index", "Highest index known to be committed")},
      applied_index{
          registry.gauge("mainstay_applied_index", "Highest index applied to the records")},
      revision{
          registry.gauge("mainstay_revision", "Cluster-wide number of the last applied commit")},
      leader_changes{
          registry.counter("mainstay_leader_changes_total", "Changes of the known leader")},
      strangers_dropped{
          registry.counter("mainstay_consensus_strangers_dropped_total",
                           "Consensus messages whose sender or receiver identity did not match")},
      tick_late{registry.counter("mainstay_ticks_late_total",
                                 "Ticks that were handled more than one tick late")},
      tick_lateness{registry.histogram("mainstay_tick_lateness_seconds",
                                       "How late ticks were handled", latency_buckets())},
      proposals{
          registry.counter("mainstay_proposals_total", "Batches taken into the log as leader")},
      proposals_refused{registry.counter("mainstay_proposals_refused_total",
                                         "Batches refused (not leader, busy)")},
      log_write{registry.histogram("mainstay_log_write_seconds", "Durable commits of the log",
                                   latency_buckets())},
      log_write_slowest{registry.gauge("mainstay_log_write_slowest_seconds",
                                       "Slowest durable commit of the log in the last second")},
      log_writes{registry.counter("mainstay_log_writes_total", "Durable commits of the log")},
      log_written_entries{
          registry.counter("mainstay_log_written_entries_total", "Entries written to the log")},
      apply{registry.histogram("mainstay_apply_seconds", "Apply transactions", latency_buckets())},
      applied_entries{
          registry.counter("mainstay_applied_entries_total", "Entries applied to the records")},
      durable_applied_index{registry.gauge("mainstay_durable_applied_index",
                                           "Applied index that survives a power cut")},
      disk_free{registry.gauge("mainstay_disk_free_bytes",
                               "Free space of the data directory's file system")},
      disk_low{registry.gauge("mainstay_disk_low",
                              "1 while inserts are refused for lack of free space")},
      records_used{registry.gauge("mainstay_records_used_bytes", "Space used by the record store")},
      longest_view{registry.gauge("mainstay_records_longest_view_seconds",
                                  "Longest time a reader held the records, in the last second")},
      scrubs{
          registry.counter("mainstay_scrubs_total", "Times that everything stored was read again")},
      damaged{registry.gauge("mainstay_storage_damaged", "1 if a scrub found damage")},
      snapshots_made{registry.counter("mainstay_snapshots_made_total", "Snapshots made here")},
      snapshots_installed{registry.counter("mainstay_snapshots_installed_total",
                                           "Snapshots of others installed here")},
      snapshot_bytes_sent{
          registry.counter("mainstay_snapshot_sent_bytes_total", "Snapshot bytes sent to peers")},
      snapshot_bytes_received{registry.counter("mainstay_snapshot_received_bytes_total",
                                               "Snapshot bytes received from peers")},
      requests_waiting{
          registry.gauge("mainstay_gateway_requests_waiting", "Requests waiting in the gateway")},
      request_bytes_waiting{registry.gauge("mainstay_gateway_waiting_bytes",
                                           "Bytes of requests waiting in the gateway")},
      feeds_waiting{registry.gauge("mainstay_gateway_feeds_waiting",
                                   "Change feeds waiting for a new revision")},
      writes_acknowledged{registry.counter("mainstay_writes_acknowledged_total",
                                           "Writes answered with a definite outcome")},
      writes_unknown{registry.counter("mainstay_writes_unknown_total",
                                      "Writes whose deadline passed before the outcome was known")},
      requests_busy{registry.counter("mainstay_requests_busy_total",
                                     "Requests refused early because a bound was reached")},
      batches_sent{
          registry.counter("mainstay_gateway_batches_total", "Batches sent to the leader")},
      batches_resent{registry.counter("mainstay_gateway_batches_resent_total",
                                      "Batches sent again under the same operation ids")},
      read_rounds{registry.counter("mainstay_read_rounds_total",
                                   "Rounds asked for a linearizable read point")},
      read_rounds_repeated{registry.counter("mainstay_read_rounds_repeated_total",
                                            "Read rounds asked again (refused, lost, or too old)")},
      write_latency{registry.histogram("mainstay_write_seconds",
                                       "From submission to outcome, in the gateway",
                                       latency_buckets())},
      read_barrier_latency{registry.histogram("mainstay_read_barrier_seconds",
                                              "From asking for a read to being allowed to read",
                                              latency_buckets())},
      http_connections_open{
          registry.gauge("mainstay_http_connections_open", "Connections of clients")},
      http_streams_open{registry.gauge("mainstay_http_streams_open",
                                       "Answers whose body is made while it is sent")},
      http_connections{
          registry.counter("mainstay_http_connections_total", "Connections of clients taken")},
      http_connections_refused{registry.counter("mainstay_http_connections_refused_total",
                                                "Connections refused because a bound was reached")},
      http_requests_bad{registry.counter("mainstay_http_requests_bad_total",
                                         "Requests that were not HTTP, or too large")},
      http_timeouts{registry.counter("mainstay_http_timeouts_total",
                                     "Clients cut off because they were slow")},
      http_handshakes_failed{registry.counter("mainstay_http_handshakes_failed_total",
                                              "TLS handshakes of clients that failed")},
      checked_index{
          registry.gauge("mainstay_state_checked_index",
                         "Newest index at which a majority's state hashes were compared")},
      hashes_agree{registry.gauge("mainstay_state_hashes_agree",
                                  "1 while all compared replicas hold the same state")},
      hash_no_majority{registry.gauge("mainstay_state_hash_no_majority",
                                      "1 when no state hash is shared by a majority: critical")},
      quarantined{registry.gauge("mainstay_quarantined",
                                 "1 when this node differs from the majority and serves nothing")},
      answered_in_time_ratio{registry.gauge("mainstay_requests_answered_in_time_ratio",
                                            "Share of requests answered within 1 s since start")},
      longest_ack_gap{
          registry.gauge("mainstay_longest_acknowledge_gap_seconds",
                         "Longest time with writes waiting and none acknowledged, since start")},
      draining{registry.gauge("mainstay_draining", "1 while the node drains")},
      uptime{registry.gauge("mainstay_uptime_seconds", "Time since start")},
      certificate_expires{registry.gauge("mainstay_certificate_expires_timestamp_seconds",
                                         "When this node\'s certificate expires (Unix time)")},
      api_certificate_expires{
          registry.gauge("mainstay_api_certificate_expires_timestamp_seconds",
                         "When the API\'s certificate expires (Unix time), 0 without one")} {
  registry.gauge("mainstay_build_info", "The running program", {{"version", std::string{release}}})
      .set(1);
  hashes_agree.set(1);
  answered_in_time_ratio.set(1);
}

Counter NodeMetrics::http_requests(std::string_view method, std::string_view route, int status) {
  return registry.counter("mainstay_http_requests_total", "HTTP requests by route and status",
                          {{"method", std::string{method}},
                           {"route", std::string{route}},
                           {"status", std::to_string(status)}});
}

Histogram NodeMetrics::http_seconds(std::string_view route) {
  return registry.histogram("mainstay_http_request_seconds", "HTTP request latency by route",
                            latency_buckets(), {{"route", std::string{route}}});
}

void NodeMetrics::strangers_refused(const std::string& reason, std::uint64_t count) {
  registry
      .counter("mainstay_links_refused_total", "Peer connections refused, by reason",
               {{"reason", reason}})
      .add(static_cast<double>(count));
}

void NodeMetrics::link_state(std::uint64_t peer, bool connected) {
  registry
      .gauge("mainstay_link_up", "1 while the link to this peer is up",
             {{"peer", std::to_string(peer)}})
      .set(connected ? 1 : 0);
}

void NodeMetrics::member_match(std::uint64_t peer, std::uint64_t match) {
  registry
      .gauge("mainstay_member_match_index",
             "Highest index a member is known to hold, as its leader sees it",
             {{"peer", std::to_string(peer)}})
      .set(static_cast<double>(match));
}

void NodeMetrics::actor_restarted(const std::string& actor, std::uint64_t times) {
  registry
      .counter("mainstay_actor_restarts_total", "Restarts of supervised actors", {{"actor", actor}})
      .add(static_cast<double>(times));
}

void NodeMetrics::queue_depth(const std::string& queue, std::size_t depth) {
  registry.gauge("mainstay_queue_depth", "Items waiting in a queue", {{"queue", queue}})
      .set(static_cast<double>(depth));
}

}  // namespace mainstay::metrics
