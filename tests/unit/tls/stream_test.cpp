#include "runtime/tls/stream.hpp"

#include <fstream>

#include "runtime/sys/file.hpp"
#include "runtime/tls/openssl.hpp"
#include "tests/unit/tls/tls_fixture.hpp"

namespace mainstay::tls {
namespace {

const Identity one{"plant", NodeId{1}};
const Identity two{"plant", NodeId{2}};

class StreamTest : public TlsTest {
 protected:
  std::filesystem::path plant_ = authority("plant", "plant");
};

TEST_F(StreamTest, two_nodes_of_a_cluster_know_each_other) {
  StreamPair pair{node(plant_, one), node(plant_, two)};
  pair.shake_hands();
  ASSERT_EQ(pair.dialler_progress, Progress::done) << pair.dialler->failure_text();
  ASSERT_EQ(pair.listener_progress, Progress::done) << pair.listener->failure_text();
  EXPECT_EQ(pair.dialler->peer(), two);
  EXPECT_EQ(pair.listener->peer(), one);
}

TEST_F(StreamTest, the_binding_is_shared_by_both_ends_and_differs_between_connections) {
  const auto a = node(plant_, one);
  const auto b = node(plant_, two);
  StreamPair first{a, b};
  StreamPair second{a, b};
  first.shake_hands();
  second.shake_hands();
  EXPECT_EQ(first.dialler->binding(), first.listener->binding());
  EXPECT_NE(first.dialler->binding(), second.dialler->binding());
}

TEST_F(StreamTest, two_authorities_are_trusted_while_one_takes_the_place_of_the_other) {
  const auto next = authority("next", "plant");
  node(plant_, one);
  node(next, two);
  const auto both = temporary_.path() / "both.pem";
  std::ofstream{both} << sys::read_file(authority_file(plant_), 65'536).value()
                      << sys::read_file(authority_file(next), 65'536).value();
  Files old_files = files_of(plant_, NodeId{1});
  Files new_files = files_of(next, NodeId{2});
  old_files.authority = new_files.authority = both;
  StreamPair pair{load(old_files, one), load(new_files, two)};
  pair.shake_hands();
  EXPECT_EQ(pair.dialler_progress, Progress::done) << pair.dialler->failure_text();
  EXPECT_EQ(pair.listener_progress, Progress::done) << pair.listener->failure_text();
  StreamPair too_early{load(files_of(plant_, NodeId{1}), one), load(new_files, two)};
  too_early.shake_hands();
  EXPECT_EQ(too_early.dialler->failure(), HandshakeFailure::stranger);
}

TEST_F(StreamTest, carries_bytes_in_both_directions_and_says_when_it_would_block) {
  StreamPair pair{node(plant_, one), node(plant_, two)};
  pair.shake_hands();
  std::array<char, 64> buffer{};
  EXPECT_EQ(pair.listener->read(buffer.data(), buffer.size()).progress, Progress::want_read);
  EXPECT_EQ(pair.dialler->write("hello", 5).count, 5u);
  const auto got = pair.listener->read(buffer.data(), 2);
  EXPECT_EQ(got.count, 2u);
  EXPECT_TRUE(pair.listener->has_pending());
  EXPECT_EQ(pair.listener->read(buffer.data(), buffer.size()).count, 3u);
  EXPECT_EQ(pair.listener->write("world", 5).count, 5u);
  EXPECT_EQ(pair.dialler->read(buffer.data(), buffer.size()).count, 5u);
  const std::string large(1 << 20, 'x');
  std::size_t written = 0;
  auto last = Progress::done;
  while (written < 64 * large.size() && last == Progress::done) {
    const auto moved = pair.dialler->write(large.data(), large.size());
    last = moved.progress;
    written += moved.count;
  }
  EXPECT_EQ(last, Progress::want_write);
}

TEST_F(StreamTest, a_write_to_a_closed_connection_fails_and_raises_no_signal) {
  StreamPair pair{node(plant_, one), node(plant_, two)};
  pair.shake_hands();
  ::shutdown(pair.sockets[1], SHUT_RDWR);
  auto last = pair.dialler->write("x", 1).progress;
  for (int i = 0; i < 10 && last == Progress::done; ++i)
    last = pair.dialler->write("x", 1).progress;
  EXPECT_EQ(last, Progress::failed);
}

TEST_F(StreamTest, a_stranger_of_another_authority_is_refused_by_both) {
  const auto foreign = authority("foreign", "plant");
  StreamPair dialled{node(foreign, one), node(plant_, two)};
  dialled.shake_hands();
  EXPECT_EQ(dialled.dialler_progress, Progress::failed);
  EXPECT_EQ(dialled.dialler->failure(), HandshakeFailure::stranger);
  EXPECT_EQ(dialled.listener_progress, Progress::failed);

  // The same seen by the listener: this dialler trusts both authorities, the listener its own.
  const Files mine = files_of(plant_, NodeId{2});
  const auto both = temporary_.path() / "both.pem";
  ASSERT_TRUE(sys::write_file_durably(both, *sys::read_file(authority_file(plant_), 65536) +
                                                *sys::read_file(authority_file(foreign), 65536)));
  Files gullible = files_of(foreign, NodeId{1});
  gullible.authority = both;
  StreamPair accepted{load(gullible, one), load(mine, two)};
  accepted.shake_hands();
  EXPECT_EQ(accepted.listener_progress, Progress::failed);
  EXPECT_EQ(accepted.listener->failure(), HandshakeFailure::stranger)
      << accepted.listener->failure_text();
}

TEST_F(StreamTest, an_expired_certificate_is_refused) {
  const auto old = sys::system_clock().wall() - 24h * 400;
  const auto directory = authority("old", "plant", old);
  const auto expired = node(directory, one, old);
  const auto good = node(directory, two);
  StreamPair pair{expired, good};
  pair.shake_hands();
  EXPECT_EQ(pair.listener->failure(), HandshakeFailure::stranger);
  EXPECT_NE(pair.listener->failure_text().find("expired"), std::string::npos)
      << pair.listener->failure_text();
  StreamPair other_way{good, expired};
  other_way.shake_hands();
  EXPECT_EQ(other_way.dialler->failure(), HandshakeFailure::stranger);
}

TEST_F(StreamTest, a_certificate_of_another_cluster_is_refused_even_when_its_authority_is_trusted) {
  const auto other = authority("other", "other");
  const auto both = temporary_.path() / "both.pem";
  ASSERT_TRUE(sys::write_file_durably(both, *sys::read_file(authority_file(plant_), 65536) +
                                                *sys::read_file(authority_file(other), 65536)));
  node(other, {"other", NodeId{1}});
  node(plant_, two);
  Files theirs = files_of(other, NodeId{1});
  Files mine = files_of(plant_, NodeId{2});
  theirs.authority = mine.authority = both;
  StreamPair pair{load(theirs, {"other", NodeId{1}}), load(mine, two)};
  pair.shake_hands();
  EXPECT_EQ(pair.listener->failure(), HandshakeFailure::wrong_cluster);
  EXPECT_EQ(pair.dialler->failure(), HandshakeFailure::wrong_cluster);
}

TEST_F(StreamTest, a_peer_without_certificate_is_a_stranger) {
  StreamPair pair{node(plant_, one), node(plant_, two)};
  std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>> anonymous{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, Freer<SSL_free>> client{SSL_new(anonymous.get())};
  SSL_set_fd(client.get(), pair.sockets[0]);
  SSL_set_connect_state(client.get());
  auto progress = Progress::want_read;
  for (int i = 0; i < 20 && progress != Progress::failed; ++i) {
    SSL_do_handshake(client.get());
    progress = pair.listener->handshake();
  }
  EXPECT_EQ(progress, Progress::failed);
  EXPECT_EQ(pair.listener->failure(), HandshakeFailure::stranger) << pair.listener->failure_text();
}

TEST_F(StreamTest, tls_1_2_is_refused) {
  StreamPair pair{node(plant_, one), node(plant_, two)};
  std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>> old{SSL_CTX_new(TLS_client_method())};
  SSL_CTX_set_max_proto_version(old.get(), TLS1_2_VERSION);
  std::unique_ptr<SSL, Freer<SSL_free>> client{SSL_new(old.get())};
  SSL_set_fd(client.get(), pair.sockets[0]);
  SSL_set_connect_state(client.get());
  SSL_do_handshake(client.get());
  EXPECT_EQ(pair.listener->handshake(), Progress::failed);
  EXPECT_EQ(pair.listener->failure(), HandshakeFailure::protocol);
}

TEST_F(StreamTest, garbage_fails_its_own_connection_and_no_other) {
  const auto a = node(plant_, one);
  const auto b = node(plant_, two);
  StreamPair healthy{a, b};
  healthy.shake_hands();
  StreamPair attacked{a, b};
  ASSERT_EQ(::write(attacked.sockets[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
  EXPECT_EQ(attacked.listener->handshake(), Progress::failed);
  EXPECT_EQ(attacked.listener->failure(), HandshakeFailure::protocol);
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);  // what another library on this thread may leave behind
  std::array<char, 16> buffer{};
  EXPECT_EQ(healthy.listener->read(buffer.data(), buffer.size()).progress, Progress::want_read);
  EXPECT_EQ(healthy.dialler->write("fine", 4).count, 4u);
  EXPECT_EQ(healthy.listener->read(buffer.data(), buffer.size()).count, 4u);
}

// Signs node 1's key again with a certificate that is for servers only.
TEST_F(StreamTest, a_certificate_for_one_end_only_is_refused) {
  node(plant_, one);
  node(plant_, two);
  const auto read_certificate_of = [](const std::filesystem::path& path) {
    const BioPtr file{BIO_new_file(path.c_str(), "r")};
    return CertificatePtr{PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)};
  };
  const BioPtr key_file{BIO_new_file((plant_ / "ca.key").c_str(), "r")};
  const KeyPtr key{PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr)};
  const CertificatePtr certificate = read_certificate_of(plant_ / "node-1.pem");
  const int at = X509_get_ext_by_NID(certificate.get(), NID_ext_key_usage, -1);
  X509_EXTENSION_free(X509_delete_ext(certificate.get(), at));
  const ExtensionPtr servers{
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, "serverAuth")};
  ASSERT_EQ(X509_add_ext(certificate.get(), servers.get(), -1), 1);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  {
    const BioPtr out{BIO_new_file((plant_ / "node-1.pem").c_str(), "w")};
    ASSERT_EQ(PEM_write_bio_X509(out.get(), certificate.get()), 1);
  }
  const auto half = load(files_of(plant_, NodeId{1}), one);
  const auto whole = load(files_of(plant_, NodeId{2}), two);
  StreamPair as_server{whole, half};
  as_server.shake_hands();
  EXPECT_EQ(as_server.dialler->failure(), HandshakeFailure::stranger);
  StreamPair as_client{half, whole};
  as_client.shake_hands();
  EXPECT_EQ(as_client.listener->failure(), HandshakeFailure::stranger);
}

}  // namespace
}  // namespace mainstay::tls
