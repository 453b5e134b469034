#include "tests/harness/sim_network.hpp"

#include <algorithm>

#include "tests/harness/describe.hpp"

namespace mainstay::harness {

namespace {

std::string text_of(const Parcel& parcel) {
  if (const auto* message = std::get_if<consensus::Message>(&parcel)) return describe(*message);
  if (const auto* ask = std::get_if<SnapshotAsk>(&parcel))
    return fmt::format("snapshot ask {} at {}", ask->id, ask->offset);
  if (const auto* piece = std::get_if<SnapshotPiece>(&parcel))
    return fmt::format("snapshot piece {} at {}: {}", piece->id, piece->offset,
                       piece->refused ? "refused" : std::to_string(piece->data.size()) + " bytes");
  if (std::holds_alternative<LinkClosed>(parcel)) return "link closed";
  return "propose";
}

}  // namespace

void SimNetwork::send(NodeId from, NodeId to, Parcel parcel) {
  ++sent_;
  if (is_cut(from, to) || chance(faults_.drop)) {
    if (trace_.wanted()) trace_.say(from.value, "  lost: {}", text_of(parcel));
    return;
  }
  schedule(from, to, parcel);
  if (chance(faults_.duplicate)) schedule(from, to, parcel);
}

bool SimNetwork::straggles(const Parcel& parcel) {
  if (chance(faults_.straggle)) return true;
  const auto* message = std::get_if<consensus::Message>(&parcel);
  if (faults_.slow_votes == 0 || message == nullptr) return false;
  const bool vote = message->type == consensus::MessageType::vote ||
                    message->type == consensus::MessageType::vote_reply;
  return vote && chance(faults_.slow_votes);
}

void SimNetwork::schedule(NodeId from, NodeId to, const Parcel& parcel) {
  SimTime arrival = scheduler_.now() + random_.between(faults_.delay_min, faults_.delay_max);
  if (const auto stall = stalled_until_.find({from, to}); stall != stalled_until_.end())
    arrival = std::max(arrival, stall->second);
  if (straggles(parcel)) {
    arrival += random_.between(0, faults_.straggle_max);
  } else if (!chance(faults_.reorder)) {
    SimTime& last = last_arrival_[{from, to}];
    arrival = last = std::max(last + 1, arrival);
  }
  scheduler_.after(arrival - scheduler_.now(), [this, from, to, parcel] {
    if (is_cut(from, to)) return;  // was on its way when the cable went
    trace_.mark("deliver", from.value, to.value, parcel.index());
    if (trace_.wanted()) trace_.say(to.value, "<- {}", text_of(parcel));
    deliver_(from, to, parcel);
  });
}

}  // namespace mainstay::harness
