// One connection to a PostgreSQL server, made when it is needed and again when it broke; the only
// class that sees libpq. No call takes longer than its time-out. Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "actors/adapters/postgres/sqlstate.hpp"
#include "actors/adapters/postgres/statements.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::adapters::postgres {

struct Table {
  using Row = std::vector<std::optional<std::string>>;  // nothing: NULL
  std::vector<Row> rows;
  std::uint64_t affected = 0;
  std::string command;  // what the server says it did: "COMMIT"
};

using Answer = tl::expected<Table, SqlFailure>;

struct ConnectionOptions {
  std::string conninfo;
  std::string application;
  std::string listen;  // a channel; "": none
  Millis connect_timeout{};
  Millis statement_timeout{};  // the server's; ours is a second longer
};

class Connection {
 public:
  explicit Connection(ConnectionOptions options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Answer run(const Statement& statement);
  Answer run(std::string sql) { return run(Statement{std::move(sql), {}}); }

  // Waits until a NOTIFY came since the last call, at most so long. A connection that breaks ends
  // the wait; the next statement says why. REQUIRES: none, also without a connection.
  void wait_for_notification(Millis longest);

  bool in_transaction() const;
  // Gives the connection up; what was not committed is rolled back by the server.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mainstay::adapters::postgres
