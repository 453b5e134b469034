#include <filesystem>

#include "runtime/http/client.hpp"
#include "runtime/sys/clock.hpp"
#include "runtime/tls/certificates.hpp"
#include "tests/unit/http/server_fixture.hpp"
#include "tests/unit/tls/temporary_directory.hpp"

namespace mainstay::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

class HttpsTest : public ServerTest {
 protected:
  HttpsTest() {
    EXPECT_TRUE(tls::make_authority(directory_, "plant", sys::system_clock().wall()));
    make(NodeId{1});
    options_.tls_certificate = tls::node_certificate_file(directory_, NodeId{1});
    options_.tls_key = tls::node_key_file(directory_, NodeId{1});
    options_.certificate_interval = Millis{5};
    auto trusted = tls::ClientContext::load(tls::authority_file(directory_));
    EXPECT_TRUE(trusted);
    trusting_.tls = *trusted;
  }

  ~HttpsTest() override { server_.reset(); }  // before its files go

  void make(NodeId node) {
    EXPECT_TRUE(tls::make_node_certificate(directory_, {"plant", node}, {"127.0.0.1"},
                                           sys::system_clock().wall()));
  }
  // Puts the files of node 1 of another authority in the place of those the server was given.
  void replace(const fs::path& authority) {
    for (const auto& [from, to] :
         {std::pair{tls::node_key_file(authority, NodeId{1}), options_.tls_key},
          std::pair{tls::node_certificate_file(authority, NodeId{1}), options_.tls_certificate}}) {
      fs::copy_file(from, to + ".new");
      fs::rename(to + ".new", to);
    }
  }
  Result<Reply> get(Client& client, const std::string& target = "/x") {
    return client.call(server_->endpoint(), Call{Method::get, target}, soon());
  }

  mainstay::testing::TemporaryDirectory temporary_;
  const fs::path directory_ = temporary_.path() / "ca";
  ClientOptions trusting_;
};

TEST_F(HttpsTest, ServesAClientThatTrustsIt) {
  start();
  Client client{trusting_};
  const std::string large(1 << 20, 'x');  // more than the socket takes at once, many records
  for (int i = 0; i < 3; ++i) {
    auto reply = client.call(server_->endpoint(),
                             Call{Method::put, "/large", {{"X-Echo", "e"}}, Bytes{large}}, soon());
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->body, "PUT /large " + large);
    EXPECT_EQ(reply->headers.find("x-echo"), "e");
  }
  EXPECT_EQ(server_->counts().connections_accepted, 1U);
}

TEST_F(HttpsTest, ManyCallsAtOnceAreServed) {
  start();
  Client client{trusting_};
  std::atomic<int> done = 0, good = 0;
  for (int i = 0; i < 100; ++i)
    client.send(server_->endpoint(), Call{Method::get, "/x"}, soon(), [&](Result<Reply> reply) {
      good += reply && reply->status == 200 ? 1 : 0;
      ++done;
    });
  EXPECT_TRUE(eventually([&] { return done == 100; }));
  EXPECT_EQ(good, 100);
}

TEST_F(HttpsTest, StreamsGoOverTlsAndTheirClientsEndIsNoticed) {
  class Endless final : public BodySource {
   public:
    void next(std::function<void(Bytes)> give) override {
      if (given_++ < 3)
        give(Bytes{std::string(100'000, 'p')});
      else
        waiting_ = std::move(give);
    }

   private:
    int given_ = 0;
    std::function<void(Bytes)> waiting_;
  };
  start();
  set_source(std::make_shared<Endless>());
  std::atomic<std::size_t> taken = 0;
  Taking taking;
  taking.take = [&](std::string_view piece) {
    taken += piece.size();
    return true;
  };
  {
    Client client{trusting_};
    client.send(server_->endpoint(), Call{Method::get, "/stream"}, soon(), taking,
                [](const Result<Reply>&) {});
    ASSERT_TRUE(eventually([&] { return taken == 300'000; }));
    EXPECT_EQ(server_->counts().streams_open, 1U);
    set_source(nullptr);
  }
  EXPECT_TRUE(eventually([&] { return server_->counts().streams_open == 0; }));
}

TEST_F(HttpsTest, PlainHttpIsToldToComeWithTls) {
  start();
  Socket socket{server_->endpoint()};
  socket.say("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(socket.hear_end());
  EXPECT_THAT(socket.heard(), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(socket.heard(), HasSubstr("https://"));
  Client plain;
  auto reply = get(plain);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 400);
  EXPECT_EQ(server_->counts().requests, 0U);
}

TEST_F(HttpsTest, NoiseAndSilenceEndTheHandshake) {
  start();
  Socket noise{server_->endpoint()};
  noise.say(std::string(100, '\x7f'));
  EXPECT_TRUE(noise.hear_end());
  EXPECT_TRUE(eventually([&] { return server_->counts().handshakes_failed == 1; }));
  Socket silent{server_->endpoint()};
  ASSERT_TRUE(eventually([&] { return server_->counts().connections_open == 1; }));
  EXPECT_TRUE(eventually([&] {
    clock_.advance(options_.request_timeout);
    return server_->counts().timeouts == 1;
  }));
  EXPECT_TRUE(silent.hear_end());
}

TEST_F(HttpsTest, AStrangersServerIsRefused) {
  start();
  EXPECT_TRUE(
      tls::make_authority(temporary_.path() / "other", "plant", sys::system_clock().wall()));
  auto other = tls::ClientContext::load(tls::authority_file(temporary_.path() / "other"));
  ASSERT_TRUE(other);
  ClientOptions distrusting;
  distrusting.tls = *other;
  Client client{distrusting};
  auto refused = get(client);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("certificate verify failed"));
}

TEST_F(HttpsTest, ARenewedCertificateIsTakenWhileConnectionsGoOn) {
  start();
  Client first{trusting_};
  ASSERT_TRUE(get(first));
  fs::remove(options_.tls_key);
  server_->reload_certificates();
  Client second{trusting_};
  EXPECT_TRUE(get(second)) << "the old pair stays";

  // The next pair is of another authority: who is served tells which one is in use.
  const fs::path renewed = temporary_.path() / "renewed";
  EXPECT_TRUE(tls::make_authority(renewed, "plant", sys::system_clock().wall()));
  EXPECT_TRUE(tls::make_node_certificate(renewed, {"plant", NodeId{1}}, {"127.0.0.1"},
                                         sys::system_clock().wall()));
  replace(renewed);
  ClientOptions newer;
  newer.tls = tls::ClientContext::load(tls::authority_file(renewed)).value();
  EXPECT_TRUE(eventually([&] {
    Client client{newer};
    return get(client).has_value();
  }));
  EXPECT_TRUE(get(first));
  Client late{trusting_};
  EXPECT_FALSE(get(late));
  EXPECT_TRUE(get(second)) << "kept connections go on";
}

TEST_F(HttpsTest, StopEndsConnectionsProperly) {
  start();
  Client client{trusting_};
  ASSERT_TRUE(get(client));
  server_->drain();
  auto reply = get(client);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->headers.find("connection"), "close");
  server_->stop(Millis{1'000});
  EXPECT_EQ(server_->counts().connections_open, 0U);
}

TEST_F(HttpsTest, AKeyThatDoesNotFitIsRefusedAtTheStart) {
  make(NodeId{2});
  options_.tls_key = tls::node_key_file(directory_, NodeId{2});
  options_.listen = {"127.0.0.1", 0};
  auto started = Server::start(options_, clock_, [](const Request&, const Responder&) {});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::invalid_argument);
  EXPECT_THAT(started.error().message, HasSubstr("is not the key of the certificate"));
  options_.tls_key = directory_ / "none";
  EXPECT_FALSE(Server::start(options_, clock_, [](const Request&, const Responder&) {}));
}

}  // namespace
}  // namespace mainstay::http
