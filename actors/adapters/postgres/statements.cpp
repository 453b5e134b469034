#include "actors/adapters/postgres/statements.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mainstay::adapters::postgres {

namespace {

bool is_whole_number(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The JSON document of a row "o": a column of it, or itself without what is the outbox's own.
std::string body_of(const OutboxTable& outbox) {
  if (outbox.document != "*") return fmt::format("o.{}::text", quoted_name(outbox.document));
  return fmt::format("(to_jsonb(o) - '{{{},{},{}}}'::text[])::text", outbox.transaction,
                     outbox.version.empty() ? outbox.transaction : outbox.version, outbox.consumed);
}

// Tells the edits of a row apart even where the content returns to what it was, and two rows of
// one message id where their contents differ.
std::string version_of(const OutboxTable& outbox) {
  std::string hash = fmt::format("left(md5({}), 16)", body_of(outbox));
  if (outbox.version.empty()) return hash;
  return fmt::format("coalesce(o.{}::text, '') || '.' || {}", quoted_name(outbox.version), hash);
}

// message, version, subject, body
std::string message_columns(const OutboxTable& outbox) {
  return fmt::format("o.{}::text as message, {} as version, {} as subject, {} as body",
                     quoted_name(outbox.message), version_of(outbox),
                     outbox.subject.empty()
                         ? std::string{"''"}
                         : fmt::format("coalesce(o.{}::text, '')", quoted_name(outbox.subject)),
                     body_of(outbox));
}

std::optional<std::string> value_at(const json::Value& document, std::string_view pointer) {
  const json::Value* value = json::find(document, pointer);
  if (value == nullptr || value->is(json::Type::null)) return std::nullopt;
  if (value->is(json::Type::string) || value->is(json::Type::number)) return value->text();
  return json::to_text(*value);
}

// The columns that an effect fills besides its key, and their values.
struct Filled {
  std::string column;
  bool json = false;
  std::optional<std::string> value;
};

std::vector<Filled> filled_by(const InboxTable& inbox, const integration::Effect& effect) {
  std::vector<Filled> filled;
  if (!inbox.subject.empty()) filled.push_back({inbox.subject, false, effect.subject});
  if (!inbox.document.empty())
    filled.push_back({inbox.document, true, json::to_text(effect.document)});
  for (const auto& [column, pointer] : inbox.columns)
    filled.push_back({column, false, value_at(effect.document, pointer)});
  return filled;
}

}  // namespace

std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '.')
      quoted += "\".\"";
    else
      quoted += c;
  }
  return quoted + "\"";
}

Statement read_outboxes(const std::vector<OutboxTable>& outboxes, const OutboxPosition& position,
                        const std::string& horizon, std::size_t rows_max) {
  std::string parts;
  for (std::size_t i = 0; i < outboxes.size(); ++i) {
    const OutboxTable& outbox = outboxes[i];
    const std::string transaction = quoted_name(outbox.transaction);
    const std::string id = quoted_name(outbox.id);
    if (i > 0) parts += " union all ";
    parts += fmt::format(
        "(select {} as place, o.{} as xid, o.{}::bigint as id, {} from {} o where (o.{}, "
        "o.{}::bigint) {} ($1::xid8, $2::bigint) and o.{} < $3::xid8 order by o.{}, o.{} limit {})",
        i, transaction, id, message_columns(outbox), quoted_name(outbox.table), transaction, id,
        i > position.table ? ">=" : ">", transaction, transaction, id, rows_max);
  }
  return {fmt::format("select place, xid::text, id, message, version, subject, body from ({}) u "
                      "order by u.xid, u.id, u.place limit {}",
                      parts, rows_max),
          {std::to_string(position.transaction), std::to_string(position.id), horizon}};
}

Statement rows_wait(const std::vector<OutboxTable>& outboxes, const std::string& horizon) {
  std::string tests;
  for (const OutboxTable& outbox : outboxes)
    tests += fmt::format("{}exists (select 1 from {} o where o.{} >= $1::xid8)",
                         tests.empty() ? "" : " or ", quoted_name(outbox.table),
                         quoted_name(outbox.transaction));
  return {"select " + tests, {horizon}};
}

Statement consume(const OutboxTable& outbox, Consumed how, const OutboxPosition& position,
                  std::size_t rows_max) {
  const std::string table = quoted_name(outbox.table);
  const std::string transaction = quoted_name(outbox.transaction);
  const std::string id = quoted_name(outbox.id);
  const bool mark = how == Consumed::mark;
  // A row that somebody is changing now is left: it will come again, or be consumed the next time.
  const std::string rows = fmt::format(
      "ctid = any (array(select ctid from {} where {}({}, {}::bigint) <= ($1::xid8, $2::bigint) "
      "order by {}, {} limit {} for update skip locked))",
      table, mark ? quoted_name(outbox.consumed) + " is null and " : "", transaction, id,
      transaction, id, rows_max);
  const std::vector<std::optional<std::string>> values{std::to_string(position.transaction),
                                                       std::to_string(position.id)};
  if (!mark) return {fmt::format("delete from {} where {}", table, rows), values};
  return {
      fmt::format("update {} set {} = now() where {}", table, quoted_name(outbox.consumed), rows),
      values};
}

Statement read_past(const OutboxTable& outbox, const PastRange& range, std::size_t rows_max) {
  const std::string id = quoted_name(outbox.id);
  Statement statement;
  statement.values.emplace_back(std::to_string(range.after));
  const bool by_id = is_whole_number(range.from) && is_whole_number(range.to);
  const std::string compared =
      by_id ? fmt::format("o.{}::bigint", id) : fmt::format("o.{}", quoted_name(outbox.created));
  std::string bounds;
  for (const auto& [bound, sign] : {std::pair{range.from, ">="}, std::pair{range.to, "<="}}) {
    if (bound.empty()) continue;
    statement.values.emplace_back(bound);
    bounds += fmt::format(" and {} {} ${}::{}", compared, sign, statement.values.size(),
                          by_id ? "bigint" : "timestamptz");
  }
  statement.sql = fmt::format(
      "select o.{}::bigint as id, {} from {} o where o.{}::bigint > $1::bigint{} order by 1 limit "
      "{}",
      id, message_columns(outbox), quoted_name(outbox.table), id, bounds, rows_max);
  return statement;
}

Statement insert(const InboxTable& inbox, const integration::Effect& effect) {
  std::string columns = quoted_name(inbox.message);
  std::string places = "$1";
  std::vector<std::optional<std::string>> values{effect.key};
  for (const Filled& filled : filled_by(inbox, effect)) {
    values.push_back(filled.value);
    columns += ", " + quoted_name(filled.column);
    places += fmt::format(", ${}", values.size());
  }
  return {
      fmt::format("insert into {} ({}) values ({}) on conflict ({}) do nothing returning {}::text",
                  quoted_name(inbox.table), columns, places, quoted_name(inbox.message),
                  quoted_name(inbox.receipt)),
      values};
}

Statement find_same(const InboxTable& inbox, const integration::Effect& effect) {
  std::string same = "true";
  std::vector<std::optional<std::string>> values{effect.key};
  for (const Filled& filled : filled_by(inbox, effect)) {
    values.push_back(filled.value);
    const std::string column = quoted_name(filled.column);
    same += filled.json ? fmt::format(" and {}::jsonb = ${}::jsonb", column, values.size())
                        : fmt::format(" and {} is not distinct from ${}", column, values.size());
  }
  return {fmt::format("select {}::text, {} from {} where {} = $1", quoted_name(inbox.receipt), same,
                      quoted_name(inbox.table), quoted_name(inbox.message)),
          values};
}

std::string observe_cursor(const std::string& query) {
  return fmt::format("declare observed cursor for select q.id::text, to_jsonb(q)::text from ({}) q",
                     query);
}

}  // namespace mainstay::adapters::postgres
