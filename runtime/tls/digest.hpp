// SHA-256, HMAC and the comparison of secrets. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace mainstay::tls {

// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view text);

// HMAC-SHA256 (RFC 2104): as above.
std::string hmac_sha256_hex(std::string_view key, std::string_view text);

// Takes as long for a wrong secret as for a nearly right one of the same length.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace mainstay::tls
