#include "actors/storage/log_writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/kit/errors.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/log.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::storage {

LogWriter::LogWriter(caf::actor_config& config, store::LogStore& log, metrics::NodeMetrics& metrics,
                     std::shared_ptr<Board> board, std::shared_ptr<const Listeners> listeners,
                     store::FatalHandler fatal)
    : caf::event_based_actor{config},
      log_{log},
      metrics_{metrics},
      board_{std::move(board)},
      listeners_{std::move(listeners)},
      fatal_{std::move(fatal)} {}

caf::behavior LogWriter::make_behavior() {
  kit::route_errors(*this, "log_writer");
  return {
      [this](WritePersist& request) { on_write_persist(request); },
      [this](WriteQueued) { on_write_queued(); },
      [this](const CompactLog& request) { on_compact_log(request); },
      [this](CompactStep) { on_compact_step(); },
  };
}

// The message to itself goes to the end of the mailbox: when it comes back, everything that was
// queued before it is in `queued_`.
void LogWriter::on_write_persist(WritePersist& request) {
  if (queued_.empty()) send(this, WriteQueued{});
  queued_.push_back(std::move(request.persist));
}

void LogWriter::on_write_queued() {
  std::vector<const consensus::Persist*> persists;
  std::size_t entries = 0;
  for (const consensus::Persist& persist : queued_) {
    persists.push_back(&persist);
    entries += persist.entries.size();
  }
  const auto start = sys::system_clock().monotonic();
  board_->log_write_began = start.time_since_epoch().count();
  if (const auto written = log_.write(persists); !written) fatal_(written.error());
  const auto time = sys::system_clock().monotonic() - start;
  board_->log_write_began = 0;
  board_->log_write_slowest_ns = std::max(board_->log_write_slowest_ns.load(), time.count());
  const std::chrono::duration<double> took = time;
  const std::uint64_t sequence = queued_.back().mark.sequence;
  queued_.clear();
  listeners_->persisted(PersistDone{sequence});
  metrics_.log_write.observe(took.count());
  metrics_.log_writes.add();
  metrics_.log_written_entries.add(static_cast<double>(entries));
  if (took > std::chrono::milliseconds{limits::disk_stall_ms_max})
    log_warn("log_writer", "a durable commit took {:.0f} ms: the disk is slow",
             took.count() * 1000);
}

void LogWriter::on_compact_log(const CompactLog& request) {
  if (request.snapshot.index > log_.snapshot().index)
    if (const auto published = log_.set_snapshot(request.snapshot); !published)
      fatal_(published.error());
  compact_to_ = std::max(compact_to_, request.to);
  if (!std::exchange(compacting_, true)) send(this, CompactStep{});
}

// One bounded piece at a time, so that writes that came meanwhile wait for one piece at most.
void LogWriter::on_compact_step() {
  const consensus::Index before = log_.first_index();
  const consensus::Index to = std::min(compact_to_, log_.last_index());
  compacting_ = false;
  if (to < before) return;
  const auto first = log_.compact(to);
  if (!first) fatal_(first.error());
  if (*first > before && *first <= to) {
    compacting_ = true;
    send(this, CompactStep{});
  }
}

}  // namespace mainstay::storage
