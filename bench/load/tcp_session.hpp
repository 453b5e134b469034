// What the sessions that speak their protocol over a plain TCP socket have in common.
#pragma once

#include <string>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "bench/load/session.hpp"

namespace mainstay::bench {

class TcpSession : public Session {
 public:
  TcpSession(boost::asio::io_context& io, const std::string& endpoint, Listener& listener)
      : Session{listener}, socket_{io}, address_{split_endpoint(endpoint)} {}

  void connect() override {
    using boost::asio::ip::tcp;
    boost::system::error_code error;
    tcp::resolver resolver{socket_.get_executor()};
    found_ = resolver.resolve(address_.host, address_.port, error);
    boost::asio::async_connect(socket_, found_,
                               [this, self = shared_from_this()](
                                   const boost::system::error_code& failed, const tcp::endpoint&) {
                                 if (abandoned()) return;
                                 if (failed) return report_connected(Outcome::broken);
                                 boost::system::error_code ignored;
                                 socket_.set_option(tcp::no_delay{true}, ignored);
                                 opened();
                               });
  }

  bool closed_by_server() override { return shut_down_by_peer(socket_.native_handle()); }

 protected:
  // The socket is connected: greet, or report that the session is.
  virtual void opened() = 0;

  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  boost::asio::ip::tcp::socket socket_;
  Address address_;

 private:
  boost::asio::ip::tcp::resolver::results_type found_;
};

}  // namespace mainstay::bench
