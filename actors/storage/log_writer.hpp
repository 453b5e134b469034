// The log_writer actor: the only thread that writes the log. Group commit: while one commit runs,
// requests gather in the mailbox; all of them go into the next one. Detached; started by the node;
// a failure stops the process.
#pragma once

#include <memory>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/storage/storage_api.hpp"
#include "runtime/metrics/node_metrics.hpp"
#include "runtime/store/fatal.hpp"
#include "runtime/store/log_store.hpp"

namespace mainstay::storage {

class LogWriter final : public caf::event_based_actor {
 public:
  // `log` and `metrics` must outlive the actor.
  LogWriter(caf::actor_config& config, store::LogStore& log, metrics::NodeMetrics& metrics,
            std::shared_ptr<Board> board, std::shared_ptr<const Listeners> listeners,
            store::FatalHandler fatal);

  caf::behavior make_behavior() override;
  const char* name() const override { return "log_writer"; }

 private:
  void on_write_persist(WritePersist& request);
  void on_write_queued();
  void on_compact_log(const CompactLog& request);
  void on_compact_step();

  store::LogStore& log_;
  metrics::NodeMetrics& metrics_;
  const std::shared_ptr<Board> board_;
  const std::shared_ptr<const Listeners> listeners_;
  const store::FatalHandler fatal_;
  std::vector<consensus::Persist> queued_;
  consensus::Index compact_to_ = 0;
  bool compacting_ = false;
};

}  // namespace mainstay::storage
