// Inside runtime/tls only: owning pointers and error texts for OpenSSL.
#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "runtime/base/time.hpp"
#include "runtime/tls/identity.hpp"

namespace mainstay::tls {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};

using SslContextPtr = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

// The texts of this thread's OpenSSL error queue, which is empty afterwards.
std::string take_openssl_errors();

// The one identity URI of a certificate. Errors: invalid_argument when it has none or several.
Result<Identity> identity_of(X509& certificate);

WallTime wall_time_of(const ASN1_TIME* time);

// "certificate has expired" and the like, for the result of a chain check.
std::string text_of_verify_result(long result);

}  // namespace mainstay::tls
