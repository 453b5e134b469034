// The worker that brings a counterpart's messages in: fetches a page, makes records of it, and
// commits inbox rows, records and position together, so that a message takes effect once however
// often it is fetched. What cannot be taken parks as a dead letter, and the rest goes on (R2-R9 of
// docs/integration/hub.md). Also carries out what people ask for: replays and backfills.
//
// Passive: step() does one piece of work and returns. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/integration/adapter.hpp"
#include "runtime/integration/definition.hpp"
#include "runtime/integration/heartbeat.hpp"
#include "runtime/integration/hub_port.hpp"
#include "runtime/integration/intake.hpp"
#include "runtime/integration/pacing.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/integration/tenure.hpp"

namespace mainstay::integration {

class Source {
 public:
  // All must outlive it. REQUIRES: the definition has a source.
  Source(const AdapterDefinition& definition, Tenure tenure, Adapter& adapter, HubPort& port,
         Random& random);

  // Errors: the cluster could not be asked, or an outcome is unknown: make a new Source, which goes
  // on from what is committed. Failures of the counterpart are no errors here: they end in pause().
  Result<Step> step();
  // After an idle step: how long to wait before the next, unless something changed.
  Millis pause() const { return pause_; }
  const SourceCounts& counts() const { return intake_.counts(); }
  // Why the counterpart could not be read the last time; "" when it could.
  const std::string& trouble() const { return trouble_; }

 private:
  Result<void> load();
  Result<Step> fetch();
  Result<Step> look_for_requests();
  Result<Step> replay(std::vector<std::pair<std::string, LetterRow>> letters);
  Result<Step> backfill();
  Result<Step> go_on_sweeping(const std::string& type, const Error* failed);
  Result<Step> finish_backfill(std::string state, std::string detail);
  Result<Step> trim();
  void counterpart_failed(const Error& error);
  Result<Step> tell_trouble();

  const AdapterDefinition& definition_;
  const Tenure tenure_;
  Adapter& adapter_;
  HubPort& port_;
  Intake intake_;
  Backoff backoff_;
  bool loaded_ = false;
  std::string position_;
  bool acknowledged_ = true;
  Millis pause_{};
  std::string trouble_;
  PathRow path_;  // as committed
  MonotonicTime next_heartbeat_{};
  MonotonicTime next_fetch_{};
  MonotonicTime next_look_{};
  MonotonicTime next_trim_{};
  std::string trimmed_to_;
  std::optional<CommandRow> backfill_;
  bool backfill_next_ = false;
};

}  // namespace mainstay::integration
