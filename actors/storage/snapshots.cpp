#include "actors/storage/snapshots.hpp"

#include <charconv>
#include <utility>

#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::storage {

namespace {

constexpr Millis tick{200};
constexpr Millis served_for{30'000};      // twice what a fetching node waits before it gives up
constexpr int ticks_per_space_check = 5;  // once a second

}  // namespace

Snapshots::Snapshots(caf::actor_config& config, store::NodeStore& store,
                     metrics::NodeMetrics& metrics, std::shared_ptr<Board> board,
                     std::shared_ptr<const Listeners> listeners, store::FatalHandler fatal)
    : caf::event_based_actor{config},
      store_{store},
      metrics_{metrics},
      board_{std::move(board)},
      listeners_{std::move(listeners)},
      fatal_{std::move(fatal)} {}

caf::behavior Snapshots::make_behavior() {
  kit::route_errors(*this, "snapshots");
  watch_space();
  delayed_send(this, tick, SnapshotTick{});
  return {
      [this](const PullSnapshot& request) { on_pull_snapshot(request); },
      [this](const peer_link::FrameReceived& received) { on_frame(received); },
      [this](SnapshotTick) { on_snapshot_tick(); },
      [](const peer_link::PeerUp&) {},
      [](const peer_link::PeerDown&) {},
      [](const peer_link::PeerCongested&) {},
  };
}

void Snapshots::on_pull_snapshot(const PullSnapshot& request) {
  if (window_ && window_->snapshot().id == request.snapshot.id &&
      window_->source() == request.source)
    return;
  const std::uint64_t staged = store_.records().staged_bytes(request.snapshot.id);
  log_info("snapshots", "fetches snapshot {} ({} MiB) from node {}, {} bytes are here already",
           request.snapshot.id, request.snapshot.bytes >> 20, request.source.value, staged);
  window_.emplace(request.snapshot, request.source, staged, kit::now_of(*this));
  if (window_->complete()) return finish(true);
  ask();
}

void Snapshots::on_frame(const peer_link::FrameReceived& received) {
  if (const auto* request = std::get_if<wire::SnapshotRequest>(&received.frame.body))
    serve(received.frame.from, *request);
  else if (const auto* chunk = std::get_if<wire::SnapshotChunk>(&received.frame.body))
    take(received.frame.from, *chunk);
}

void Snapshots::serve(NodeId to, const wire::SnapshotRequest& request) {
  const std::size_t bytes = std::min<std::size_t>(request.bytes_max, limits::snapshot_chunk_bytes);
  auto data = store_.records().read_snapshot_chunk(request.id, request.offset, bytes);
  wire::SnapshotChunk chunk{request.id, request.offset, 0, {}, !data};
  if (data) {
    chunk.crc32c = crc32c(*data);
    note_served(request.id);
    metrics_.snapshot_bytes_sent.add(static_cast<double>(data->size()));
    chunk.data = Bytes{std::move(*data)};
  }
  listeners_->send(to, std::move(chunk));
}

// The file must stay as long as somebody fetches it. Ids begin with the index in hexadecimal.
void Snapshots::note_served(const std::string& id) {
  std::uint64_t index = 0;
  std::from_chars(id.data(), id.data() + id.size(), index, 16);
  board_->serving_index = index;
  served_at_ = kit::now_of(*this);
}

void Snapshots::take(NodeId from, const wire::SnapshotChunk& chunk) {
  if (!window_ || chunk.id != window_->snapshot().id || from != window_->source()) return;
  if (chunk.refused) {
    log_warn("snapshots", "node {} does not hold snapshot {} any more", from.value, chunk.id);
    return finish(false);
  }
  if (!window_->expects(from, chunk) || crc32c(chunk.data.view()) != chunk.crc32c) return;
  if (const auto staged =
          store_.records().stage_chunk(window_->snapshot(), chunk.offset, chunk.data.view());
      !staged) {
    if (staged.error().code == Errc::io_error) return fatal_(staged.error());
    log_error("snapshots", "cannot stage snapshot {}: {}", chunk.id, to_string(staged.error()));
    return finish(false);
  }
  metrics_.snapshot_bytes_received.add(static_cast<double>(chunk.data.size()));
  window_->staged(chunk.data.size(), kit::now_of(*this));
  if (window_->complete()) return finish(true);
  ask();
}

void Snapshots::ask() {
  for (wire::SnapshotRequest& request : window_->requests())
    listeners_->send(window_->source(), std::move(request));
}

// `ok`: all bytes are staged; they still have to be what was promised.
void Snapshots::finish(bool ok) {
  const consensus::SnapshotMeta snapshot = window_->snapshot();
  window_.reset();
  if (ok) {
    const auto finished = store_.records().finish_staging(snapshot);
    // Never tried again: a sync that failed once says nothing when it succeeds later.
    if (!finished && finished.error().code == Errc::io_error) return fatal_(finished.error());
    if (!finished)
      log_error("snapshots", "snapshot {} is not what was promised: {}", snapshot.id,
                to_string(finished.error()));
    ok = finished.has_value();
  }
  listeners_->pulled(SnapshotPulled{snapshot, ok});
}

void Snapshots::on_snapshot_tick() {
  delayed_send(this, tick, SnapshotTick{});
  if (served_at_ && kit::now_of(*this) - *served_at_ >= served_for) {
    board_->serving_index = 0;
    served_at_.reset();
  }
  if (++ticks_ % ticks_per_space_check == 0) watch_space();
  if (!window_) return;
  if (window_->wake(kit::now_of(*this))) return ask();
  log_warn("snapshots", "node {} does not answer: snapshot {} given up", window_->source().value,
           window_->snapshot().id);
  finish(false);
}

void Snapshots::watch_space() {
  const store::NodeStore::Space space = store_.space();
  if (space.low != board_->disk_low.load())
    log_warn("snapshots", "{} ({} MiB free)",
             space.low ? "free disk space is low: inserts are refused" : "inserts are taken again",
             space.free_bytes >> 20);
  board_->disk_free = space.free_bytes;
  board_->disk_total = space.total_bytes;
  board_->log_bytes = store_.log().usage().file_bytes;
  board_->record_bytes = store_.records().usage().file_bytes;
  board_->disk_low = space.low;
  metrics_.disk_free.set(static_cast<double>(space.free_bytes));
  metrics_.disk_low.set(space.low ? 1 : 0);
}

}  // namespace mainstay::storage
