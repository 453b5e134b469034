// What Links knows about one peer. Plain state: Links acts on it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <caf/actor.hpp>

#include "actors/kit/credit.hpp"
#include "actors/peer_link/backoff.hpp"
#include "actors/peer_link/clock_offset.hpp"
#include "actors/peer_link/connector.hpp"
#include "actors/peer_link/introduction.hpp"
#include "actors/peer_link/peer_link_api.hpp"

namespace mainstay::peer_link {

// Credit of one connection, counted in frame bytes since it began. The sender takes credit for what
// it sends; the receiver tells its total back, with its own frames or, when it has none, after
// every `tell_every` bytes.
struct Flow {
  explicit Flow(std::size_t limit_bytes)
      : credit{limit_bytes, limit_bytes / 2}, tell_every{limit_bytes / 8} {}

  // False: the peer must first take what was sent before.
  bool send(std::size_t bytes) {
    if (!credit.take(bytes)) return false;
    sent += bytes;
    return true;
  }
  // The peer says how much it has taken. Totals that are impossible are ignored.
  void taken(std::uint64_t total) {
    if (total <= acknowledged || total > sent) return;
    credit.give(static_cast<std::size_t>(total - acknowledged));
    acknowledged = total;
  }
  // A new connection begins.
  void restart() {
    credit.reset();
    sent = acknowledged = received = told = 0;
  }
  bool must_tell() const { return received - told >= tell_every; }

  kit::Credit credit;
  std::size_t tell_every;
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t received = 0;
  std::uint64_t told = 0;
};

struct Link {
  Link(NodeId node, Millis backoff_min, Millis backoff_max, std::size_t credit_bytes)
      : backoff{backoff_min, backoff_max}, flow{credit_bytes} {
    report.node = node;
  }

  bool is_open() const { return token != 0; }

  LinkReport report;  // address, state, identity of the peer and counters
  bool listed = true;
  Backoff backoff;
  std::uint64_t dial_round = 0;  // guards against an outdated dial timer

  // the present connection, from the hand-over to BASP until its scribe is gone
  std::uint64_t token = 0;  // 0: none
  UniqueFd socket;          // a duplicate, to cut it
  bool cutting = false;
  caf::actor gateway;  // the peer's Links
  Party peer;
  ClusterId cluster;
  wire::Hello hello;
  std::uint32_t version = 0;
  Flow flow;
  ClockOffset clock;
  bool congestion_told = false;

  // authenticated, waits until the present one is gone
  std::shared_ptr<Connection> next;
};

}  // namespace mainstay::peer_link
