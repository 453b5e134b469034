// What concerns one running node: disk, clock, certificates, queues, damage, actors.
#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "runtime/base/limits.hpp"
#include "runtime/daemon/tool/doctor/findings.hpp"
#include "runtime/daemon/tool/print.hpp"

namespace mainstay::tool::doctor {

namespace {

constexpr std::int64_t clock_offset_ms_max = 500;
constexpr double fsync_ms_max = 100;
constexpr std::uint64_t disk_free_min = 1ULL << 30;
constexpr std::uint64_t disk_free_percent_min = 5;
constexpr double queue_share_max = 0.8;
constexpr std::uint64_t apply_lag_max = 10'000;
constexpr std::uint64_t restarts_max = 3;
constexpr double late_ticks_share_max = 0.25;
constexpr std::int64_t seconds_a_day = 24 * 3600;
constexpr std::int64_t certificate_days_min = 30;

std::string name_of(const NodeSeen& node) {
  return node.id == 0 ? node.address : "node " + std::to_string(node.id);
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

void clock_skew(const Evidence& evidence, Found& found) {
  std::map<std::uint64_t, std::int64_t> worst;  // by the node whose clock is off
  const NodeView* base = leader_view(evidence);
  if (base == nullptr) base = newest_view(evidence);
  if (base == nullptr) return;
  for (const MemberSeen& member : base->members)
    if (std::abs(member.clock_offset_ms) > clock_offset_ms_max)
      worst[member.id] = member.clock_offset_ms;
  for (const auto& [id, offset] : worst)
    found.add(fmt::format("node {}", id),
              fmt::format("its clock is {} ms {} that of node {}", std::abs(offset),
                          offset > 0 ? "ahead of" : "behind", base->node),
              "timedatectl set-ntp true   # on every node");
}

// Mean of a histogram in seconds, over the time between the two looks when something was counted
// in it, else since the start.
double mean_seconds(const NodeSeen& node, const std::string& name) {
  const double count = growth(node, name + "_count");
  if (count > 0) return growth(node, name + "_sum") / count;
  const double all = sample(node.metrics, name + "_count");
  return all > 0 ? sample(node.metrics, name + "_sum") / all : 0;
}

void slow_disk(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view) continue;
    const double mean = mean_seconds(node, "mainstay_log_write_seconds") * 1000;
    const double worst = std::max(node.view->fsync_ms, node.before ? node.before->fsync_ms : 0.0);
    // One slow flush happens to every disk; two looks in a row, or the mean, do not.
    const double steady = node.before ? std::min(node.view->fsync_ms, node.before->fsync_ms) : 0;
    if (std::max(mean, steady) > fsync_ms_max)
      found.add(name_of(node),
                fmt::format("a durable write takes {:.0f} ms in the mean, {:.0f} ms at worst", mean,
                            worst),
                "iostat -x 1 on that host; move data.directory to a faster disk; until then: "
                "mainstay transfer, so that it does not lead");
  }
}

void disk_low(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes)
    if (node.view && node.view->disk_low)
      found.add(
          name_of(node),
          size_text(node.view->disk_free) + " free: below storage.free_min, inserts are refused",
          "free space on that disk: du -xh --max-depth=1 / | sort -h; or grow it");
}

void disk_filling(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view || node.view->disk_low) continue;
    const std::uint64_t free = node.view->disk_free, total = node.view->disk_total;
    const bool small = total != 0 && free / disk_free_percent_min < total / 100;
    if (free < disk_free_min || small)
      found.add(name_of(node),
                size_text(free) + " free" + (total == 0 ? "" : " of " + size_text(total)) +
                    "; below storage.free_min inserts are refused",
                "free space on that disk: du -xh --max-depth=1 / | sort -h; or grow it");
  }
}

struct Certificate {
  std::string subject, what, renew;
  std::int64_t expires = 0;
};

std::vector<Certificate> certificates_of(const Evidence& evidence) {
  std::vector<Certificate> all;
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view) continue;
    std::int64_t peer = node.view->peer_certificate_expires;
    if (peer == 0)
      peer = static_cast<std::int64_t>(
          sample(node.metrics, "mainstay_certificate_expires_timestamp_seconds"));
    const std::string renew = fmt::format("mainstay certs rotate {} --directory CERTS", node.id);
    all.push_back({name_of(node), "the certificate for its links to other nodes", renew, peer});
    all.push_back({name_of(node), "the certificate of its API",
                   "mainstay certs api NAME --directory CERTS --renew",
                   node.view->api_certificate_expires});
  }
  for (const HostSeen& host : evidence.hosts)
    for (const CertificateSeen& seen : host.certificates) {
      const bool authority = seen.option == "tls.ca";
      const std::string renew = authority
                                    ? "mainstay certs init-ca, and new certificates for all nodes"
                                : seen.option == "tls.certificate"
                                    ? fmt::format("mainstay certs rotate {} --directory CERTS",
                                                  host.config ? host.config->node_id : 0)
                                    : "mainstay certs api NAME --directory CERTS --renew";
      all.push_back({host.file, seen.option + " (" + seen.path + ")", renew, seen.expires});
    }
  return all;
}

void certificate_expired(const Evidence& evidence, Found& found) {
  const std::int64_t now = seconds_of(evidence.now);
  for (const Certificate& certificate : certificates_of(evidence))
    if (certificate.expires != 0 && certificate.expires <= now)
      found.add(certificate.subject,
                certificate.what + " expired at " + time_text(certificate.expires),
                certificate.renew);
}

void certificate_expiring(const Evidence& evidence, Found& found) {
  const std::int64_t now = seconds_of(evidence.now);
  for (const Certificate& certificate : certificates_of(evidence))
    if (certificate.expires > now &&
        certificate.expires - now < certificate_days_min * seconds_a_day)
      found.add(
          certificate.subject,
          fmt::format("{} expires in {} days, at {}", certificate.what,
                      (certificate.expires - now) / seconds_a_day, time_text(certificate.expires)),
          certificate.renew);
}

void queue_saturated(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view) continue;
    const double waiting = std::max(static_cast<double>(node.view->queue_depth),
                                    sample(node.metrics, "mainstay_gateway_requests_waiting"));
    const double bytes = sample(node.metrics, "mainstay_gateway_waiting_bytes");
    const double refused = growth(node, "mainstay_requests_busy_total");
    const bool full =
        waiting > queue_share_max * static_cast<double>(limits::gateway_requests_max) ||
        bytes > queue_share_max * static_cast<double>(limits::gateway_buffer_bytes_max);
    if (full || refused > 0)
      found.add(
          name_of(node),
          fmt::format("{} requests of {} wait; {} were refused with busy while doctor looked",
                      waiting, size_text(static_cast<std::uint64_t>(bytes)), refused),
          "let clients send less or larger batches; mainstay bench shows what the cluster takes");
  }
}

void writes_unknown(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes)
    if (const double grown = growth(node, "mainstay_writes_unknown_total"); grown > 0)
      found.add(
          name_of(node),
          fmt::format("{} writes reached their deadline without an outcome while doctor looked",
                      grown),
          "mainstay op status ID tells what became of one; look for lost quorum or a slow disk");
}

void scrub_damage(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes)
    if (sample(node.metrics, "mainstay_storage_damaged") != 0)
      found.add(name_of(node), "its scrub found stored bytes that fail their checksums",
                "if the others are well: stop it, move its data directory away, start it empty; "
                "then smartctl -a on its disk");
}

void actor_restarting(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view) continue;
    for (const ActorSeen& actor : node.view->actors)
      if (actor.restarts >= restarts_max || actor.state == "ended")
        found.add(
            name_of(node),
            fmt::format("actor {} is {} after {} restarts{}", actor.name, actor.state,
                        actor.restarts, actor.last_end.empty() ? "" : "; last: " + actor.last_end),
            "journalctl -u mainstayd | grep " + actor.name + "; mainstay debug bundle");
  }
}

void apply_lag(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view || !node.before) continue;
    const auto lag = [](const NodeView& view) {
      return std::max(view.apply_lag, view.commit - std::min(view.commit, view.applied));
    };
    if (std::min(lag(*node.view), lag(*node.before)) > apply_lag_max)
      found.add(name_of(node),
                fmt::format("{} committed entries are not applied yet", lag(*node.view)),
                "iostat -x 1 and top on that host");
  }
}

void starved_host(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes) {
    const double ticks = growth(node, "mainstay_tick_lateness_seconds_count");
    const double late = growth(node, "mainstay_ticks_late_total");
    if (ticks >= 20 && late / ticks > late_ticks_share_max)
      found.add(name_of(node),
                fmt::format("{} of {} ticks came late while doctor looked", late, ticks),
                "top on that host; give mainstayd more processor time (CPUWeight= in its unit)");
  }
}

void strangers(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes)
    for (const char* reason : {"stranger", "wrong_node", "wrong_version", "handshake"}) {
      const double refused =
          growth(node, fmt::format("mainstay_links_refused_total{{reason=\"{}\"}}", reason));
      if (refused > 0)
        found.add(
            name_of(node),
            fmt::format("it refused {} connections to its peer address while doctor looked: {}",
                        refused, reason),
            "journalctl -u mainstayd | grep refused   # names the address and why");
    }
}

// What no other condition explains.
void not_ready(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view || node.ready || node.view->draining || node.view->quarantined ||
        !node.view->formed)
      continue;
    std::string failing;
    for (const CheckSeen& check : node.checks)
      if (!check.ok)
        failing += (failing.empty() ? "" : "; ") + check.name +
                   (check.detail.empty() ? "" : ": " + check.detail);
    found.add(name_of(node), "its /readyz fails: " + (failing.empty() ? "no answer" : failing),
              "mainstay status --watch; if it stays so: journalctl -u mainstayd -n 100");
  }
}

constexpr std::array table{
    Condition{"disk-low", Severity::critical, "a disk is below storage.free_min",
              "inserts are refused with storage_full; deletes and reads go on", disk_low},
    Condition{"scrub-damage", Severity::critical, "a node found damage in what it stores",
              "its copy is not to be trusted; one copy less", scrub_damage},
    Condition{"certificate-expired", Severity::critical, "a certificate has expired",
              "links between nodes, or clients, are refused", certificate_expired},
    Condition{"certificate-expiring", Severity::warning, "a certificate expires within 30 days",
              "then links between nodes, or clients, are refused", certificate_expiring},
    Condition{"clock-skew", Severity::warning, "clocks of two nodes differ by more than 500 ms",
              "times in records and the feed run ahead; tokens and certificates are judged wrongly",
              clock_skew},
    Condition{"slow-disk", Severity::warning, "durable writes take more than 100 ms",
              "every write waits; a leader gives up leadership at 400 ms", slow_disk},
    Condition{"disk-filling", Severity::warning, "less than 1 GiB or 5 % of a disk is free",
              "below storage.free_min inserts are refused", disk_filling},
    Condition{"queue-saturated", Severity::warning, "requests pile up in a node",
              "clients get busy", queue_saturated},
    Condition{"writes-unknown", Severity::warning, "writes end without an outcome",
              "clients must ask what became of them", writes_unknown},
    Condition{"apply-lag", Severity::warning,
              "a node applies entries slower than they are committed",
              "reads through it wait, and fail at their deadlines", apply_lag},
    Condition{"actor-restarting", Severity::warning, "a part of a node fails again and again",
              "a part that uses up its restarts stops the node", actor_restarting},
    Condition{"starved-host", Severity::warning, "a host does not get the processor in time",
              "elections start without need", starved_host},
    Condition{
        "strangers-at-the-door", Severity::warning, "connections to a peer address are refused",
        "a node with wrong certificates does not join, or somebody tries the door", strangers},
    Condition{"not-ready", Severity::warning, "a node answers and is not ready",
              "load balancers send nothing to it", not_ready},
};

}  // namespace

std::span<const Condition> node_conditions() {
  return table;
}

}  // namespace mainstay::tool::doctor
