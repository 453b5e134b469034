#include "actors/adapters/postgres/postgres_adapter.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/adapters/postgres/connection.hpp"
#include "actors/adapters/postgres/outbox_position.hpp"
#include "actors/adapters/postgres/postgres_settings.hpp"
#include "actors/adapters/postgres/sqlstate.hpp"
#include "actors/adapters/postgres/statements.hpp"
#include "runtime/base/log.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapters {

namespace postgres {
namespace {

using namespace integration;

constexpr std::size_t consumed_rows_max = 1000;  // of one statement
constexpr std::size_t observed_rows_max = 500;   // of one page
// A row waits for an older transaction to end, of which no NOTIFY tells.
constexpr Millis horizon_poll{50};

Failure failed(const SqlFailure& failure) {
  return Failure{error_of(failure)};
}

const std::string& cell(const Table::Row& row, std::size_t column) {
  static const std::string empty;
  return row[column] ? *row[column] : empty;
}

json::Value receipt_of(const std::string& reference, bool repeated) {
  json::Value receipt = json::Value::object();
  receipt.set("reference", json::Value::string(reference));
  if (repeated) receipt.set("repeated", json::Value::boolean(true));
  return receipt;
}

class PostgresAdapter final : public Adapter {
 public:
  PostgresAdapter(std::string name, PostgresSettings settings)
      : name_{std::move(name)},
        settings_{std::move(settings)},
        source_{options(settings_.channel)},
        calls_{options("")} {}

  AdapterTraits traits() const override {
    return {.has_source = !settings_.outboxes.empty(),
            .has_effects = !settings_.inboxes.empty(),
            .idempotent = true};
  }

  Result<Page> fetch(const std::string& position, std::size_t messages_max) override;
  Result<std::vector<json::Value>> decode(const RawMessage& message) override;
  Result<void> acknowledge(const std::string& position) override;
  EffectResult apply(const Effect& effect) override;
  Result<std::optional<json::Value>> lookup(const Effect& effect) override;
  Result<void> probe() override;
  Result<Page> backfill(const Range& range, const std::string& position,
                        std::size_t messages_max) override;
  Result<ObservedPage> observe(const std::string& kind, const std::string& after) override;

 private:
  ConnectionOptions options(const std::string& channel) const {
    return {settings_.connection, "mainstay " + name_, channel, settings_.connect_timeout,
            settings_.statement_timeout};
  }

  Result<std::string> horizon(const OutboxPosition& position);
  Result<Page> read(const OutboxPosition& position, const std::string& horizon,
                    std::size_t messages_max);
  Result<void> wait_for_rows(const std::string& horizon, Millis longest);
  void report_late(const std::string& horizon);
  const InboxTable* inbox_of(const std::string& type) const;
  Result<std::optional<json::Value>> stored(const InboxTable& inbox, const Effect& effect);
  EffectResult taken(const InboxTable& inbox, const Effect& effect);
  Result<void> open_cursor(const std::string& kind);

  std::string name_;
  PostgresSettings settings_;
  Connection source_;
  Connection calls_;
  MonotonicTime last_late_report_{};
  std::uint64_t observed_pages_ = 0;  // of the open cursor
};

// --- in ---

// The oldest transaction that may still bring rows. Everything below it is visible.
Result<std::string> PostgresAdapter::horizon(const OutboxPosition& position) {
  const Answer answer = source_.run("select pg_snapshot_xmin(pg_current_snapshot())::text");
  if (!answer) return failed(answer.error());
  std::string text = cell(answer->rows.at(0), 0);
  TRY_ASSIGN(const OutboxPosition reached, parse_position(text + ":0:0"));
  if (reached.transaction < position.transaction)
    return fail(Errc::invalid_argument,
                fmt::format("the database is at transaction {}, behind the position {}: it was "
                            "restored or replaced. Start from the beginning, or backfill",
                            text, to_string(position)));
  return text;
}

Result<Page> PostgresAdapter::read(const OutboxPosition& position, const std::string& horizon,
                                   std::size_t messages_max) {
  const Answer answer =
      source_.run(read_outboxes(settings_.outboxes, position, horizon, messages_max));
  if (!answer) return failed(answer.error());
  Page page;
  page.position = position == OutboxPosition{} ? "" : to_string(position);
  for (const Table::Row& row : answer->rows) {
    TRY_ASSIGN(const OutboxPosition at,
               parse_position(cell(row, 1) + ":" + cell(row, 2) + ":" + cell(row, 0)));
    RawMessage message;
    message.id = cell(row, 3);
    message.version = cell(row, 4);
    message.type = settings_.outboxes.at(at.table).type;
    message.subject = cell(row, 5);
    message.body = cell(row, 6);
    page.messages.push_back(std::move(message));
    page.position = to_string(at);
  }
  page.more = page.messages.size() == messages_max;
  return page;
}

Result<void> PostgresAdapter::wait_for_rows(const std::string& horizon, Millis longest) {
  const Answer waiting = source_.run(rows_wait(settings_.outboxes, horizon));
  if (!waiting) return failed(waiting.error());
  if (cell(waiting->rows.at(0), 0) != "t") {
    source_.wait_for_notification(longest);
    return {};
  }
  report_late(horizon);
  source_.wait_for_notification(std::min(longest, horizon_poll));
  return {};
}

// A transaction that is forgotten holds back everything behind it: nothing is lost, but people
// must know whose it is.
void PostgresAdapter::report_late(const std::string& horizon) {
  const MonotonicTime now = sys::system_clock().monotonic();
  if (now - last_late_report_ < settings_.late_after) return;
  const Answer answer = source_.run(
      {"select pid, coalesce(usename, ''), coalesce(application_name, ''), "
       "extract(epoch from now() - xact_start)::bigint from pg_stat_activity where backend_xid is "
       "not null and xact_start < now() - make_interval(secs => $1::int) order by xact_start limit "
       "1",
       {std::to_string(std::chrono::ceil<std::chrono::seconds>(settings_.late_after).count())}});
  if (!answer || answer->rows.empty()) return;
  last_late_report_ = now;
  const Table::Row& row = answer->rows.front();
  log_warn("postgres",
           "adapter {}: new rows wait behind transaction {}, open for {} s: process {}, user {}, "
           "application '{}'",
           name_, horizon, cell(row, 3), cell(row, 0), cell(row, 1), cell(row, 2));
}

Result<Page> PostgresAdapter::fetch(const std::string& position, std::size_t messages_max) {
  if (settings_.outboxes.empty()) return Adapter::fetch(position, messages_max);
  TRY_ASSIGN(const OutboxPosition from, parse_position(position));
  const MonotonicTime deadline = sys::system_clock().monotonic() + settings_.wait;
  while (true) {
    TRY_ASSIGN(const std::string reached, horizon(from));
    TRY_ASSIGN(Page page, read(from, reached, messages_max));
    const auto left = std::chrono::floor<Millis>(deadline - sys::system_clock().monotonic());
    if (!page.messages.empty() || left <= Millis{0}) return page;
    TRY(wait_for_rows(reached, left));
  }
}

Result<std::vector<json::Value>> PostgresAdapter::decode(const RawMessage& message) {
  TRY_ASSIGN(json::Value document, json::parse(message.body));
  std::vector<json::Value> documents;
  documents.push_back(std::move(document));
  return documents;
}

Result<void> PostgresAdapter::acknowledge(const std::string& position) {
  if (settings_.consumed == Consumed::keep || position.empty()) return {};
  TRY_ASSIGN(const OutboxPosition upto, parse_position(position));
  for (std::size_t i = 0; i < settings_.outboxes.size(); ++i) {
    // (transaction, id) is compared; of tables behind the position's own, only the rows before it.
    OutboxPosition last = upto;
    if (i > upto.table) last.id -= 1;
    std::uint64_t affected = consumed_rows_max;
    while (affected == consumed_rows_max) {
      const Answer answer =
          source_.run(consume(settings_.outboxes[i], settings_.consumed, last, consumed_rows_max));
      if (!answer) return failed(answer.error());
      affected = answer->affected;
    }
  }
  return {};
}

Result<Page> PostgresAdapter::backfill(const Range& range, const std::string& position,
                                       std::size_t messages_max) {
  const auto outbox =
      std::find_if(settings_.outboxes.begin(), settings_.outboxes.end(),
                   [&range](const OutboxTable& table) { return table.type == range.type; });
  if (outbox == settings_.outboxes.end())
    return fail(Errc::invalid_argument,
                "no outbox table has messages of type '" + range.type + "'");
  PastRange past{range.from, range.to, 0};
  if (!position.empty()) {
    TRY_ASSIGN(const OutboxPosition last, parse_position("0:" + position + ":0"));
    past.after = last.id;
  }
  const Answer answer = source_.run(read_past(*outbox, past, messages_max));
  if (!answer) return failed(answer.error());
  Page page;
  page.position = position;
  for (const Table::Row& row : answer->rows) {
    page.messages.push_back({.id = cell(row, 1),
                             .version = cell(row, 2),
                             .type = outbox->type,
                             .subject = cell(row, 3),
                             .body = cell(row, 4)});
    page.position = cell(row, 0);
  }
  page.more = page.messages.size() == messages_max;
  return page;
}

// --- out ---

const InboxTable* PostgresAdapter::inbox_of(const std::string& type) const {
  const auto found = std::find_if(settings_.inboxes.begin(), settings_.inboxes.end(),
                                  [&type](const InboxTable& inbox) { return inbox.type == type; });
  return found == settings_.inboxes.end() ? nullptr : &*found;
}

// BEGIN, INSERT, COMMIT in three steps: only a COMMIT without an answer leaves doubt, and by then
// the row stands in the unique index, where lookup() meets it.
EffectResult PostgresAdapter::apply(const Effect& effect) {
  const InboxTable* inbox = inbox_of(effect.type);
  if (inbox == nullptr)
    return EffectResult::failed(Verdict::refused,
                                "no inbox table takes effects of type '" + effect.type + "'");
  if (calls_.in_transaction()) calls_.close();
  const auto before_commit = [this](const SqlFailure& failure) {
    calls_.close();
    return EffectResult::failed(verdict_of(failure, Stage::before_commit), to_string(failure));
  };
  if (const Answer begun = calls_.run("begin"); !begun) return before_commit(begun.error());
  const Answer inserted = calls_.run(insert(*inbox, effect));
  if (!inserted) return before_commit(inserted.error());
  if (inserted->rows.empty()) return taken(*inbox, effect);
  const Answer committed = calls_.run("commit");
  if (!committed) {
    const SqlFailure& failure = committed.error();
    calls_.close();
    return EffectResult::failed(verdict_of(failure, Stage::commit_sent), to_string(failure));
  }
  if (committed->command != "COMMIT")
    return EffectResult::failed(Verdict::transient, "the database rolled back");
  return EffectResult::done(receipt_of(cell(inserted->rows.front(), 0), false));
}

// The message id is there already: it is ours, or somebody used our key for something else.
EffectResult PostgresAdapter::taken(const InboxTable& inbox, const Effect& effect) {
  const Answer found = calls_.run(find_same(inbox, effect));
  calls_.run("rollback");
  if (!found)
    return EffectResult::failed(verdict_of(found.error(), Stage::before_commit),
                                to_string(found.error()));
  if (found->rows.empty())
    return EffectResult::failed(Verdict::transient, "the row of this key has just been deleted");
  const Table::Row& row = found->rows.front();
  if (cell(row, 1) == "t") return EffectResult::done(receipt_of(cell(row, 0), true));
  return EffectResult::failed(Verdict::conflict,
                              fmt::format("{} holds row {} under the key '{}' with other content",
                                          inbox.table, cell(row, 0), effect.key));
}

Result<std::optional<json::Value>> PostgresAdapter::stored(const InboxTable& inbox,
                                                           const Effect& effect) {
  const Answer found = calls_.run(find_same(inbox, effect));
  if (!found) return failed(found.error());
  // Other content under our key is not ours: repeating the effect will say that it is a conflict.
  if (found->rows.empty() || cell(found->rows.front(), 1) != "t")
    return std::optional<json::Value>{};
  return std::optional<json::Value>{receipt_of(cell(found->rows.front(), 0), true)};
}

// That the key is not there now does not say that it will not be: the COMMIT of an earlier call may
// lie unread in the server's socket. But its row is in the unique index, so an INSERT of the same
// key, rolled back afterwards, waits for that transaction to end either way.
Result<std::optional<json::Value>> PostgresAdapter::lookup(const Effect& effect) {
  const InboxTable* inbox = inbox_of(effect.type);
  if (inbox == nullptr)
    return fail(Errc::invalid_argument,
                "no inbox table takes effects of type '" + effect.type + "'");
  if (calls_.in_transaction()) calls_.close();
  TRY_ASSIGN(auto found, stored(*inbox, effect));
  if (found) return found;
  if (const Answer begun = calls_.run("begin"); !begun) return failed(begun.error());
  const Answer probe = calls_.run(insert(*inbox, effect));
  if (const Answer ended = calls_.run("rollback"); !ended) calls_.close();
  if (probe) return probe->rows.empty() ? stored(*inbox, effect) : std::move(found);
  // What the table refuses cannot be in it.
  if (verdict_of(probe.error(), Stage::before_commit) == Verdict::refused) return found;
  return failed(probe.error());
}

Result<void> PostgresAdapter::probe() {
  if (calls_.in_transaction()) calls_.close();
  if (const Answer answer = calls_.run("select 1"); !answer) return failed(answer.error());
  return {};
}

// --- looking ---

// All pages of one observation come from one snapshot, through a cursor that stays open between
// them. It reads only, so it holds back no one.
Result<void> PostgresAdapter::open_cursor(const std::string& kind) {
  const auto query = std::find_if(settings_.observe.begin(), settings_.observe.end(),
                                  [&kind](const auto& row) { return row.first == kind; });
  if (query == settings_.observe.end())
    return fail(Errc::invalid_argument, "settings.observe has no query for '" + kind + "'");
  if (calls_.in_transaction()) calls_.close();
  observed_pages_ = 0;
  for (const std::string& sql : {std::string{"begin isolation level repeatable read read only"},
                                 observe_cursor(query->second)}) {
    if (const Answer answer = calls_.run(sql); !answer) {
      calls_.close();
      return failed(answer.error());
    }
  }
  return {};
}

Result<ObservedPage> PostgresAdapter::observe(const std::string& kind, const std::string& after) {
  if (after.empty()) TRY(open_cursor(kind));
  if (!calls_.in_transaction() || (!after.empty() && after != std::to_string(observed_pages_)))
    return fail(Errc::unavailable, "the snapshot of this observation is gone: begin again");
  const Answer answer =
      calls_.run("fetch forward " + std::to_string(observed_rows_max) + " from observed");
  if (!answer) {
    calls_.close();
    return failed(answer.error());
  }
  ObservedPage page;
  for (const Table::Row& row : answer->rows) {
    TRY_ASSIGN(json::Value document, json::parse(cell(row, 1)));
    page.items.push_back({cell(row, 0), std::move(document)});
  }
  if (answer->rows.size() == observed_rows_max) {
    page.next = std::to_string(++observed_pages_);
  } else if (!calls_.run("commit")) {
    calls_.close();
  }
  return page;
}

}  // namespace
}  // namespace postgres

Result<std::unique_ptr<integration::Adapter>> make_postgres_adapter(
    const integration::AdapterContext& context) {
  TRY_ASSIGN(postgres::PostgresSettings settings, postgres::read_settings(context));
  return std::unique_ptr<integration::Adapter>{
      std::make_unique<postgres::PostgresAdapter>(context.name, std::move(settings))};
}

}  // namespace mainstay::adapters
