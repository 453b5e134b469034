// IPv4 packets with TCP in them, as bytes: whom they are from and for, and the reset that ends the
// connection they belong to. Pure. Formats: RFC 791, RFC 9293.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mainstay::torture {

// An IPv4 address in host order.
using Address = std::uint32_t;
constexpr Address address_of(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return (Address{a} << 24) | (Address{b} << 16) | (Address{c} << 8) | Address{d};
}

struct Route {
  Address from = 0;
  Address to = 0;
};
// Nothing for what is no IPv4 packet.
std::optional<Route> route_of(std::string_view packet);

// The two resets, from either end to the other, that a firewall would send instead of passing
// `packet` on. Empty for a packet that is no TCP segment, or a reset or the opening of a connection
// itself.
struct Resets {
  std::string forward;   // to the receiver of `packet`
  std::string backward;  // to its sender
};
Resets resets_of(std::string_view packet);

// The Internet checksum of `bytes` (RFC 1071), added to `sum`.
std::uint16_t internet_checksum(std::string_view bytes, std::uint32_t sum = 0);

}  // namespace mainstay::torture
