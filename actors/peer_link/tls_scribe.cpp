#include "actors/peer_link/tls_scribe.hpp"

#include <utility>

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream_impl.hpp>

namespace mainstay::peer_link {

namespace {

namespace network = caf::io::network;

// What CAF's stream asks of a transport.
struct TlsPolicy {
  explicit TlsPolicy(std::unique_ptr<tls::Stream> established) : stream{std::move(established)} {}

  static network::rw_state outcome(const tls::Stream::Transfer& moved, std::size_t& count) {
    count = moved.count;
    switch (moved.progress) {
      case tls::Progress::done:
        return count > 0 ? network::rw_state::success : network::rw_state::failure;
      case tls::Progress::want_read:
      case tls::Progress::want_write:
        return network::rw_state::success;
      case tls::Progress::failed:
        break;
    }
    return network::rw_state::failure;
  }
  network::rw_state read_some(std::size_t& count, int, void* buffer, std::size_t size) {
    return outcome(stream->read(static_cast<char*>(buffer), size), count);
  }
  network::rw_state write_some(std::size_t& count, int, const void* data, std::size_t size) {
    count = 0;
    if (size == 0) return network::rw_state::indeterminate;
    return outcome(stream->write(static_cast<const char*>(data), size), count);
  }
  // Decrypted bytes wait inside the stream: the socket will not say so again.
  bool must_read_more(int, std::size_t) { return stream->has_pending(); }

  std::unique_ptr<tls::Stream> stream;
};

class TlsScribe final : public caf::io::scribe {
 public:
  TlsScribe(network::default_multiplexer& multiplexer, Connection& connection,
            const ScribeLimits& limits, std::function<void()> closed)
      : caf::io::scribe{network::conn_hdl_from_socket(connection.socket.get())},
        limits_{limits},
        closed_{std::move(closed)},
        // The multiplexer's stream closes the socket at its end.
        stream_{multiplexer, connection.socket.release(), std::move(connection.stream)} {}
  ~TlsScribe() override { tell_closed(); }

  // BASP announces here how many bytes come next.
  void configure_read(caf::io::receive_policy::config config) override {
    if (config.second > limits_.frame_bytes_max) {
      cut(stream_.fd());
      config = caf::io::receive_policy::exactly(1);
    }
    stream_.configure_read(config);
    if (std::exchange(launched_, true)) return;
    stream_.start(this);
  }
  void flush() override {
    if (stream_.wr_buf().size() > limits_.output_bytes_max)
      cut(stream_.fd());
    else
      stream_.flush(this);
  }
  void ack_writes(bool enable) override { stream_.ack_writes(enable); }
  std::vector<char>& wr_buf() override { return stream_.wr_buf(); }
  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }
  std::string addr() const override { return remote_address_of(stream_.fd()); }
  std::uint16_t port() const override { return port_of(stream_.fd()); }
  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    detach(&stream_.backend(), false);
    tell_closed();
  }
  void add_to_loop() override { stream_.activate(this); }
  void remove_from_loop() override { stream_.passivate(); }

 protected:
  // Part of the detaching that follows every failure of the socket.
  caf::message detach_message() override {
    tell_closed();
    return caf::io::scribe::detach_message();
  }

 private:
  void tell_closed() {
    if (auto told = std::exchange(closed_, nullptr)) told();
  }

  const ScribeLimits limits_;
  std::function<void()> closed_;
  bool launched_ = false;
  network::stream_impl<TlsPolicy> stream_;
};

}  // namespace

caf::io::scribe_ptr make_tls_scribe(caf::actor_system& system, Connection& connection,
                                    const ScribeLimits& limits, std::function<void()> closed) {
  auto& multiplexer = dynamic_cast<network::default_multiplexer&>(system.middleman().backend());
  return caf::make_counted<TlsScribe>(multiplexer, connection, limits, std::move(closed));
}

caf::actor basp_broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

}  // namespace mainstay::peer_link
