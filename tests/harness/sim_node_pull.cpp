// How a simulated node fetches a snapshot from another and hands out its own.
#include "tests/harness/sim_node.hpp"

namespace mainstay::harness {

using consensus::SnapshotMeta;

// --- snapshots ---

void SimNode::start_pull(const SnapshotMeta& meta, NodeId source) {
  pull_ = Pull{meta, source, store_->records().staged_bytes(meta.id), 0};
  if (pull_->offset > meta.bytes) pull_->offset = 0;
  world_.trace.say(id_.value, "pulls snapshot {} from n{}", meta.index, source.value);
  ask_for_piece();
  watch_pull(meta.id);
}

void SimNode::ask_for_piece() {
  if (pull_->offset >= pull_->meta.bytes) {
    const Result<void> finished = store_->records().finish_staging(pull_->meta);
    if (!finished && finished.error().code == Errc::io_error) demand(finished, "finish staging");
    if (!disk_.cut_happened()) finish_pull(finished.has_value());
    return;
  }
  world_.network.send(id_, pull_->source, SnapshotAsk{pull_->meta.id, pull_->offset});
}

void SimNode::watch_pull(std::string id) {
  after(150 * sim_ms, [this, id] {
    if (!pull_ || pull_->meta.id != id) return;
    if (++pull_->silent > 6) {
      finish_pull(false);
      return;
    }
    if (pull_->silent > 1) ask_for_piece();
    if (pull_) watch_pull(id);
  });
}

void SimNode::on_snapshot_ask(NodeId from, const SnapshotAsk& ask) {
  SnapshotPiece piece{ask.id, ask.offset, "", false};
  Result<std::string> data =
      store_->records().read_snapshot_chunk(ask.id, ask.offset, settings_.chunk_bytes);
  if (data && !is_altered(applied_))
    piece.data = std::move(*data);
  else
    piece.refused = true;
  world_.network.send(id_, from, std::move(piece));
}

void SimNode::on_snapshot_piece(const SnapshotPiece& piece) {
  if (!pull_ || pull_->meta.id != piece.id || piece.offset != pull_->offset) return;
  if (piece.refused || piece.data.empty()) {
    finish_pull(false);
    return;
  }
  demand(store_->records().stage_chunk(pull_->meta, piece.offset, piece.data), "stage chunk");
  pull_->offset += piece.data.size();
  pull_->silent = 0;
  ask_for_piece();
}

void SimNode::finish_pull(bool ok) {
  const SnapshotMeta meta = pull_->meta;
  pull_.reset();
  world_.trace.mark("pulled", id_.value, meta.index, ok ? 1 : 0);
  world_.trace.say(id_.value, "snapshot {} {}", meta.index, ok ? "is staged" : "could not be had");
  core_->snapshot_received(meta, ok);
  pump();
}

}  // namespace mainstay::harness
