// One look at a counterpart for reconciliation: everything of a kind that it holds, as it says
// itself, against the records here. Private to reconcile.hpp.
//
// Records are compared as they are read; all that stays in memory is a hash for each of them, and
// the differences. Of a ledger the balances are compared: those that the counterpart gives, by the
// dimensions that it gives, with the sums here over all others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>

#include "runtime/base/checksum.hpp"
#include "runtime/base/decimal.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/integration/comparison.hpp"
#include "runtime/integration/definition.hpp"
#include "runtime/integration/hub_port.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/record/ledger.hpp"

namespace mainstay::integration {

struct Looked {
  WallTime cut;  // what changed here after this is not judged
  std::uint64_t equal = 0;
  std::uint64_t pending = 0;  // differs, and is on its way
  std::uint64_t held = 0;     // of these: by an open effect or a letter, however old
  std::map<std::string, Difference> differences;  // by key
};

class Look {
 public:
  // All must outlive it; used once.
  Look(const AdapterDefinition& definition, const ReconcileDefinition& what, Adapter& adapter,
       HubPort& port);

  // Errors: of Adapter::observe, of the port, too_large, not_found (no such collection here),
  // invalid_argument (a balance without quantity or dimensions).
  Result<Looked> run();

 private:
  struct Sum {
    Decimal here, there;
    std::string id;
    record::Revision revision = 0;
  };
  struct HashOf {
    std::size_t operator()(const Hash128& hash) const { return hash[1]; }
  };

  Result<void> begin();
  Result<void> take(const Observed& observed);
  Result<void> take_record(const record::StateReader& view, const MappedRecord& mapped,
                           const std::string& id);
  Result<void> take_balance(const MappedRecord& mapped, const std::string& id);
  json::Value compared_value(const MappedRecord& mapped) const;
  Result<void> add(Difference difference);
  Result<void> find_unseen(const record::StateReader& view);
  Result<void> sum_balances(const record::StateReader& view);
  Result<void> compare_balances();
  void find_waiting(const record::StateReader& view);
  void waits(const record::StateReader& view, const std::string& key);
  void letter_waits(const record::StateReader& view, const LetterRow& letter);
  std::string group_of(const record::Dimensions& dimensions) const;
  void settle(const record::StateReader& view);
  bool changed_lately(const record::StateReader& view, const std::string& key) const;

  const AdapterDefinition& definition_;
  const ReconcileDefinition& what_;
  Adapter& adapter_;
  HubPort& port_;
  Where where_;  // of pointers
  Looked looked_;
  std::optional<record::LedgerDeclaration> ledger_;
  std::unordered_set<Hash128, HashOf> seen_;
  std::optional<std::set<std::string>> dimensions_;  // that the counterpart gives
  std::map<std::string, Sum> sums_;                  // balances, by the joined dimensions
  std::set<std::string> waiting_;                    // keys with an open effect or a letter
  std::set<std::string> waiting_ids_;                // the same, by the counterpart's name
};

}  // namespace mainstay::integration
