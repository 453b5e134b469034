#include "runtime/tls/api_context.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "tests/unit/tls/tls_fixture.hpp"

namespace mainstay::tls {
namespace {

using ::testing::HasSubstr;

// Two channels over a socket pair; bounded work, no waiting.
struct Pair {
  Pair(const ServerContext& server, const ClientContext& client, const std::string& host) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()),
              0);
    dialler = client.dial(sockets[0], host);
    listener = server.accept(sockets[1]);
    for (int round = 0; round < 20; ++round) {
      advance(*dialler, dialler_progress);
      advance(*listener, listener_progress);
    }
  }
  ~Pair() {
    dialler.reset();
    listener.reset();
    for (const int socket : sockets) ::close(socket);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  static void advance(Channel& channel, Progress& progress) {
    if (progress != Progress::done && progress != Progress::failed) progress = channel.handshake();
  }
  bool done() const {
    return dialler_progress == Progress::done && listener_progress == Progress::done;
  }

  std::array<int, 2> sockets{};
  std::unique_ptr<Channel> dialler;
  std::unique_ptr<Channel> listener;
  Progress dialler_progress = Progress::want_write;
  Progress listener_progress = Progress::want_read;
};

class ApiContextTest : public TlsTest {
 protected:
  ApiContextTest() : directory_{authority("ca", "plant")} { make(NodeId{1}); }

  void make(NodeId node) {
    EXPECT_TRUE(make_node_certificate(directory_, {"plant", node}, {"127.0.0.1", "api.plant"},
                                      sys::system_clock().wall()));
  }
  ServerFiles files(NodeId node) const {
    return {node_certificate_file(directory_, node), node_key_file(directory_, node)};
  }
  // Puts the files of `node` in the place of those of node 1, with a new number.
  void replace(NodeId node, bool key_too = true) {
    namespace fs = std::filesystem;
    const auto put = [](const fs::path& from, const fs::path& to) {
      fs::copy_file(from, to.string() + ".new");
      fs::rename(to.string() + ".new", to);
    };
    put(files(node).certificate, files(NodeId{1}).certificate);
    if (key_too) put(files(node).key, files(NodeId{1}).key);
  }

  const std::filesystem::path directory_;
};

TEST_F(ApiContextTest, AClientThatTrustsTheAuthorityIsServed) {
  auto server = ServerContext::load(files(NodeId{1}));
  ASSERT_TRUE(server) << server.error().message;
  auto client = ClientContext::load(authority_file(directory_));
  ASSERT_TRUE(client) << client.error().message;
  for (const char* host : {"127.0.0.1", "api.plant"}) {
    const Pair pair{**server, **client, host};
    ASSERT_TRUE(pair.done()) << pair.dialler->failure_text();
    EXPECT_EQ(pair.dialler->write("hello", 5).count, 5U);
    std::array<char, 16> buffer{};
    EXPECT_EQ(pair.listener->read(buffer.data(), buffer.size()).count, 5U);
    EXPECT_EQ(pair.listener->read(buffer.data(), buffer.size()).progress, Progress::want_read);
    pair.dialler->say_end();
    const auto end = pair.listener->read(buffer.data(), buffer.size());
    EXPECT_EQ(end.progress, Progress::done);
    EXPECT_EQ(end.count, 0U);
  }
}

TEST_F(ApiContextTest, AnotherHostOrAuthorityIsRefused) {
  auto server = ServerContext::load(files(NodeId{1}));
  ASSERT_TRUE(server);
  auto client = ClientContext::load(authority_file(directory_));
  ASSERT_TRUE(client);
  for (const char* host : {"127.0.0.2", "::1", "other.plant"})
    EXPECT_EQ((Pair{**server, **client, host}.dialler_progress), Progress::failed) << host;
  auto stranger = ClientContext::load(authority_file(authority("other", "plant")));
  ASSERT_TRUE(stranger);
  EXPECT_EQ((Pair{**server, **stranger, "127.0.0.1"}.dialler_progress), Progress::failed);
}

TEST_F(ApiContextTest, PlainHttpIsRecognized) {
  auto server = ServerContext::load(files(NodeId{1}));
  ASSERT_TRUE(server);
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()),
            0);
  auto channel = (*server)->accept(sockets[1]);
  EXPECT_EQ(channel->handshake(), Progress::want_read);
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(::send(sockets[0], text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(channel->handshake(), Progress::failed);
  EXPECT_TRUE(channel->heard_plain_http());
  channel.reset();
  for (const int socket : sockets) ::close(socket);
}

TEST_F(ApiContextTest, FilesThatDoNotBelongTogetherAreNamed) {
  make(NodeId{2});
  const auto refusal = [](const ServerFiles& given) {
    auto loaded = ServerContext::load(given);
    return loaded ? "(accepted)" : loaded.error().message;
  };
  EXPECT_THAT(refusal({files(NodeId{1}).certificate, files(NodeId{2}).key}),
              ::testing::AllOf(HasSubstr("node-2.key' is not the key of the certificate"),
                               HasSubstr("node-1.pem'")));
  EXPECT_THAT(refusal({files(NodeId{1}).certificate, directory_ / "none"}),
              HasSubstr("there is no"));
  EXPECT_THAT(refusal({files(NodeId{1}).key, files(NodeId{1}).key}),
              HasSubstr("cannot be used as a certificate"));
  EXPECT_THAT(refusal({files(NodeId{1}).certificate, files(NodeId{1}).certificate}),
              HasSubstr("cannot be used as the key"));
  EXPECT_FALSE(ClientContext::load(directory_ / "none"));
  EXPECT_FALSE(ClientContext::load(files(NodeId{1}).key));
}

TEST_F(ApiContextTest, FilesThatChangeAreReadAgain) {
  make(NodeId{2});
  auto source = ServerContextSource::open(files(NodeId{1}));
  ASSERT_TRUE(source) << source.error().message;
  const auto first = (*source)->current();
  (*source)->refresh();
  EXPECT_EQ((*source)->current(), first) << "nothing changed";
  replace(NodeId{2}, false);
  (*source)->refresh();
  EXPECT_EQ((*source)->current(), first) << "the key does not fit: the old one stays";
  EXPECT_FALSE((*source)->reload());
  EXPECT_EQ((*source)->current(), first);
  std::filesystem::remove(files(NodeId{1}).key);
  (*source)->refresh();
  EXPECT_EQ((*source)->current(), first);
  replace(NodeId{2});
  (*source)->refresh();
  const auto second = (*source)->current();
  EXPECT_NE(second, first);
  EXPECT_TRUE((*source)->reload());
  EXPECT_NE((*source)->current(), second) << "asked for: read in any case";
}

}  // namespace
}  // namespace mainstay::tls
