// One client's connection to a server, in that server's own protocol: connect once, then one
// request at a time. All sessions of a run share one thread and one io_context.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

namespace mainstay::bench {

enum class Outcome {
  done,     // acknowledged; for a read also "there is no such key"
  refused,  // the server answered that it did not do it; the connection lives
  broken,   // no connection, or lost with the request under way
};

// Told of the end of what was begun on a session, never from within the call that began it.
class Listener {
 public:
  virtual void connected(Outcome outcome) = 0;
  virtual void answered(Outcome outcome) = 0;

 protected:
  ~Listener() = default;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(Listener& listener) : listener_{&listener} {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  // Ends with Listener::connected.
  virtual void connect() = 0;
  // Each ends with Listener::answered; only one may be under way.
  virtual void write(std::uint64_t key, std::string_view value) = 0;
  virtual void read(std::uint64_t key) = 0;
  // Writes `count` keys from `first` on in one request, where the protocol has such a request.
  // False: it has not, and nothing was begun.
  virtual bool write_many(std::uint64_t first, std::uint64_t count, std::string_view value);
  // Whether the server has closed the connection, or asked for that, while nothing was under way.
  virtual bool closed_by_server() = 0;

  // Nothing is reported after this; what is under way is abandoned.
  void abandon() {
    listener_ = nullptr;
    close();
  }

 protected:
  virtual void close() = 0;

  void report_connected(Outcome outcome) {
    if (listener_ != nullptr) listener_->connected(outcome);
  }
  void report_answered(Outcome outcome) {
    if (listener_ != nullptr) listener_->answered(outcome);
  }
  bool abandoned() const { return listener_ == nullptr; }

 private:
  Listener* listener_;  // null once abandoned
};

// A server's protocol. Outlives its sessions.
class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual std::shared_ptr<Session> open(boost::asio::io_context& io, const std::string& endpoint,
                                        Listener& listener) = 0;
  // Makes the place that is written to, before any session is opened. What went wrong, for people;
  // "" for nothing.
  virtual std::string prepare(const std::string& endpoint);
};

// Names as of make_protocol, for the help text.
inline constexpr std::string_view protocol_names =
    "mainstay, etcd (JSON gateway), etcd-grpc, nats, postgres, mysql";

// Null for an unknown name.
std::unique_ptr<Protocol> make_protocol(std::string_view name);
std::unique_ptr<Protocol> make_grpc_protocol();
std::unique_ptr<Protocol> make_nats_protocol();
std::unique_ptr<Protocol> make_postgres_protocol();
std::unique_ptr<Protocol> make_mysql_protocol();

// --- what the protocols share ---

// The name of key number `key` at every server.
std::string key_name(std::uint64_t key);

struct Address {
  std::string host;
  std::string port;
};
Address split_endpoint(const std::string& endpoint);

// Whether the peer of this socket has shut it down; bytes that wait to be read do not count.
bool shut_down_by_peer(int descriptor);

}  // namespace mainstay::bench
