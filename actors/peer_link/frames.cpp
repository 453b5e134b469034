// The part of Links that frames go through: introductions, credit, and who gets what comes in.
#include <utility>

#include <caf/all.hpp>

#include "actors/peer_link/parcel.hpp"
#include "actors/peer_link/peer_link.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::peer_link {

namespace {

constexpr const char* component = "peer_link";

}  // namespace

// --- what goes out ---

void Links::send_hello(Link& link) {
  wire::Hello hello;
  hello.release = options_.release;
  hello.formed = static_cast<bool>(self_.cluster);
  hello.peer_address = options_.peer_address;
  hello.api_address = options_.api_address;
  send_body(link, first_group, Incarnation{}, std::move(hello));
}

// Again and again, to every peer: who notices that clocks differ need not be who leads.
void Links::report_clock() {
  for (auto& [node, link] : links_)
    if (link->report.state == LinkState::up)
      send_body(*link, first_group, Incarnation{}, wire::ClockReport{options_.wall_millis()});
  after(options_.clock_report_every, [this] { report_clock(); });
}

bool Links::send_body(Link& link, GroupId group, Incarnation to, wire::Body body) {
  wire::Frame frame;
  // Before the other's Hello the version is not known yet; a Hello is the same in all of them.
  frame.version = link.version != 0 ? link.version : wire::protocol_version_max;
  frame.cluster = self_.cluster;
  frame.group = group;
  frame.from = self_.node;
  frame.from_incarnation = self_.incarnation;
  frame.from_boot = self_.boot;
  frame.to = link.report.node;
  frame.to_incarnation = to;
  frame.body = std::move(body);
  std::string bytes = wire::encode(frame);
  const std::size_t size = bytes.size();
  if (size > options_.frame_bytes_max) {
    ++link.report.dropped_oversize;
    log_error(component, "a frame of {} bytes for node {} is larger than allowed and was dropped",
              size, link.report.node.value);
    return false;
  }
  if (!link.flow.send(size)) {
    ++link.report.dropped_congested;
    tell_congestion(link);
    return false;
  }
  link.flow.told = link.flow.received;
  send(link.gateway, kit::WireFrame{seal_parcel(std::move(bytes), link.token, link.flow.received)});
  ++link.report.frames_sent;
  link.report.bytes_sent += size;
  tell_congestion(link);
  return true;
}

void Links::return_credit(Link& link) {
  if (!link.flow.must_tell() || !link.gateway) return;
  link.flow.told = link.flow.received;
  send(link.gateway, kit::WireFrame{seal_parcel("", link.token, link.flow.received)});
}

void Links::tell_congestion(Link& link) {
  const bool congested = link.flow.credit.congested();
  if (congested == link.congestion_told || link.report.state != LinkState::up) return;
  link.congestion_told = congested;
  tell_subscribers(PeerCongested{link.report.node, congested});
}

PeerUp Links::up_event(const Link& link) const {
  return PeerUp{link.report.node, link.peer.incarnation, link.peer.boot, link.cluster, link.hello};
}

// --- what comes in ---

void Links::on_wire_frame(kit::WireFrame& wire_frame) {
  auto parcel = open_parcel(std::move(wire_frame.blob));
  Link* link = parcel ? find_token(parcel->token) : nullptr;
  if (link == nullptr) return;  // of a connection that is gone, or from someone who guesses
  link->flow.taken(parcel->received);
  tell_congestion(*link);
  if (parcel->frame.empty()) return;
  link->flow.received += parcel->frame.size();
  link->report.bytes_received += parcel->frame.size();
  ++link->report.frames_received;
  auto frame = wire::decode_frame(std::move(parcel->frame));
  if (!frame) {
    ++link->report.dropped_received;
    // TLS keeps bytes intact and both ends agreed on a version: whoever sends this does not speak
    // our language.
    if (frame.error().code == Errc::wrong_version)
      refuse(Refusal::wrong_version, frame.error().message);
    end_connection(*link, "it sent a bad frame: " + frame.error().message);
  } else if (const auto* hello = std::get_if<wire::Hello>(&frame->body)) {
    on_hello(*link, *frame, *hello);
  } else {
    on_frame(*link, std::move(*frame));
  }
  return_credit(*link);
}

void Links::on_hello(Link& link, const wire::Frame& frame, const wire::Hello& hello) {
  auto refused = check_hello(self_, link.report.node, frame, hello);
  if (!refused && link.report.state == LinkState::up && frame.from_boot != link.peer.boot)
    refused = Refused{Refusal::wrong_node, "it changed its identity"};
  if (refused) {
    refuse(refused->reason, "node " + to_string(link.report.node) + ": " + refused->text);
    return end_connection(link, refused->text);
  }
  const bool answer = !dials(link.report.node) && link.report.state == LinkState::joining;
  link.peer = Party{frame.from, frame.from_incarnation, frame.from_boot, frame.cluster};
  link.cluster = frame.cluster;
  link.hello = hello;
  link.version = common_version(hello);
  if (answer) {
    link.gateway = caf::actor_cast<caf::actor>(current_sender());
    if (!link.gateway) return end_connection(link, "it did not say where to answer");
    monitor(link.gateway);
    send_hello(link);
  }
  if (link.report.state != LinkState::up) {
    ++link.report.connects;
    link.report.state = LinkState::up;
    link.report.incarnation = link.peer.incarnation;
    link.report.boot = link.peer.boot;
    link.report.last_error.clear();
    link.report.release = hello.release;
    link.report.protocol = link.version;
    send_body(link, first_group, Incarnation{}, wire::ClockReport{options_.wall_millis()});
    link.backoff.reset();
    log_info(component, "link to node {} is up (release {}, protocol {})", link.report.node.value,
             hello.release, link.version);
  }
  tell_subscribers(up_event(link));
}

void Links::on_frame(Link& link, wire::Frame frame) {
  std::optional<std::string> wrong = "before its Hello";
  if (link.report.state == LinkState::up) wrong = check_frame(self_, link.peer, frame);
  if (const auto* report = std::get_if<wire::ClockReport>(&frame.body); report && !wrong)
    return on_clock_report(link, *report);
  const auto receiver = receivers_.find(static_cast<BodyKind>(frame.body.index()));
  if (!wrong && receiver == receivers_.end()) wrong = "without a receiver here";
  if (wrong) {
    ++link.report.dropped_received;
    log_debug(component, "dropped a frame from node {}: {}", link.report.node.value, *wrong);
    return;
  }
  caf::anon_send(receiver->second, FrameReceived{std::move(frame)});
}

void Links::on_clock_report(Link& link, const wire::ClockReport& report) {
  link.clock.report(report.wall_millis, options_.wall_millis());
  link.report.clock_offset_ms = link.clock.millis();
}

}  // namespace mainstay::peer_link
