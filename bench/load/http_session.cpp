#include "bench/load/http_session.hpp"

#include <optional>
#include <utility>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "bench/load/dialect.hpp"
#include "bench/load/tcp_session.hpp"

namespace mainstay::bench {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

class HttpSession final : public TcpSession {
 public:
  HttpSession(asio::io_context& io, const std::string& dialect, const std::string& endpoint,
              Listener& listener)
      : TcpSession{io, endpoint, listener}, dialect_{make_dialect(dialect, endpoint)} {}

  void write(std::uint64_t key, std::string_view value) override {
    writing_ = true;
    send(dialect_->write_request(key, value));
  }

  void read(std::uint64_t key) override {
    writing_ = false;
    send(dialect_->read_request(key));
  }

  bool write_many(std::uint64_t first, std::uint64_t count, std::string_view value) override {
    std::string request = dialect_->write_many_request(first, count, value);
    if (request.empty()) return false;
    writing_ = true;
    send(std::move(request));
    return true;
  }

  bool closed_by_server() override { return asked_to_close_ || TcpSession::closed_by_server(); }

 private:
  void opened() override { report_connected(Outcome::done); }

  void send(std::string request) {
    request_ = std::move(request);
    asio::async_write(
        socket_, asio::buffer(request_),
        [this, self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          error ? report_answered(Outcome::broken) : receive();
        });
  }

  void receive() {
    parser_.emplace();
    parser_->body_limit(std::uint64_t{16} << 20);
    http::async_read(
        socket_, buffer_, *parser_,
        [this, self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          if (error) return report_answered(Outcome::broken);
          asked_to_close_ = !parser_->keep_alive();
          const unsigned status = parser_->get().result_int();
          const bool good = writing_ ? status / 100 == 2 : dialect_->read_done(status);
          report_answered(good ? Outcome::done : Outcome::refused);
        });
  }

  std::unique_ptr<Dialect> dialect_;
  std::string request_;
  bool writing_ = false;
  bool asked_to_close_ = false;
  boost::beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
};

class HttpProtocol final : public Protocol {
 public:
  explicit HttpProtocol(std::string dialect) : dialect_{std::move(dialect)} {}

  std::shared_ptr<Session> open(asio::io_context& io, const std::string& endpoint,
                                Listener& listener) override {
    return std::make_shared<HttpSession>(io, dialect_, endpoint, listener);
  }

  std::string prepare(const std::string& endpoint) override {
    const std::string request = make_dialect(dialect_, endpoint)->prepare_request();
    if (request.empty()) return {};
    const Address address = split_endpoint(endpoint);
    asio::io_context io{1};
    boost::system::error_code error;
    const auto found = asio::ip::tcp::resolver{io}.resolve(address.host, address.port, error);
    asio::ip::tcp::socket socket{io};
    if (!error) asio::connect(socket, found, error);
    if (!error) asio::write(socket, asio::buffer(request), error);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> answer;
    if (!error) http::read(socket, buffer, answer, error);
    if (error) return error.message();
    return answer.result_int() / 100 == 2 ? std::string{} : answer.body();
  }

 private:
  std::string dialect_;
};

}  // namespace

std::unique_ptr<Protocol> make_http_protocol(const std::string& dialect) {
  return std::make_unique<HttpProtocol>(dialect);
}

}  // namespace mainstay::bench
