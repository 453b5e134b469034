#include "runtime/tls/openssl.hpp"

#include <array>
#include <ctime>

namespace mainstay::tls {

std::string take_openssl_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line{};
    ERR_error_string_n(code, line.data(), line.size());
    text += (text.empty() ? "" : "; ") + std::string{line.data()};
  }
  return text.empty() ? "no reason given" : text;
}

Result<Identity> identity_of(X509& certificate) {
  const NamesPtr names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::string found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    if (!found.empty())
      return fail(Errc::invalid_argument, "the certificate names more than one identity");
    found.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                 static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  if (found.empty())
    return fail(Errc::invalid_argument,
                "the certificate names no identity (mainstay://<cluster>/node/<id>)");
  return identity_of_uri(found);
}

WallTime wall_time_of(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return WallTime{};
  return std::chrono::system_clock::from_time_t(::timegm(&broken_down));
}

std::string text_of_verify_result(long result) {
  return X509_verify_cert_error_string(result);
}

}  // namespace mainstay::tls
