#include "actors/gateway/node_backend.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "actors/gateway/command_bytes.hpp"
#include "runtime/sys/random.hpp"

namespace mainstay::gateway {

namespace {

constexpr Millis leader_contact_max{500};
constexpr Millis view_age_max{5000};  // the replica publishes every 50 ms
constexpr std::uint64_t apply_lag_max = 1000;

std::string role_of(const replica::View& view) {
  const NodeId self = view.status.id;
  const consensus::Member* member = view.status.membership.find(self);
  if (!view.member) return "stranger";
  if (member->role == consensus::MemberRole::learner) return "learner";
  return std::string{to_string(view.status.role)};
}

api::MemberView member_view(const consensus::Member& member, const replica::View& view) {
  api::MemberView out;
  out.id = member.id;
  out.incarnation = member.incarnation;
  out.voter = member.role == consensus::MemberRole::voter;
  out.peer_address = member.peer_address;
  out.api_address = member.api_address;
  out.connected =
      member.id == view.status.id ||
      std::find(view.connected.begin(), view.connected.end(), member.id) != view.connected.end();
  for (const consensus::MemberStatus& status : view.status.members) {
    if (status.id != member.id) continue;
    out.active = status.recently_active;
    out.match = status.match;
    out.applied = status.applied;
  }
  return out;
}

// What the link to it says.
void add_link(api::MemberView& member, const peer_link::LinkStatus& links) {
  for (const peer_link::LinkReport& link : links.links) {
    if (link.node != member.id) continue;
    member.release = link.release;
    member.protocol = link.protocol;
    member.clock_offset_ms = link.clock_offset_ms;
  }
}

api::ActorView actor_view(const kit::ChildStatus& child) {
  return {child.name, std::string{to_string(child.state)}, child.restarts, child.last_end};
}

}  // namespace

void NodeBackend::submit(record::Command command, MonotonicTime deadline,
                         std::function<void(Result<record::Outcome>)> done) {
  if (auto allowed = may_write(command); !allowed) return done(Failure{std::move(allowed).error()});
  if (!parts_.admission->enter(bytes_of(command))) {
    parts_.metrics->requests_busy.add();
    return done(fail(Errc::busy, "too many requests wait on this node"));
  }
  parts_.inbox->push(
      WriteRequest{std::move(command), parts_.clock->monotonic(), deadline, std::move(done)});
}

void NodeBackend::read_barrier(api::ReadNeed need, MonotonicTime deadline,
                               std::function<void(Result<void>)> done) {
  if (auto allowed = may_serve(); !allowed) return done(std::move(allowed));
  if (need.level == api::ReadLevel::local) return done({});
  const bool session = need.level == api::ReadLevel::session;
  if (session && need.at_least <= parts_.board->revision) return done({});
  if (!parts_.admission->enter(0)) {
    parts_.metrics->requests_busy.add();
    return done(fail(Errc::busy, "too many requests wait on this node"));
  }
  const MonotonicTime now = parts_.clock->monotonic();
  if (!session) return parts_.inbox->push(ReadRequest{now, deadline, std::move(done)});
  auto reached = [done = std::move(done)](Result<record::Revision> revision) {
    if (revision) return done({});
    done(Failure{std::move(revision).error()});
  };
  parts_.inbox->push(RevisionRequest{need.at_least - 1, false, now, deadline, std::move(reached)});
}

void NodeBackend::wait_revision(record::Revision after, MonotonicTime deadline,
                                std::function<void(Result<record::Revision>)> done) {
  if (auto allowed = may_serve(); !allowed) return done(Failure{std::move(allowed).error()});
  if (parts_.state->draining)
    return done(fail(Errc::not_ready, "this node stops; go on at another one"));
  if (const record::Revision newest = parts_.board->revision; newest > after) return done(newest);
  if (!parts_.admission->enter_feed()) {
    parts_.metrics->requests_busy.add();
    return done(fail(Errc::busy, "too many feeds wait on this node"));
  }
  parts_.inbox->push(
      RevisionRequest{after, true, parts_.clock->monotonic(), deadline, std::move(done)});
}

Result<std::shared_ptr<const record::StateReader>> NodeBackend::view() {
  TRY(may_serve());
  TRY_ASSIGN(auto view, parts_.store->records().read());
  std::shared_ptr<const store::ReadView> owner = std::move(view);
  return std::shared_ptr<const record::StateReader>{owner, &owner->state()};
}

record::Revision NodeBackend::revision() {
  return parts_.board->revision;
}

void NodeBackend::administer(api::AdminCommand command, MonotonicTime deadline,
                             std::function<void(Result<std::string>)> done) {
  if (!parts_.state->formed)
    return done(fail(Errc::not_ready, "this node has not joined a cluster yet"));
  parts_.administer(std::move(command), deadline, std::move(done));
}

api::ClusterView NodeBackend::cluster() {
  const auto view = parts_.view->get();
  const auto overview = parts_.overview->get();
  const store::Identity& identity = parts_.store->identity();
  api::ClusterView out;
  out.formed = parts_.state->formed;
  out.self = parts_.node;
  out.incarnation = identity.incarnation;
  out.draining = parts_.state->draining;
  out.disk_free_bytes = parts_.board->disk_free;
  out.disk_total_bytes = parts_.board->disk_total;
  out.disk_low = parts_.board->disk_low;
  out.release = parts_.release;
  out.fsync_ms = overview->fsync_ms;
  out.log_bytes = parts_.board->log_bytes;
  out.record_bytes = parts_.board->record_bytes;
  out.queue_depth = parts_.admission->requests();
  out.peer_certificate_expires = overview->links.certificate_expires_unix;
  out.api_certificate_expires = parts_.state->api_certificate_expires;
  for (const kit::ChildStatus& child : overview->actors) out.actors.push_back(actor_view(child));
  out.role = "forming";
  if (!out.formed) return out;
  out.cluster = identity.cluster;
  out.role = role_of(*view);
  out.leader = view->status.leader;
  out.term = view->status.term;
  out.applied = parts_.board->applied;
  // The applier is ahead of what the replica published last.
  out.commit = std::max(view->status.commit, out.applied);
  out.apply_lag = out.commit - out.applied;
  out.revision = parts_.board->revision;
  out.checked_index = view->checked_index;
  out.hashes_agree = view->hashes_agree;
  out.quarantined = view->quarantined;
  for (const consensus::Member& member : view->status.membership.members) {
    api::MemberView& one = out.members.emplace_back(member_view(member, *view));
    if (member.id != parts_.node) {
      add_link(one, overview->links);
      continue;
    }
    one.release = parts_.release;
    one.protocol = wire::protocol_version_max;
    one.applied = std::max(one.applied, out.applied);
  }
  return out;
}

std::vector<api::Check> NodeBackend::liveness() {
  if (!parts_.state->formed) return {{"replica", true, "waits for the cluster to form"}};
  const MonotonicTime published = parts_.view->get()->published;
  if (published == MonotonicTime{}) return {{"replica", true, "starts"}};
  const auto age = std::chrono::duration_cast<Millis>(parts_.clock->monotonic() - published);
  return {{"replica", age < view_age_max,
           "last sign of life " + std::to_string(age.count()) + " ms ago"}};
}

std::vector<api::Check> NodeBackend::readiness() {
  const auto view = parts_.view->get();
  const auto contact =
      std::chrono::duration_cast<Millis>(parts_.clock->monotonic() - view->leader_contact);
  const std::uint64_t lag =
      view->status.commit - std::min(view->status.commit, view->status.applied);
  std::vector<api::Check> checks;
  checks.push_back({"formed", parts_.state->formed,
                    parts_.state->formed ? "" : "waits for the cluster to form"});
  checks.push_back({"member", view->member, view->member ? "" : "not in the membership yet"});
  checks.push_back({"leader", view->status.leader && contact < leader_contact_max,
                    view->status.leader ? "node " + to_string(view->status.leader) : "unknown"});
  checks.push_back({"applied", lag < apply_lag_max, std::to_string(lag) + " entries behind"});
  checks.push_back({"integrity", !view->quarantined && !view->no_majority,
                    view->quarantined ? "differs from the majority" : ""});
  checks.push_back({"serving", !parts_.state->draining, parts_.state->draining ? "draining" : ""});
  return checks;
}

bool NodeBackend::started() {
  return parts_.state->formed && parts_.view->get()->leader_contact != MonotonicTime{};
}

void NodeBackend::metrics(MonotonicTime deadline, std::function<void(Result<std::string>)> done) {
  parts_.metrics_text(deadline, std::move(done));
}

// Unique: the boot id is drawn at random at every start, the number counts up.
std::string NodeBackend::make_operation_id() {
  // The last part is drawn: nobody who has seen one id can name the next and fence it.
  return fmt::format("~{}-{:x}-{:x}-{:016x}", parts_.node.value, parts_.boot.value,
                     next_operation_.fetch_add(1), sys::system_random().next());
}

Result<void> NodeBackend::may_serve() const {
  if (!parts_.state->formed) return fail(Errc::not_ready, "this node has not joined a cluster yet");
  if (parts_.view->get()->quarantined)
    return fail(Errc::not_ready,
                "this node differs from the majority and serves nothing; ask another one");
  return {};
}

Result<void> NodeBackend::may_write(const record::Command& command) const {
  TRY(may_serve());
  if (parts_.board->disk_low && replica::needs_space(command))
    return fail(Errc::storage_full,
                "free disk space is below the reserve; delete records or add space");
  return {};
}

}  // namespace mainstay::gateway
