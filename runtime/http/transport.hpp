// A TCP socket with or without TLS on it, for asynchronous reading and writing; internal to
// runtime/http. At most one read and one write at a time; the handlers keep the owner alive. Plain
// sockets go straight to Asio.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "runtime/base/limits.hpp"
#include "runtime/tls/channel.hpp"

namespace mainstay::http {

class Transport {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Error = boost::system::error_code;
  using Parts = std::array<boost::asio::const_buffer, 3>;

  explicit Transport(Socket socket) : socket_{std::move(socket)} {}

  Socket& socket() { return socket_; }
  tls::Channel* channel() { return channel_.get(); }
  // REQUIRES: the channel is over this socket, which does not block. Null: plain again.
  void secure(std::unique_ptr<tls::Channel> channel) { channel_ = std::move(channel); }

  // handler(error): the handshake is done, or has failed for the reason the channel tells.
  template <class Handler>
  void handshake(Handler handler) {
    const tls::Progress progress = channel_->handshake();
    if (progress == tls::Progress::done)
      post(std::move(handler), Error{});
    else if (progress == tls::Progress::failed)
      post(std::move(handler), broken());
    else
      wait(progress, std::move(handler),
           [this](Handler again) { this->handshake(std::move(again)); });
  }

  // handler(error, bytes); eof at the end.
  template <class Handler>
  void read_some(boost::asio::mutable_buffer buffer, Handler handler) {
    if (!channel_) {
      socket_.async_read_some(buffer, std::move(handler));
      return;
    }
    const auto moved = channel_->read(static_cast<char*>(buffer.data()), buffer.size());
    if (moved.progress == tls::Progress::failed)
      post(std::move(handler), broken(), std::size_t{0});
    else if (moved.progress == tls::Progress::done)
      post(std::move(handler), moved.count == 0 ? Error{boost::asio::error::eof} : Error{},
           moved.count);
    else
      wait(
          moved.progress, std::move(handler),
          [this, buffer](Handler again) { read_some(buffer, std::move(again)); }, std::size_t{0});
  }

  // All of it; handler(error).
  template <class Handler>
  void write(const Parts& parts, Handler handler) {
    if (!channel_) {
      boost::asio::async_write(
          socket_, parts,
          [handler = std::move(handler)](Error error, std::size_t) mutable { handler(error); });
      return;
    }
    gather(parts);
    write_on(std::move(handler));
  }

  // What was sent arrives, then the end.
  void shutdown_send(Error& error) {
    if (channel_) channel_->say_end();
    socket_.shutdown(Socket::shutdown_send, error);
  }
  void close() {
    Error ignored;
    socket_.close(ignored);
  }

 private:
  static Error broken() { return boost::asio::error::connection_reset; }

  template <class Handler, class... Results>
  void post(Handler handler, Results... results) {
    boost::asio::post(socket_.get_executor(), [handler = std::move(handler), results...]() mutable {
      handler(results...);
    });
  }

  // Again(handler) when the socket is ready; handler(error, rest...) when it is not to be.
  template <class Handler, class Again, class... Rest>
  void wait(tls::Progress progress, Handler handler, Again again, Rest... rest) {
    socket_.async_wait(
        progress == tls::Progress::want_read ? Socket::wait_read : Socket::wait_write,
        [this, handler = std::move(handler), again = std::move(again),
         rest...](Error error) mutable {
          if (!error && !socket_.is_open()) error = boost::asio::error::operation_aborted;
          if (error)
            handler(error, rest...);
          else
            again(std::move(handler));
        });
  }

  // Short parts are put together, so that they travel in one record.
  void gather(const Parts& parts) {
    left_ = parts;
    at_ = 0;
    if (boost::asio::buffer_size(parts) > 16 * limits::kib) return;
    gathered_.clear();
    for (const auto& part : parts)
      gathered_.append(static_cast<const char*>(part.data()), part.size());
    left_ = {boost::asio::buffer(gathered_)};
  }

  template <class Handler>
  void write_on(Handler handler) {
    while (at_ < left_.size()) {
      boost::asio::const_buffer& part = left_.at(at_);
      if (part.size() == 0) {
        ++at_;
        continue;
      }
      const auto moved = channel_->write(static_cast<const char*>(part.data()), part.size());
      if (moved.progress == tls::Progress::failed) {
        post(std::move(handler), broken());
        return;
      }
      if (moved.progress != tls::Progress::done) {
        wait(moved.progress, std::move(handler),
             [this](Handler again) { write_on(std::move(again)); });
        return;
      }
      part += moved.count;
    }
    post(std::move(handler), Error{});
  }

  Socket socket_;
  std::unique_ptr<tls::Channel> channel_;
  std::string gathered_;  // while writing over TLS
  Parts left_;
  std::size_t at_ = 0;
};

}  // namespace mainstay::http
