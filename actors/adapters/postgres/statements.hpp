// The SQL that the adapter sends, made from its settings. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/adapters/postgres/outbox_position.hpp"
#include "actors/adapters/postgres/postgres_settings.hpp"
#include "runtime/base/json.hpp"

namespace mainstay::adapters::postgres {

// A statement and the values of its $1, $2…; nothing is NULL.
struct Statement {
  std::string sql;
  std::vector<std::optional<std::string>> values;
};

std::string quoted_name(std::string_view name);  // wms_out.moves -> "wms_out"."moves"

// Rows behind `position` of transactions below `horizon`, in order. Columns: table's place,
// transaction, id, message, version, subject, body.
Statement read_outboxes(const std::vector<OutboxTable>& outboxes, const OutboxPosition& position,
                        const std::string& horizon, std::size_t rows_max);
// Whether a row waits at or above the horizon. One column: t or f.
Statement rows_wait(const std::vector<OutboxTable>& outboxes, const std::string& horizon);
// Marks or deletes at most `rows_max` rows up to `position`. Repeat until fewer are affected.
Statement consume(const OutboxTable& outbox, Consumed how, const OutboxPosition& position,
                  std::size_t rows_max);

struct PastRange {
  std::string from;  // ids if both are whole numbers (or empty), else times
  std::string to;
  std::int64_t after = 0;  // id
};
// Columns: id, message, version, subject, body.
Statement read_past(const OutboxTable& outbox, const PastRange& range, std::size_t rows_max);

// One column, one row: the receipt; no row: the message id is taken.
Statement insert(const InboxTable& inbox, const integration::Effect& effect);
// Columns: receipt, whether the content is that of the effect; no row: the id is free.
Statement find_same(const InboxTable& inbox, const integration::Effect& effect);

std::string observe_cursor(const std::string& query);  // columns: id, document

}  // namespace mainstay::adapters::postgres
