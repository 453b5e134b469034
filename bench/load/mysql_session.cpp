// MariaDB through its client library's calls that do not block: an upsert and a select of one row,
// both prepared.
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <mysql.h>
#include <sys/socket.h>

#include "bench/load/descriptor_watch.hpp"
#include "bench/load/session.hpp"

namespace mainstay::bench {

namespace {

constexpr std::string_view write_sql =
    "insert into bench(k, v) values (?, ?) on duplicate key update v = values(v)";
constexpr std::string_view read_sql = "select v from bench where k = ?";

class MysqlSession final : public Session {
 public:
  MysqlSession(boost::asio::io_context& io, const std::string& endpoint, Listener& listener)
      : Session{listener}, io_{io}, watch_{io}, address_{split_endpoint(endpoint)} {}
  ~MysqlSession() override { finish(); }

  void connect() override {
    connection_ = mysql_init(nullptr);
    mysql_options(connection_, MYSQL_OPT_NONBLOCK, nullptr);
    // Reads wait until the node has what was committed anywhere before them.
    mysql_options(connection_, MYSQL_INIT_COMMAND, "set session wsrep_sync_wait = 1");
    const auto port = static_cast<unsigned>(std::stoul(address_.port));
    go_on(mysql_real_connect_start(&connected_, connection_, address_.host.c_str(), "bench",
                                   "bench", "bench", port, nullptr, 0),
          Step::connecting);
  }

  void write(std::uint64_t key, std::string_view value) override {
    key_ = key_name(key);
    value_ = value;
    bind(write_, 2);
    statement_ = write_;
    execute();
  }

  void read(std::uint64_t key) override {
    key_ = key_name(key);
    bind(read_, 1);
    statement_ = read_;
    execute();
  }

  bool closed_by_server() override {
    return connection_ == nullptr || shut_down_by_peer(mysql_get_socket(connection_));
  }

 private:
  enum class Step { connecting, preparing_write, preparing_read, executing, storing };

  void execute() { go_on(mysql_stmt_execute_start(&failed_, statement_), Step::executing); }

  // `wanted`: what the library waits for, 0 when the step is done.
  void go_on(int wanted, Step step) {
    step_ = step;
    if (wanted != 0) return wait(wanted);
    // Every report comes from the loop, never from within the caller's request.
    boost::asio::post(io_, [this, self = shared_from_this()] {
      if (!abandoned()) step_done();
    });
  }

  void wait(int wanted) {
    const bool for_write = (wanted & MYSQL_WAIT_READ) == 0 && (wanted & MYSQL_WAIT_WRITE) != 0;
    watch_.wait(mysql_get_socket(connection_), for_write,
                [this, for_write, self = shared_from_this()] {
                  if (abandoned()) return;
                  const int more = resume(for_write ? MYSQL_WAIT_WRITE : MYSQL_WAIT_READ);
                  more != 0 ? wait(more) : step_done();
                });
  }

  int resume(int ready) {
    switch (step_) {
      case Step::connecting:
        return mysql_real_connect_cont(&connected_, connection_, ready);
      case Step::preparing_write:
        return mysql_stmt_prepare_cont(&failed_, write_, ready);
      case Step::preparing_read:
        return mysql_stmt_prepare_cont(&failed_, read_, ready);
      case Step::executing:
        return mysql_stmt_execute_cont(&failed_, statement_, ready);
      case Step::storing:
        return mysql_stmt_store_result_cont(&failed_, statement_, ready);
    }
    return 0;
  }

  void step_done() {
    switch (step_) {
      case Step::connecting:
        if (connected_ == nullptr) return report_connected(Outcome::broken);
        write_ = mysql_stmt_init(connection_);
        read_ = mysql_stmt_init(connection_);
        return prepare(write_, write_sql, Step::preparing_write);
      case Step::preparing_write:
        if (failed_ != 0) return report_connected(Outcome::broken);
        return prepare(read_, read_sql, Step::preparing_read);
      case Step::preparing_read:
        return report_connected(failed_ != 0 ? Outcome::broken : Outcome::done);
      case Step::executing:
        if (failed_ != 0) return request_failed();
        if (statement_ == read_)
          return go_on(mysql_stmt_store_result_start(&failed_, read_), Step::storing);
        return report_answered(Outcome::done);
      case Step::storing:
        if (failed_ != 0) return request_failed();
        mysql_stmt_free_result(read_);  // all of it is here: no answer of the server is awaited
        return report_answered(Outcome::done);
    }
  }

  void prepare(MYSQL_STMT* statement, std::string_view sql, Step step) {
    go_on(mysql_stmt_prepare_start(&failed_, statement, sql.data(), sql.size()), step);
  }

  void bind(MYSQL_STMT* statement, std::size_t count) {
    const std::array texts{&key_, &value_};
    for (std::size_t i = 0; i < count; ++i) {
      parameters_[i] = {};
      lengths_[i] = texts[i]->size();
      parameters_[i].buffer_type = i == 0 ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
      parameters_[i].buffer = texts[i]->data();
      parameters_[i].buffer_length = lengths_[i];
      parameters_[i].length = &lengths_[i];
    }
    mysql_stmt_bind_param(statement, parameters_.data());
  }

  void request_failed() {
    constexpr unsigned client_errors = 2000;  // 2000 to 2999: the library's own, no connection
    const unsigned error = mysql_stmt_errno(statement_);
    report_answered(error >= client_errors && error < client_errors + 1000 ? Outcome::broken
                                                                           : Outcome::refused);
  }

  void close() override { finish(); }

  void finish() {
    watch_.forget();
    if (connection_ == nullptr) return;
    // Closing says good-bye to the server; one that hangs must not be waited for.
    const int descriptor = mysql_get_socket(connection_);
    if (descriptor >= 0) ::shutdown(descriptor, SHUT_RDWR);
    mysql_close(std::exchange(connection_, nullptr));
    for (MYSQL_STMT** statement : {&write_, &read_})
      if (*statement != nullptr) mysql_stmt_close(std::exchange(*statement, nullptr));
  }

  boost::asio::io_context& io_;
  DescriptorWatch watch_;
  Address address_;
  MYSQL* connection_ = nullptr;  // owned, as are its statements
  MYSQL* connected_ = nullptr;   // result of connecting
  MYSQL_STMT* write_ = nullptr;
  MYSQL_STMT* read_ = nullptr;
  MYSQL_STMT* statement_ = nullptr;  // under way
  int failed_ = 0;
  Step step_ = Step::connecting;
  std::string key_;
  std::string value_;
  std::array<MYSQL_BIND, 2> parameters_{};
  std::array<unsigned long, 2> lengths_{};
};

class MysqlProtocol final : public Protocol {
 public:
  std::shared_ptr<Session> open(boost::asio::io_context& io, const std::string& endpoint,
                                Listener& listener) override {
    return std::make_shared<MysqlSession>(io, endpoint, listener);
  }
};

}  // namespace

std::unique_ptr<Protocol> make_mysql_protocol() {
  return std::make_unique<MysqlProtocol>();
}

}  // namespace mainstay::bench
