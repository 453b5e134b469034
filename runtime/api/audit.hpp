// The audit trail: a record in _audit and a log line for every administrative call. Internal to
// runtime/api.
#pragma once

#include <functional>
#include <string>

#include "runtime/api/context.hpp"
#include "runtime/api/writing.hpp"

namespace mainstay::api {

struct AuditEntry {
  std::string what;     // "declare collection"
  std::string target;   // "orders"
  std::string outcome;  // "done", "asked", or the error
  // Of the call, which stands in the trail once under it with each outcome, however often it is
  // repeated; "": it has none.
  std::string operation;
};

// What an outcome is called in the trail; "" for one that changed nothing and is not told. One from
// a repetition is: the first answer may have been lost before its entry was written.
std::string outcome_text(const Result<record::Outcome>& outcome);

// Writes the entry, then calls `then`, whether or not it could be written: the log line always is.
// On any thread. Entries older than audit_days go, a few with each that is written.
inline constexpr std::uint64_t audit_days = 90;
void write_audit(const CallPtr& call, const AuditEntry& entry, std::function<void()> then);

// For submit(): the outcome goes into the trail before the client is answered.
Afterwards audited(const CallPtr& call, std::string what, std::string target);

}  // namespace mainstay::api
