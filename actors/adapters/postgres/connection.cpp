#include "actors/adapters/postgres/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include "runtime/sys/clock.hpp"

namespace mainstay::adapters::postgres {

namespace {

// The server answers a statement that takes too long itself; silence for longer is a dead link.
constexpr Millis grace{1000};
// A transaction of ours that rests so long is ended by the server, so that its locks go.
constexpr Millis idle_transaction_min{10'000};

struct EndConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ConnectionHandle = std::unique_ptr<PGconn, EndConnection>;
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

MonotonicTime now() {
  return sys::system_clock().monotonic();
}

// Whether the socket became ready before the deadline.
bool wait_for(PGconn* connection, short events, MonotonicTime deadline) {
  pollfd watched{PQsocket(connection), events, 0};
  while (true) {
    const auto left = std::chrono::ceil<Millis>(deadline - now()).count();
    if (left <= 0 || watched.fd < 0) return false;
    const int ready = ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

SqlFailure failure_of(const PGresult* result) {
  SqlFailure failure{field(result, PG_DIAG_SQLSTATE), field(result, PG_DIAG_MESSAGE_PRIMARY),
                     false};
  if (failure.message.empty()) failure.message = PQresultErrorMessage(result);
  if (const std::string more = field(result, PG_DIAG_MESSAGE_DETAIL); !more.empty())
    failure.message += ": " + more;
  return failure;
}

SqlFailure silence(const std::string& what) {
  return {"", what + ": no answer within the time-out", true};
}

Table table_of(PGresult* result) {
  Table table;
  table.command = PQcmdStatus(result);
  const std::string_view affected = PQcmdTuples(result);
  std::from_chars(affected.data(), affected.data() + affected.size(), table.affected);
  table.rows.resize(static_cast<std::size_t>(PQntuples(result)));
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& cells = table.rows[static_cast<std::size_t>(row)];
    for (int column = 0; column < PQnfields(result); ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        cells.emplace_back();
        continue;
      }
      cells.emplace_back(std::in_place, PQgetvalue(result, row, column),
                         static_cast<std::size_t>(PQgetlength(result, row, column)));
    }
  }
  return table;
}

}  // namespace

struct Connection::Impl {
  ConnectionOptions options;
  ConnectionHandle handle;

  std::optional<SqlFailure> connect();
  std::optional<SqlFailure> finish_connecting(MonotonicTime deadline);
  std::optional<SqlFailure> prepare_session();
  std::optional<SqlFailure> flush(MonotonicTime deadline);
  Answer collect(MonotonicTime deadline);
  SqlFailure broken(bool timed_out = false);
};

// The connection is of no use any more: says why, and ends it.
SqlFailure Connection::Impl::broken(bool timed_out) {
  SqlFailure failure{"", PQerrorMessage(handle.get()), timed_out};
  if (timed_out) failure = silence("the database");
  if (failure.message.empty()) failure.message = "the connection to the database broke";
  handle.reset();
  return failure;
}

std::optional<SqlFailure> Connection::Impl::connect() {
  const std::string user_timeout = std::to_string((options.statement_timeout + grace).count());
  // What stands in the user's connection string comes after these, and wins.
  const std::array names{"keepalives",       "keepalives_idle",  "keepalives_interval",
                         "keepalives_count", "tcp_user_timeout", "application_name",
                         "client_encoding",  "dbname",           static_cast<const char*>(nullptr)};
  const std::array values{"1",
                          "10",
                          "5",
                          "3",
                          user_timeout.c_str(),
                          options.application.c_str(),
                          "UTF8",
                          options.conninfo.c_str(),
                          static_cast<const char*>(nullptr)};
  handle.reset(PQconnectStartParams(names.data(), values.data(), 1));
  if (!handle || PQstatus(handle.get()) == CONNECTION_BAD) return broken();
  PQsetNoticeProcessor(
      handle.get(), [](void*, const char*) {}, nullptr);
  if (auto failure = finish_connecting(now() + options.connect_timeout)) return failure;
  PQsetnonblocking(handle.get(), 1);
  return prepare_session();
}

std::optional<SqlFailure> Connection::Impl::finish_connecting(MonotonicTime deadline) {
  short events = POLLOUT;
  while (wait_for(handle.get(), events, deadline)) {
    switch (PQconnectPoll(handle.get())) {
      case PGRES_POLLING_OK:
        return std::nullopt;
      case PGRES_POLLING_READING:
        events = POLLIN;
        break;
      case PGRES_POLLING_WRITING:
        events = POLLOUT;
        break;
      default:
        return broken();
    }
  }
  return broken(true);
}

std::optional<SqlFailure> Connection::Impl::prepare_session() {
  const auto timeout = options.statement_timeout.count();
  const auto idle = std::max(idle_transaction_min, 2 * options.statement_timeout).count();
  std::string sql = fmt::format(
      "set statement_timeout = {}; set lock_timeout = {}; set "
      "idle_in_transaction_session_timeout = {}; set timezone = 'UTC'; set datestyle = 'ISO'; set "
      "standard_conforming_strings = on",
      timeout, timeout, idle);
  if (!options.listen.empty()) sql += "; listen " + quoted_name(options.listen);
  if (PQsendQuery(handle.get(), sql.c_str()) == 0) return broken();
  const MonotonicTime deadline = now() + options.statement_timeout + grace;
  if (auto failure = flush(deadline)) return failure;
  if (auto answer = collect(deadline); !answer) {
    handle.reset();
    return answer.error();
  }
  return std::nullopt;
}

std::optional<SqlFailure> Connection::Impl::flush(MonotonicTime deadline) {
  while (true) {
    const int left = PQflush(handle.get());
    if (left == 0) return std::nullopt;
    if (left < 0) return broken();
    if (!wait_for(handle.get(), POLLIN | POLLOUT, deadline)) return broken(true);
    if (PQconsumeInput(handle.get()) == 0) return broken();
  }
}

// The last result of what was sent, or the first failure.
Answer Connection::Impl::collect(MonotonicTime deadline) {
  Answer answer{Table{}};
  while (true) {
    while (PQisBusy(handle.get()) != 0) {
      if (!wait_for(handle.get(), POLLIN, deadline)) return tl::unexpected(broken(true));
      // What the server said before it went is still to be read.
      if (PQconsumeInput(handle.get()) == 0 && PQisBusy(handle.get()) != 0)
        return tl::unexpected(broken());
    }
    const ResultHandle result{PQgetResult(handle.get())};
    if (!result) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      if (answer) answer = table_of(result.get());
    } else if (answer) {
      answer = tl::unexpected(failure_of(result.get()));
    }
  }
  if (PQstatus(handle.get()) == CONNECTION_BAD) handle.reset();
  return answer;
}

Connection::Connection(ConnectionOptions options) : impl_{std::make_unique<Impl>()} {
  impl_->options = std::move(options);
}

Connection::~Connection() = default;

Answer Connection::run(const Statement& statement) {
  if (!impl_->handle) {
    if (auto failure = impl_->connect()) return tl::unexpected(std::move(*failure));
  }
  std::vector<const char*> values;
  values.reserve(statement.values.size());
  for (const auto& value : statement.values) values.push_back(value ? value->c_str() : nullptr);
  const MonotonicTime deadline = now() + impl_->options.statement_timeout + grace;
  if (PQsendQueryParams(impl_->handle.get(), statement.sql.c_str(), static_cast<int>(values.size()),
                        nullptr, values.data(), nullptr, nullptr, 0) == 0)
    return tl::unexpected(impl_->broken());
  if (auto failure = impl_->flush(deadline)) return tl::unexpected(std::move(*failure));
  return impl_->collect(deadline);
}

void Connection::wait_for_notification(Millis longest) {
  const MonotonicTime deadline = now() + longest;
  PGconn* connection = impl_->handle.get();
  if (connection == nullptr) return;
  while (true) {
    bool notified = false;
    while (PGnotify* notification = PQnotifies(connection)) {
      PQfreemem(notification);
      notified = true;
    }
    if (notified || !wait_for(connection, POLLIN, deadline)) return;
    if (PQconsumeInput(connection) == 0) return close();
  }
}

bool Connection::in_transaction() const {
  return impl_->handle && PQtransactionStatus(impl_->handle.get()) != PQTRANS_IDLE;
}

void Connection::close() {
  impl_->handle.reset();
}

}  // namespace mainstay::adapters::postgres
