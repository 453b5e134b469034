#include "runtime/tls/openssl.hpp"

#include <gtest/gtest.h>

namespace mainstay::tls {
namespace {

TEST(Openssl, errors_are_taken_out_of_the_queue) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  EXPECT_NE(take_openssl_errors().find("bad length"), std::string::npos);
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_EQ(take_openssl_errors(), "no reason given");
}

TEST(Openssl, a_certificate_without_an_identity_is_refused) {
  const CertificatePtr empty{X509_new()};
  EXPECT_EQ(identity_of(*empty).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace mainstay::tls
