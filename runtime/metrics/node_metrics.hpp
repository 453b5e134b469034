// Every instrument of a node, in one place: this file is the list that docs/operations.md explains.
// Made once by the daemon; actors keep a reference and write to it from their own threads; the
// metrics actor turns it into text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/metrics/registry.hpp"

namespace mainstay::metrics {

struct NodeMetrics {
  explicit NodeMetrics(std::string_view release);

  // HTTP requests; `route` is the pattern ("/v1/collections/{c}/records/{key}"), never the path.
  // Look each up once and keep it: finding one costs microseconds.
  Counter http_requests(std::string_view method, std::string_view route, int status);
  Histogram http_seconds(std::string_view route);
  // Connections that were refused before they became links.
  void strangers_refused(const std::string& reason, std::uint64_t count);
  void link_state(std::uint64_t peer, bool connected);
  void member_match(std::uint64_t peer, std::uint64_t match);
  void actor_restarted(const std::string& actor, std::uint64_t times);
  void queue_depth(const std::string& queue, std::size_t depth);

  Registry registry;

  // consensus
  Gauge role;  // 0 follower, 1 pre-candidate, 2 candidate, 3 leader
  Gauge term;
  Gauge leader;
  Gauge log_first_index;
  Gauge log_last_index;
  Gauge commit_index;
  Gauge applied_index;
  Gauge revision;
  Counter leader_changes;
  Counter strangers_dropped;  // consensus messages of unknown identities
  Counter tick_late;          // ticks that came more than a tick late
  Histogram tick_lateness;
  Counter proposals;
  Counter proposals_refused;

  // storage
  Histogram log_write;      // one durable commit of the log
  Gauge log_write_slowest;  // in the last second
  Counter log_writes;
  Counter log_written_entries;
  Histogram apply;
  Counter applied_entries;
  Gauge durable_applied_index;
  Gauge disk_free;
  Gauge disk_low;
  Gauge records_used;
  Gauge longest_view;
  Counter scrubs;
  Gauge damaged;
  Counter snapshots_made;
  Counter snapshots_installed;
  Counter snapshot_bytes_sent;
  Counter snapshot_bytes_received;

  // gateway
  Gauge requests_waiting;
  Gauge request_bytes_waiting;
  Gauge feeds_waiting;
  Counter writes_acknowledged;
  Counter writes_unknown;
  Counter requests_busy;
  Counter batches_sent;
  Counter batches_resent;
  Counter read_rounds;
  Counter read_rounds_repeated;
  Histogram write_latency;
  Histogram read_barrier_latency;

  // the HTTP server
  Gauge http_connections_open;
  Gauge http_streams_open;
  Counter http_connections;
  Counter http_connections_refused;
  Counter http_requests_bad;
  Counter http_timeouts;
  Counter http_handshakes_failed;

  // integrity
  Gauge checked_index;
  Gauge hashes_agree;
  Gauge hash_no_majority;
  Gauge quarantined;

  // availability ledger
  Gauge answered_in_time_ratio;
  Gauge longest_ack_gap;

  // the process
  Gauge draining;
  Gauge uptime;
  Gauge certificate_expires;
  Gauge api_certificate_expires;
};

}  // namespace mainstay::metrics
