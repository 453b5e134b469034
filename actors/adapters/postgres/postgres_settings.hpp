// The [settings] of a postgres adapter: docs/integration/adapters/postgres.md. Plain values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters::postgres {

// A table in which the counterpart leaves messages. Names are column names.
struct OutboxTable {
  std::string type;  // of its messages
  std::string table;
  std::string id;
  std::string transaction;
  std::string message;   // the sender's own name of a message
  std::string version;   // counts the edits of a row; "": none
  std::string subject;   // "": the message
  std::string document;  // JSON; "*": the row itself
  std::string created;
  std::string consumed;  // when it was acknowledged; only with Consumed::mark
};

// A table into which messages are put.
struct InboxTable {
  std::string type;  // of the effects
  std::string table;
  std::string message;                                       // takes the effect's key; unique
  std::string subject;                                       // "": not stored
  std::string document;                                      // "": not stored
  std::string receipt;                                       // what the counterpart calls the row
  std::vector<std::pair<std::string, std::string>> columns;  // column, pointer into the document
};

enum class Consumed { mark, erase, keep };

struct PostgresSettings {
  std::string connection;  // as libpq has it
  std::string channel;     // NOTIFY wakes fetch; "": it polls
  Millis wait{};           // of a fetch for news
  Millis connect_timeout{};
  Millis statement_timeout{};
  Millis late_after{};  // a transaction that holds readers back so long is reported
  Consumed consumed = Consumed::mark;
  std::vector<OutboxTable> outboxes;
  std::vector<InboxTable> inboxes;
  std::vector<std::pair<std::string, std::string>> observe;  // kind, query
};

// Errors: invalid_argument, naming the setting and what is expected.
Result<PostgresSettings> read_settings(const integration::AdapterContext& context);

}  // namespace mainstay::adapters::postgres
