// A server on a free port with a clock that the test moves, and a client that is a plain socket.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http/server.hpp"

namespace mainstay::http {

// Stands still until it is moved.
class ManualClock final : public sys::Clock {
 public:
  MonotonicTime monotonic() const override { return MonotonicTime{} + Millis{millis_}; }
  WallTime wall() const override { return WallTime{} + Millis{784111777000}; }
  void advance(Millis by) { millis_ += by.count(); }

 private:
  std::atomic<std::int64_t> millis_{1};
};

// A plain socket: says exactly the bytes it is told to.
class Socket {
 public:
  explicit Socket(const config::Endpoint& endpoint) : fd_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    ::inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }

  void say(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Until `count` times `mark` has come, the end, or 10 s.
  std::string hear(std::string_view mark, int count = 1) {
    while (occurrences(mark) < count && read_some()) {
    }
    return heard_;
  }
  // Takes this many bytes and forgets everything heard.
  bool skip(std::size_t bytes) {
    while (heard_.size() < bytes) {
      bytes -= heard_.size();
      heard_.clear();
      if (!read_some()) return false;
    }
    heard_.erase(0, bytes);
    return true;
  }
  // Until the server closes; false after 10 s.
  bool hear_end() {
    while (read_some()) {
    }
    return ended_;
  }
  const std::string& heard() const { return heard_; }

 private:
  bool read_some() {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) <= 0) return false;
    char buffer[16384];
    const auto size = ::recv(fd_, buffer, sizeof buffer, 0);
    ended_ = size <= 0;
    if (size > 0) heard_.append(buffer, static_cast<std::size_t>(size));
    return size > 0;
  }
  int occurrences(std::string_view mark) const {
    int found = 0;
    for (auto at = heard_.find(mark); at != std::string::npos; at = heard_.find(mark, at + 1))
      ++found;
    return found;
  }

  int fd_;
  std::string heard_;
  bool ended_ = false;
};

inline MonotonicTime soon() {
  return std::chrono::steady_clock::now() + Millis{10'000};
}

// Waits for a condition that another thread brings about.
template <class Condition>
bool eventually(Condition condition) {
  for (const auto end = soon(); std::chrono::steady_clock::now() < end; std::this_thread::yield())
    if (condition()) return true;
  return condition();
}

// Echoes method, target and body; "/later" is held until the test answers; "/stream" is streamed
// from source_; "/drop" is dropped; "/throw" throws.
class ServerTest : public testing::Test {
 protected:
  void start() {
    options_.listen = {"127.0.0.1", 0};
    options_.sweep_interval = Millis{5};
    auto started =
        Server::start(options_, clock_, [this](Request request, const Responder& responder) {
          handle(std::move(request), responder);
        });
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }

  void handle(Request request, const Responder& responder) {
    if (request.path() == "/drop") return;
    if (request.path() == "/throw") throw std::runtime_error{"planted"};
    if (request.path() == "/stream") {
      const std::lock_guard lock{mutex_};
      responder.stream(head_, source_);
      return;
    }
    if (request.path() == "/later") {
      const std::lock_guard lock{mutex_};
      held_.push_back(responder);
      return;
    }
    Response response;
    response.content_type = "text/plain";
    response.body = Bytes{std::string{to_string(request.method)} + " " + request.target + " " +
                          std::string{request.body.view()}};
    if (auto echo = request.headers.find("x-echo"))
      response.headers.emplace_back("X-Echo", std::string{*echo});
    if (request.path() == "/from") response.headers.emplace_back("X-From", request.from);
    if (request.path() == "/inject") response.headers.emplace_back("X-Bad", "a\r\nX-Evil: b");
    responder.answer(std::move(response));
  }

  std::size_t held() {
    const std::lock_guard lock{mutex_};
    return held_.size();
  }
  Responder take_held() {
    const std::lock_guard lock{mutex_};
    Responder responder = held_.back();
    held_.pop_back();
    return responder;
  }

  // What "/stream" answers.
  void set_source(std::shared_ptr<BodySource> source) {
    const std::lock_guard lock{mutex_};
    source_ = std::move(source);
  }

  ServerOptions options_;
  ManualClock clock_;
  std::mutex mutex_;
  std::vector<Responder> held_;
  std::shared_ptr<BodySource> source_;
  Response head_;
  std::unique_ptr<Server> server_;
};

}  // namespace mainstay::http
