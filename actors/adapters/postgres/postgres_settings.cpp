#include "actors/adapters/postgres/postgres_settings.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "actors/adapters/common/settings.hpp"
#include "runtime/base/json.hpp"

namespace mainstay::adapters::postgres {

namespace {

constexpr Millis second{1000};

bool is_identifier(std::string_view text) {
  const auto is_inner = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !text.empty() && text.size() <= 63 &&
         std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
         std::all_of(text.begin(), text.end(), is_inner);
}

bool is_table(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return is_identifier(text);
  return is_identifier(text.substr(0, dot)) && is_identifier(text.substr(dot + 1));
}

std::string table_name(Settings& from) {
  std::string name = from.required_text("table");
  if (!name.empty() && !is_table(name))
    from.wrong("table", "'" + name + "' is not the name of a table (schema.table)");
  return name;
}

std::string column(Settings& from, std::string_view setting, const char* fallback,
                   bool optional = false) {
  std::string name = from.text(setting, fallback);
  if (!is_identifier(name) && !(optional && name.empty()))
    from.wrong(setting, "'" + name + "' is not the name of a column");
  return name;
}

Millis duration(Settings& from, std::string_view name, Millis otherwise, Millis min, Millis max) {
  const Millis value = from.duration(name, std::to_string(otherwise.count()) + "ms");
  if (value < min || value > max)
    from.wrong(name, "expected a duration from " + std::to_string(min.count()) + "ms to " +
                         std::to_string(max.count()) + "ms");
  return value;
}

// The members of a table whose values are texts, in the order of the file.
std::vector<std::pair<std::string, std::string>> text_table(Settings& from, std::string_view name) {
  std::vector<std::pair<std::string, std::string>> texts;
  std::optional<Settings> table = from.table(name);
  if (!table) return texts;
  for (const auto& [key, value] : from.value(name)->members())
    texts.emplace_back(key, table->required_text(key));
  return texts;
}

OutboxTable read_outbox(Settings& from) {
  OutboxTable outbox;
  outbox.type = from.required_text("type");
  outbox.table = table_name(from);
  outbox.id = column(from, "id", "id");
  outbox.transaction = column(from, "transaction", "xid");
  outbox.message = column(from, "message", "message_id");
  outbox.version = column(from, "version", "version", true);
  outbox.subject = column(from, "subject", "subject", true);
  outbox.document = from.text("document", "document");
  if (outbox.document != "*" && !is_identifier(outbox.document))
    from.wrong("document", "the name of a column or \"*\" is expected");
  outbox.created = column(from, "created", "created_at");
  outbox.consumed = column(from, "consumed", "consumed_at");
  return outbox;
}

InboxTable read_inbox(Settings& from) {
  InboxTable inbox;
  inbox.type = from.required_text("type");
  inbox.table = table_name(from);
  inbox.message = column(from, "message", "message_id");
  inbox.subject = column(from, "subject", "subject", true);
  inbox.document = column(from, "document", "document", true);
  inbox.receipt = column(from, "receipt", "id");
  inbox.columns = text_table(from, "columns");
  for (const auto& [name, pointer] : inbox.columns) {
    if (!is_identifier(name)) from.wrong("columns", "'" + name + "' is not a column's name");
    if (const auto checked = json::check_pointer(pointer); !checked)
      from.wrong("columns", name + ": " + checked.error().message);
  }
  if (inbox.document.empty() && inbox.columns.empty())
    from.wrong("document", "is empty, and there are no columns: nothing would be stored");
  return inbox;
}

Consumed consumed_of(const std::string& word) {
  if (word == "delete") return Consumed::erase;
  return word == "keep" ? Consumed::keep : Consumed::mark;
}

}  // namespace

Result<PostgresSettings> read_settings(const integration::AdapterContext& context) {
  Settings from{context.settings};
  PostgresSettings settings;
  settings.connection = from.required_text("connection");
  settings.channel = column(from, "notify", "wms_out", true);
  settings.wait = duration(from, "wait", second, Millis{1}, 60 * second);
  settings.connect_timeout =
      duration(from, "connect_timeout", std::min(5 * second, context.call_timeout), Millis{10},
               300 * second);
  settings.statement_timeout =
      duration(from, "statement_timeout", context.call_timeout, Millis{10}, 3600 * second);
  settings.late_after = duration(from, "late_after", 60 * second, second, 86'400 * second);
  settings.consumed = consumed_of(from.choice("consumed", "mark", {"mark", "delete", "keep"}));
  for (Settings& table : from.tables("outbox")) settings.outboxes.push_back(read_outbox(table));
  for (Settings& table : from.tables("inbox")) settings.inboxes.push_back(read_inbox(table));
  settings.observe = text_table(from, "observe");
  TRY(from.done());
  return settings;
}

}  // namespace mainstay::adapters::postgres
