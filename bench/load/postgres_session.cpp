// PostgreSQL through libpq, without blocking: an upsert and a select of one row, both prepared.
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <libpq-fe.h>

#include "bench/load/descriptor_watch.hpp"
#include "bench/load/session.hpp"

namespace mainstay::bench {

namespace {

constexpr const char* write_sql =
    "insert into bench(k, v) values ($1, $2) on conflict (k) do update set v = excluded.v";
constexpr const char* read_sql = "select v from bench where k = $1";

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};

class PostgresSession final : public Session {
 public:
  PostgresSession(boost::asio::io_context& io, const std::string& endpoint, Listener& listener)
      : Session{listener}, io_{io}, watch_{io}, address_{split_endpoint(endpoint)} {}
  ~PostgresSession() override { finish(); }

  void connect() override {
    const std::string conninfo = fmt::format(
        "host={} port={} user=postgres dbname=postgres sslmode=disable "
        "gssencmode=disable target_session_attrs=any",
        address_.host, address_.port);
    connection_ = PQconnectStart(conninfo.c_str());
    if (connection_ == nullptr || PQstatus(connection_) == CONNECTION_BAD) return later_broken();
    poll_connecting(PGRES_POLLING_WRITING);
  }

  void write(std::uint64_t key, std::string_view value) override {
    const std::string name = key_name(key);
    const std::array values{name.c_str(), value.data()};
    const std::array lengths{static_cast<int>(name.size()), static_cast<int>(value.size())};
    const std::array formats{0, 1};
    execute(PQsendQueryPrepared(connection_, "write", 2, values.data(), lengths.data(),
                                formats.data(), 1));
  }

  void read(std::uint64_t key) override {
    const std::string name = key_name(key);
    const std::array values{name.c_str()};
    execute(PQsendQueryPrepared(connection_, "read", 1, values.data(), nullptr, nullptr, 1));
  }

  bool closed_by_server() override {
    return connection_ == nullptr || shut_down_by_peer(PQsocket(connection_));
  }

 private:
  void poll_connecting(PostgresPollingStatusType status) {
    if (status == PGRES_POLLING_FAILED) return later_broken();
    if (status == PGRES_POLLING_OK) return connected();
    watch_.wait(PQsocket(connection_), status == PGRES_POLLING_WRITING,
                [this, self = shared_from_this()] {
                  if (abandoned()) return;
                  // libpq may go on with another socket.
                  watch_.forget();
                  poll_connecting(PQconnectPoll(connection_));
                });
  }

  void connected() {
    PQsetnonblocking(connection_, 1);
    preparing_ = 2;
    execute(PQsendPrepare(connection_, "write", write_sql, 0, nullptr));
  }

  void execute(int sent) {
    if (sent == 0) return later_broken();
    failed_ = false;
    flush();
  }

  void flush() {
    const int left = PQflush(connection_);
    if (left < 0) return later_broken();
    if (left == 0) return wait_for_answer();
    watch_.wait(PQsocket(connection_), true, [this, self = shared_from_this()] {
      if (!abandoned()) flush();
    });
  }

  void wait_for_answer() {
    watch_.wait(PQsocket(connection_), false, [this, self = shared_from_this()] {
      if (abandoned()) return;
      if (PQconsumeInput(connection_) == 0) return broken();
      take_results();
    });
  }

  void take_results() {
    while (PQisBusy(connection_) == 0) {
      const std::unique_ptr<PGresult, ResultDeleter> result{PQgetResult(connection_)};
      if (result == nullptr) return request_ended();
      const auto status = PQresultStatus(result.get());
      failed_ = failed_ || (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK);
    }
    wait_for_answer();
  }

  void request_ended() {
    if (PQstatus(connection_) == CONNECTION_BAD) return broken();
    if (preparing_ > 0) {
      if (failed_) return broken();
      if (--preparing_ > 0)
        return execute(PQsendPrepare(connection_, "read", read_sql, 0, nullptr));
      return report_connected(Outcome::done);
    }
    report_answered(failed_ ? Outcome::refused : Outcome::done);
  }

  void later_broken() {
    boost::asio::post(io_, [this, self = shared_from_this()] { broken(); });
  }

  void broken() {
    const bool was_connected = connection_ != nullptr && preparing_ == 0;
    finish();
    was_connected ? report_answered(Outcome::broken) : report_connected(Outcome::broken);
  }

  void close() override { finish(); }

  void finish() {
    watch_.forget();
    if (connection_ != nullptr) PQfinish(std::exchange(connection_, nullptr));
  }

  boost::asio::io_context& io_;
  DescriptorWatch watch_;
  Address address_;
  PGconn* connection_ = nullptr;  // owned
  int preparing_ = 2;             // statements that are not prepared yet
  bool failed_ = false;
};

class PostgresProtocol final : public Protocol {
 public:
  std::shared_ptr<Session> open(boost::asio::io_context& io, const std::string& endpoint,
                                Listener& listener) override {
    return std::make_shared<PostgresSession>(io, endpoint, listener);
  }
};

}  // namespace

std::unique_ptr<Protocol> make_postgres_protocol() {
  return std::make_unique<PostgresProtocol>();
}

}  // namespace mainstay::bench
