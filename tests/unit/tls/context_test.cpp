// class Context and class ContextSource (runtime/tls/stream.hpp)
#include "runtime/sys/file.hpp"
#include "tests/unit/tls/tls_fixture.hpp"

namespace mainstay::tls {
namespace {

const Identity one{"plant", NodeId{1}};

class ContextTest : public TlsTest {};

TEST_F(ContextTest, refuses_files_that_do_not_belong_together) {
  const auto directory = authority("ca", "plant");
  node(directory, one);
  node(directory, {"plant", NodeId{2}});
  Files mixed = files_of(directory, NodeId{1});
  mixed.key = node_key_file(directory, NodeId{2});
  EXPECT_EQ(Context::load(mixed, one).error().code, Errc::invalid_argument);
}

TEST_F(ContextTest, refuses_a_certificate_of_another_node_or_cluster) {
  const auto directory = authority("ca", "plant");
  node(directory, one);
  const auto files = files_of(directory, NodeId{1});
  EXPECT_EQ(Context::load(files, {"plant", NodeId{2}}).error().code, Errc::wrong_cluster);
  EXPECT_EQ(Context::load(files, {"other", NodeId{1}}).error().code, Errc::wrong_cluster);
}

TEST_F(ContextTest, names_a_missing_file) {
  const auto error = Context::load(files_of(temporary_.path(), NodeId{1}), one).error();
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_NE(error.message.find("ca.pem"), std::string::npos);
}

TEST_F(ContextTest, renewed_files_count_for_the_next_connection) {
  const auto directory = authority("ca", "plant");
  node(directory, one);
  auto source = ContextSource::open(files_of(directory, NodeId{1}), one);
  ASSERT_TRUE(source);
  const auto before = (*source)->current();
  EXPECT_EQ((*source)->current(), before);
  std::filesystem::remove(node_certificate_file(directory, NodeId{1}));
  std::filesystem::remove(node_key_file(directory, NodeId{1}));
  ASSERT_TRUE(make_node_certificate(directory, one, {}, sys::system_clock().wall(), 30));
  const auto after = (*source)->current();
  EXPECT_LT(after->expires(), before->expires());
  EXPECT_EQ((*source)->last_error(), "");
}

TEST_F(ContextTest, files_that_are_missing_or_bad_change_nothing_but_are_told) {
  const auto directory = authority("ca", "plant");
  node(directory, one);
  auto source = ContextSource::open(files_of(directory, NodeId{1}), one);
  ASSERT_TRUE(source);
  const auto before = (*source)->current();
  const auto certificate = node_certificate_file(directory, NodeId{1});
  const auto saved = sys::read_file(certificate, 65536).value_or("");
  std::filesystem::remove(certificate);
  EXPECT_EQ((*source)->current(), before);
  EXPECT_NE((*source)->last_error().find("node-1.pem"), std::string::npos);
  ASSERT_TRUE(sys::write_file_durably(certificate, "junk"));
  EXPECT_EQ((*source)->current(), before);
  ASSERT_TRUE(sys::write_file_durably(certificate, saved));
  EXPECT_NE((*source)->current(), nullptr);
  EXPECT_EQ((*source)->last_error(), "");
}

}  // namespace
}  // namespace mainstay::tls
