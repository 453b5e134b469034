#include "runtime/torture/packet.hpp"

namespace mainstay::torture {

namespace {

constexpr std::size_t ip_header_bytes = 20;
constexpr std::size_t tcp_header_bytes = 20;
constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t flag_syn = 0x02, flag_rst = 0x04, flag_ack = 0x10;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = (value << 8) | byte_at(bytes, at + i);
  return value;
}

void set(std::string& bytes, std::size_t at, std::size_t size, std::uint32_t value) {
  for (std::size_t i = 0; i < size; ++i)
    bytes[at + i] = static_cast<char>(value >> (8 * (size - 1 - i)));
}

struct Segment {
  Route route;
  std::uint32_t from_port = 0, to_port = 0;
  std::uint32_t sequence = 0, acknowledged = 0;
  std::uint8_t flags = 0;
};

std::optional<Segment> segment_of(std::string_view packet) {
  const auto route = route_of(packet);
  if (!route || byte_at(packet, 9) != tcp) return std::nullopt;
  const std::size_t at = std::size_t{byte_at(packet, 0) & 0x0FU} * 4;
  if (packet.size() < at + tcp_header_bytes) return std::nullopt;
  return Segment{*route,
                 number_at(packet, at, 2),
                 number_at(packet, at + 2, 2),
                 number_at(packet, at + 4, 4),
                 number_at(packet, at + 8, 4),
                 byte_at(packet, at + 13)};
}

std::string reset(Route route, std::uint32_t from_port, std::uint32_t to_port,
                  std::uint32_t sequence) {
  std::string packet(ip_header_bytes + tcp_header_bytes, '\0');
  set(packet, 0, 1, 0x45);
  set(packet, 2, 2, static_cast<std::uint32_t>(packet.size()));
  set(packet, 8, 1, 64);  // time to live
  set(packet, 9, 1, tcp);
  set(packet, 12, 4, route.from);
  set(packet, 16, 4, route.to);
  set(packet, 10, 2, internet_checksum(std::string_view{packet}.substr(0, ip_header_bytes)));
  set(packet, 20, 2, from_port);
  set(packet, 22, 2, to_port);
  set(packet, 24, 4, sequence);
  set(packet, 32, 1, (tcp_header_bytes / 4) << 4U);
  set(packet, 33, 1, flag_rst);
  // The pseudo header: addresses, protocol, length.
  const std::uint32_t pseudo = (route.from >> 16U) + (route.from & 0xFFFFU) + (route.to >> 16U) +
                               (route.to & 0xFFFFU) + tcp + tcp_header_bytes;
  set(packet, 36, 2, internet_checksum(std::string_view{packet}.substr(ip_header_bytes), pseudo));
  return packet;
}

}  // namespace

std::optional<Route> route_of(std::string_view packet) {
  if (packet.size() < ip_header_bytes || (byte_at(packet, 0) >> 4U) != 4) return std::nullopt;
  return Route{number_at(packet, 12, 4), number_at(packet, 16, 4)};
}

Resets resets_of(std::string_view packet) {
  const auto segment = segment_of(packet);
  if (!segment || (segment->flags & (flag_syn | flag_rst)) != 0 || (segment->flags & flag_ack) == 0)
    return {};
  // A receiver takes a reset whose sequence is the next it expects (RFC 9293, 3.5.3): of the
  // receiver that is the first byte of this segment, of the sender what it has acknowledged.
  return {reset(segment->route, segment->from_port, segment->to_port, segment->sequence),
          reset({segment->route.to, segment->route.from}, segment->to_port, segment->from_port,
                segment->acknowledged)};
}

std::uint16_t internet_checksum(std::string_view bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += i % 2 == 0 ? std::uint32_t{byte_at(bytes, i)} << 8U : byte_at(bytes, i);
  while (sum > 0xFFFF) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace mainstay::torture
