#include "runtime/api/audit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/api/times.hpp"
#include "runtime/base/log.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using record::system_collection::audit;

constexpr std::size_t trim_records_max = 16;
// Longer than any write takes that is going to happen at all.
constexpr Millis trim_deadline{5000};
// Without a majority the call goes on, without its entry.
constexpr Millis entry_deadline{2000};

std::string key_of(std::uint64_t millis, const std::string& operation) {
  return fmt::format("{:013}-{}", millis, operation);
}

// Made again by a repetition of the call, wherever it arrives: the deduplication table lets in one.
std::string operation_of(const AuditEntry& entry) {
  return std::string{audit_operation_prefix} +
         hex_of(xxh3_128(entry.operation + '\n' + entry.outcome));
}

record::Command audit_command(const Call& call, const AuditEntry& entry, std::uint64_t now) {
  record::Action action;
  action.collection = audit;
  const std::string made = call.backend().make_operation_id();
  action.key = key_of(now, made);
  action.value = Bytes{fmt::format(
      R"({{"time":"{}","who":{},"what":{},"target":{},"outcome":{},"from":{}}})", time_text(now),
      json_string(call.principal.name), json_string(entry.what), json_string(entry.target),
      json_string(entry.outcome), json_string(call.request.from))};
  record::Command command = record::single(std::move(action));
  command.operation = entry.operation.empty() ? made : operation_of(entry);
  return command;
}

// Another node may remove the same ones at this moment: then this refuses, and a later one goes on.
void trim(const Call& call, std::uint64_t now) {
  constexpr std::uint64_t kept_ms = audit_days * 24 * 3600 * 1000;
  const auto view = call.backend().view();
  if (!view || now < kept_ms) return;
  const std::string oldest_kept = key_of(now - kept_ms, "");
  record::Command command;
  (*view)->scan_records(audit, "", "", [&](std::string_view key, const record::Record& record) {
    if (key >= oldest_kept || command.actions.size() == trim_records_max) return false;
    if (record.tombstone) return true;
    record::Action action;
    action.kind = record::ActionKind::remove;
    action.collection = audit;
    action.key = key;
    command.actions.push_back(std::move(action));
    return true;
  });
  if (command.actions.empty()) return;
  command.operation = call.backend().make_operation_id();
  call.backend().submit(std::move(command), call.context->clock.monotonic() + trim_deadline,
                        [](const Result<record::Outcome>&) {});
}

}  // namespace

std::string outcome_text(const Result<record::Outcome>& outcome) {
  if (!outcome) return std::string{to_string(outcome.error().code)};
  if (outcome->refused) return "refused: " + std::string{to_string(*outcome->refused)};
  return outcome->revision == 0 ? "" : "done";
}

void write_audit(const CallPtr& call, const AuditEntry& entry, std::function<void()> then) {
  const std::uint64_t now = sys::millis_of(call->context->clock.wall());
  log_info("audit", "{} from {}: {} {}: {}", call->principal.name, call->request.from, entry.what,
           entry.target, entry.outcome);
  call->backend().submit(
      audit_command(*call, entry, now),
      std::min(call->deadline, call->context->clock.monotonic() + entry_deadline),
      [call, now, then = std::move(then)](const Result<record::Outcome>& outcome) {
        if (!outcome)
          log_warn("audit", "the entry could not be written: {}", to_string(outcome.error()));
        call->responder.post([call, now, then] {
          then();
          trim(*call, now);
        });
      });
}

Afterwards audited(const CallPtr& call, std::string what, std::string target) {
  return [call, what = std::move(what), target = std::move(target)](
             const Result<record::Outcome>& outcome, const std::string& operation,
             std::function<void()> answer) {
    const std::string text = outcome_text(outcome);
    if (text.empty()) return answer();
    write_audit(call, {what, target, text, operation}, std::move(answer));
  };
}

}  // namespace mainstay::api
