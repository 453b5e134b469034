// The worker that proves that the records agree with a counterpart. One arm always reads the
// counterpart itself (look.hpp); the other the records. What differs is looked at a second time,
// `settle` later, before it is called a difference:
//
//   look ──nothing new differs──► passed
//     │ new differences: wait `settle`, look again
//     ▼
//   differs as before ──► on its way (changed since the cut, open effect, letter)? pending
//                         else: a row in hub-discrepancies, until a later run finds it equal
//
// docs/integration/reconciliation.md tells it to users. Passive; one thread; may be ended at any
// call.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/integration/adapter.hpp"
#include "runtime/integration/comparison.hpp"
#include "runtime/integration/definition.hpp"
#include "runtime/integration/hub_port.hpp"
#include "runtime/integration/look.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/integration/tenure.hpp"

namespace mainstay::integration {

// What a repair asked for.
struct RepairCounts {
  std::uint64_t backfills = 0;  // of what is missing here
  std::uint64_t effects = 0;    // of what is missing or differs there, to be carried out again
  std::uint64_t left = 0;       // that nothing can mend by itself
};

class Reconciler {
 public:
  // All must outlive it.
  Reconciler(const AdapterDefinition& definition, Tenure tenure, Adapter& adapter, HubPort& port);

  // One thing that is asked for (commands reconcile and repair) or due. Errors: of the port, after
  // which the worker is made anew.
  Result<Step> step();
  // After an idle step: how long nothing is due.
  Millis pause() const { return pause_; }

  // One whole run: reads the counterpart, writes the rows. Errors: those of the adapter (nothing
  // was judged), too_large (more than is compared at once), precondition_failed (the tenure is
  // over), of the port.
  Result<ReconciliationRow> run(const ReconcileDefinition& what);
  // Mends what can be mended without doing anything twice; "": every open discrepancy. Errors: of
  // the port.
  Result<RepairCounts> repair(const ReconcileDefinition& what, const std::string& key);

 private:
  using Known = std::map<std::string, DiscrepancyRow>;  // open or explained, by key

  Result<Step> obey(CommandRow command);
  Result<Step> run_due(const ReconcileDefinition& what);
  Result<json::Value> carry_out(const CommandRow& command);
  Result<Step> finish(Result<void> result);

  Result<void> wait_settled(const ReconcileDefinition& what);
  Known known(const record::StateReader& view, const ReconcileDefinition& what) const;
  ReconciliationRow row_before(const record::StateReader& view,
                               const ReconcileDefinition& what) const;
  Result<void> write(std::vector<record::Action> actions,
                     std::vector<record::RecordCheck> checks = {});
  std::vector<record::Action> row_changes(const ReconcileDefinition& what, const Looked& looked,
                                          Known before, ReconciliationRow& row) const;
  Result<void> tell_failure(const ReconcileDefinition& what, const Error& error);
  Result<bool> ask_backfill(const ReconcileDefinition& what, const DiscrepancyRow& row);
  Result<bool> repeat_effect(const DiscrepancyRow& row, const std::string& key,
                             const record::Record& record, EffectRow effect);

  const AdapterDefinition& definition_;
  const Tenure tenure_;
  Adapter& adapter_;
  HubPort& port_;
  Millis pause_{};
  bool ended_ = false;
  std::map<std::string, MonotonicTime> failed_;  // runs that could not be made: when last
};

// The totals of a reconciliation and its mark after a run. Pure. `before`: as the last run left it.
// `explained` of the differences are known to people and accepted. The mark moves to the cut when
// nothing is open, nothing older than the cut is held by a letter or an effect, and the run before
// passed too, not long ago: a difference that comes and goes, and runs that did not take place,
// stop it for one run more.
ReconciliationRow judged(const ReconcileDefinition& what, const Looked& looked,
                         std::uint64_t explained, ReconciliationRow before);

}  // namespace mainstay::integration
