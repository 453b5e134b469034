#include "runtime/tls/certificates.hpp"

#include <sys/stat.h>

#include "runtime/sys/file.hpp"
#include "tests/unit/tls/tls_fixture.hpp"

namespace mainstay::tls {
namespace {

const Identity one{"plant", NodeId{1}};

class CertificatesTest : public TlsTest {};

::mode_t mode_of(const std::filesystem::path& path) {
  struct ::stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

std::string content_of(const std::filesystem::path& path) {
  return sys::read_file(path, 65536).value_or("");
}

TEST_F(CertificatesTest, keys_are_readable_by_their_owner_only) {
  const auto directory = authority("ca", "plant");
  node(directory, one);
  EXPECT_EQ(mode_of(directory / "ca.key"), 0600u);
  EXPECT_EQ(mode_of(directory / "ca.pem"), 0644u);
  EXPECT_EQ(mode_of(directory / "node-1.key"), 0600u);
  EXPECT_EQ(mode_of(directory / "node-1.pem"), 0644u);
}

TEST_F(CertificatesTest, nothing_that_exists_is_overwritten) {
  const auto now = sys::system_clock().wall();
  const auto directory = authority("ca", "plant");
  node(directory, one);
  const auto before = content_of(directory / "ca.key") + content_of(directory / "node-1.key") +
                      content_of(directory / "node-1.pem");
  EXPECT_EQ(make_authority(directory, "plant", now).error().code, Errc::already_exists);
  EXPECT_EQ(make_node_certificate(directory, one, {}, now).error().code, Errc::already_exists);
  // A certificate without its key: the new key must not stay behind either.
  std::filesystem::remove(directory / "node-1.key");
  EXPECT_EQ(make_node_certificate(directory, one, {}, now).error().code, Errc::already_exists);
  EXPECT_FALSE(std::filesystem::exists(directory / "node-1.key"));
  EXPECT_NE(before.find(content_of(directory / "ca.key")), std::string::npos);
  EXPECT_NE(before.find(content_of(directory / "node-1.pem")), std::string::npos);
}

TEST_F(CertificatesTest, say_who_and_until_when) {
  const auto now = sys::system_clock().wall();
  const auto directory = authority("ca", "plant", now);
  node(directory, one, now);
  const auto info = read_certificate(directory / "node-1.pem");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->identity, one);
  EXPECT_NEAR(std::chrono::duration<double>(info->not_after - now).count(), 365 * 86400.0, 2);
  EXPECT_NEAR(std::chrono::duration<double>(now - info->not_before).count(), 3600, 2);
}

TEST_F(CertificatesTest, an_authority_signs_for_its_own_cluster_only) {
  const auto directory = authority("ca", "plant");
  const auto made =
      make_node_certificate(directory, {"other", NodeId{1}}, {}, sys::system_clock().wall());
  EXPECT_EQ(made.error().code, Errc::wrong_cluster);
}

TEST_F(CertificatesTest, bad_names_are_refused_and_leave_no_file) {
  const auto directory = authority("ca", "plant");
  const auto now = sys::system_clock().wall();
  for (const char* host : {"", "a b", "a,URI:mainstay://plant/node/9", "x;y"})
    EXPECT_EQ(make_node_certificate(directory, one, {host}, now).error().code,
              Errc::invalid_argument)
        << host;
  EXPECT_EQ(make_node_certificate(directory, {"plant", NodeId{0}}, {}, now).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(make_authority(temporary_.path() / "x", "a b", now).error().code,
            Errc::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(directory / "node-1.key"));
  EXPECT_FALSE(std::filesystem::exists(temporary_.path() / "x"));
}

TEST_F(CertificatesTest, hosts_may_be_names_and_addresses) {
  const auto directory = authority("ca", "plant");
  EXPECT_TRUE(make_node_certificate(directory, one, {"node-1.plant.example", "10.0.0.1", "::1"},
                                    sys::system_clock().wall()));
  EXPECT_EQ(read_certificate(directory / "node-1.pem").value().hosts,
            (std::vector<std::string>{"node-1.plant.example", "10.0.0.1", "::1"}));
}

TEST_F(CertificatesTest, a_replacement_is_a_new_pair_in_the_place_of_the_old) {
  const auto now = sys::system_clock().wall();
  const auto directory = authority("ca", "plant");
  node(directory, one);
  const auto old_key = content_of(directory / "node-1.key");
  // An interrupted replacement does not stand in the way.
  ASSERT_TRUE(sys::write_file_durably(directory / "node-1.key.new", "half"));
  EXPECT_TRUE(make_node_certificate(directory, one, {"a"}, now, 30, Existing::replace));
  EXPECT_NE(content_of(directory / "node-1.key"), old_key);
  EXPECT_EQ(mode_of(directory / "node-1.key"), 0600u);
  EXPECT_FALSE(std::filesystem::exists(directory / "node-1.key.new"));
  EXPECT_FALSE(std::filesystem::exists(directory / "node-1.pem.new"));
  const auto info = read_certificate(directory / "node-1.pem").value();
  EXPECT_EQ(info.identity, one);
  EXPECT_LT(info.not_after, now + std::chrono::hours{24 * 31});
  EXPECT_TRUE(Context::load(
      {directory / "ca.pem", directory / "node-1.pem", directory / "node-1.key"}, one))
      << "key and certificate belong together";
}

TEST_F(CertificatesTest, the_certificate_of_an_api_names_hosts_and_no_node) {
  const auto now = sys::system_clock().wall();
  const auto directory = authority("ca", "plant");
  EXPECT_TRUE(make_api_certificate(directory, "api", {"a.example", "10.0.0.1"}, now));
  const auto info = read_any_certificate(directory / "api.pem").value();
  EXPECT_EQ(info.identity, Identity{});
  EXPECT_EQ(info.hosts, (std::vector<std::string>{"a.example", "10.0.0.1"}));
  EXPECT_EQ(read_certificate(directory / "api.pem").error().code, Errc::invalid_argument);
  EXPECT_EQ(make_api_certificate(directory, "api", {"a"}, now).error().code, Errc::already_exists);
  EXPECT_TRUE(make_api_certificate(directory, "api", {"a"}, now, node_days, Existing::replace));
  for (const char* name : {"ca", "node-1", "../x", "", ".x"})
    EXPECT_EQ(make_api_certificate(directory, name, {"a"}, now).error().code,
              Errc::invalid_argument)
        << name;
  EXPECT_EQ(make_api_certificate(directory, "b", {}, now).error().code, Errc::invalid_argument);
}

TEST_F(CertificatesTest, without_an_authority_there_is_no_certificate) {
  EXPECT_EQ(
      make_node_certificate(temporary_.path(), one, {}, sys::system_clock().wall()).error().code,
      Errc::not_found);
}

TEST_F(CertificatesTest, what_is_no_certificate_is_refused) {
  const auto path = temporary_.path() / "junk.pem";
  ASSERT_TRUE(sys::write_file_durably(path, "-----BEGIN CERTIFICATE-----\njunk\n"));
  EXPECT_EQ(read_certificate(path).error().code, Errc::invalid_argument);
  EXPECT_EQ(read_certificate(temporary_.path() / "none").error().code, Errc::not_found);
}

}  // namespace
}  // namespace mainstay::tls
