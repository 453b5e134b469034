// etcd's own protocol: gRPC (unary calls in protobuf) over HTTP/2. As etcd's client library does,
// sessions share connections: at most six to an endpoint, each call a stream of its own.
#include <array>
#include <map>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <nghttp2/nghttp2.h>

#include "bench/load/session.hpp"

namespace mainstay::bench {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t links_of_endpoint_max = 6;
constexpr std::int32_t window_bytes = 8 << 20;
constexpr std::uint32_t header_table_bytes = 4096;

// --- protobuf: one field of bytes, and the frame of a gRPC message ---

void append_field(std::string& to, char tag, std::string_view bytes) {
  to += tag;
  for (std::size_t size = bytes.size();; size >>= 7) {
    if (size < 0x80) {
      to += static_cast<char>(size);
      break;
    }
    to += static_cast<char>((size & 0x7f) | 0x80);
  }
  to += bytes;
}

std::string framed(std::string_view message) {
  std::string frame(5, '\0');  // not compressed, then the size, big-endian
  for (std::size_t i = 0; i < 4; ++i)
    frame[1 + i] = static_cast<char>((message.size() >> (8 * (3 - i))) & 0xff);
  frame += message;
  return frame;
}

constexpr char key_field = 0x0a;    // PutRequest.key and RangeRequest.key: field 1, bytes
constexpr char value_field = 0x12;  // PutRequest.value: field 2, bytes

// --- one HTTP/2 connection ---

// One call. Lives until its stream is closed, even if nobody waits any more.
struct Call {
  std::string body;
  std::size_t sent = 0;
  bool good = false;  // grpc-status 0 was seen
  std::function<void(Outcome)> done;
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(asio::io_context& io, std::string endpoint)
      : socket_{io}, endpoint_{std::move(endpoint)}, buffer_(64 << 10) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { nghttp2_session_del(http_); }

  using Ready = std::function<void(Outcome)>;

  void when_ready(Ready ready) {
    if (state_ == State::ready || state_ == State::dead) {
      const Outcome outcome = state_ == State::ready ? Outcome::done : Outcome::broken;
      asio::post(socket_.get_executor(), [outcome, ready = std::move(ready)] { ready(outcome); });
      return;
    }
    waiting_.push_back(std::move(ready));
    if (state_ == State::fresh) connect();
  }

  bool dead() const { return state_ == State::dead; }

  void call(const char* path, std::string_view message, std::function<void(Outcome)> done) {
    auto call = std::make_unique<Call>();
    call->body = framed(message);
    call->done = std::move(done);
    const std::array headers{header(":method", "POST"),
                             header(":scheme", "http"),
                             header(":path", path),
                             header(":authority", endpoint_),
                             header("content-type", "application/grpc"),
                             header("te", "trailers")};
    nghttp2_data_provider body{};
    body.source.ptr = call.get();
    body.read_callback = &Link::read_body;
    const auto stream = dead() ? -1
                               : nghttp2_submit_request(http_, nullptr, headers.data(),
                                                        headers.size(), &body, call.get());
    if (stream < 0) {
      asio::post(socket_.get_executor(), [done = std::move(call->done)] { done(Outcome::broken); });
      return;
    }
    calls_.emplace(stream, std::move(call));
    flush_soon();
  }

 private:
  enum class State { fresh, connecting, ready, dead };

  static nghttp2_nv header(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }

  void connect() {
    state_ = State::connecting;
    const Address address = split_endpoint(endpoint_);
    boost::system::error_code error;
    found_ = tcp::resolver{socket_.get_executor()}.resolve(address.host, address.port, error);
    asio::async_connect(socket_, found_,
                        [this, self = shared_from_this()](const boost::system::error_code& failed,
                                                          const tcp::endpoint&) {
                          if (failed) return die();
                          boost::system::error_code ignored;
                          socket_.set_option(tcp::no_delay{true}, ignored);
                          begin();
                        });
  }

  void begin() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &Link::on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Link::on_stream_close);
    nghttp2_session_client_new(&http_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window_bytes},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, header_table_bytes}};
    nghttp2_submit_settings(http_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(http_, NGHTTP2_FLAG_NONE, 0, window_bytes);
    state_ = State::ready;
    flush_soon();
    receive();
    for (Ready& ready : std::exchange(waiting_, {})) ready(Outcome::done);
  }

  void receive() {
    socket_.async_read_some(
        asio::buffer(buffer_), [this, self = shared_from_this()](
                                   const boost::system::error_code& error, std::size_t bytes) {
          if (error || dead()) return die();
          const auto* data = reinterpret_cast<const std::uint8_t*>(buffer_.data());
          if (nghttp2_session_mem_recv(http_, data, bytes) < 0) return die();
          flush_soon();
          receive();
        });
  }

  // What all calls of this turn of the loop have to say goes out in one write.
  void flush_soon() {
    if (flushing_) return;
    flushing_ = true;
    asio::post(socket_.get_executor(), [this, self = shared_from_this()] { flush(); });
  }

  void flush() {
    outgoing_.clear();
    const std::uint8_t* data = nullptr;
    while (!dead()) {
      const auto bytes = nghttp2_session_mem_send(http_, &data);
      if (bytes < 0) return die();
      if (bytes == 0) break;
      outgoing_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(bytes));
    }
    if (dead() || outgoing_.empty()) {
      flushing_ = false;
      return;
    }
    asio::async_write(
        socket_, asio::buffer(outgoing_),
        [this, self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          if (error || dead()) return die();
          flush();
        });
  }

  void die() {
    if (dead()) return;
    state_ = State::dead;
    boost::system::error_code ignored;
    socket_.close(ignored);
    for (Ready& ready : std::exchange(waiting_, {})) ready(Outcome::broken);
    for (auto& [stream, call] : std::exchange(calls_, {})) call->done(Outcome::broken);
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& call = *static_cast<Call*>(source->ptr);
    const std::size_t bytes = call.body.copy(reinterpret_cast<char*>(to), room, call.sent);
    call.sent += bytes;
    if (call.sent == call.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(bytes);
  }

  static int on_header(nghttp2_session* http, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void*) {
    const auto text = [](const std::uint8_t* bytes, std::size_t size) {
      return std::string_view{reinterpret_cast<const char*>(bytes), size};
    };
    auto* call =
        static_cast<Call*>(nghttp2_session_get_stream_user_data(http, frame->hd.stream_id));
    if (call != nullptr && text(name, name_size) == "grpc-status")
      call->good = text(value, value_size) == "0";
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t stream, std::uint32_t, void* of) {
    auto& calls = static_cast<Link*>(of)->calls_;
    const auto at = calls.find(stream);
    if (at == calls.end()) return 0;
    const auto call = std::move(at->second);
    calls.erase(at);
    call->done(call->good ? Outcome::done : Outcome::refused);
    return 0;
  }

  tcp::socket socket_;
  std::string endpoint_;
  State state_ = State::fresh;
  nghttp2_session* http_ = nullptr;                      // owned
  std::map<std::int32_t, std::unique_ptr<Call>> calls_;  // by stream
  std::vector<Ready> waiting_;
  std::vector<char> buffer_;
  std::string outgoing_;
  bool flushing_ = false;
  tcp::resolver::results_type found_;
};

// --- sessions ---

class GrpcSession final : public Session {
 public:
  GrpcSession(std::shared_ptr<Link> link, Listener& listener)
      : Session{listener}, link_{std::move(link)} {}

  void connect() override {
    link_->when_ready(
        [this, self = shared_from_this()](Outcome outcome) { report_connected(outcome); });
  }

  void write(std::uint64_t key, std::string_view value) override {
    std::string message;
    append_field(message, key_field, key_name(key));
    append_field(message, value_field, value);
    call("/etcdserverpb.KV/Put", message);
  }

  void read(std::uint64_t key) override {
    std::string message;
    append_field(message, key_field, key_name(key));
    call("/etcdserverpb.KV/Range", message);
  }

  bool closed_by_server() override { return link_->dead(); }

 private:
  void call(const char* path, const std::string& message) {
    link_->call(path, message,
                [this, self = shared_from_this()](Outcome outcome) { report_answered(outcome); });
  }

  void close() override {}  // the connection is others', too

  std::shared_ptr<Link> link_;
};

class GrpcProtocol final : public Protocol {
 public:
  std::shared_ptr<Session> open(asio::io_context& io, const std::string& endpoint,
                                Listener& listener) override {
    auto& [links, next] = links_[endpoint];
    if (links.size() < links_of_endpoint_max) {
      links.push_back(std::make_shared<Link>(io, endpoint));
      return std::make_shared<GrpcSession>(links.back(), listener);
    }
    auto& link = links[next++ % links.size()];
    if (link->dead()) link = std::make_shared<Link>(io, endpoint);
    return std::make_shared<GrpcSession>(link, listener);
  }

 private:
  struct Shared {
    std::vector<std::shared_ptr<Link>> links;
    std::size_t next = 0;
  };
  std::map<std::string, Shared> links_;
};

}  // namespace

std::unique_ptr<Protocol> make_grpc_protocol() {
  return std::make_unique<GrpcProtocol>();
}

}  // namespace mainstay::bench
