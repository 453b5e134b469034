#include "runtime/config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace mainstay::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array size_units{Unit{"B", 1}, Unit{"KiB", 1ULL << 10}, Unit{"MiB", 1ULL << 20},
                                Unit{"GiB", 1ULL << 30}, Unit{"TiB", 1ULL << 40}};
constexpr std::array duration_units{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                    Unit{"h", 3'600'000}};

std::string quoted(std::string_view text) {
  return "'" + std::string{text} + "'";
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A whole number and one of the units; overflow is refused.
template <std::size_t n>
Result<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, n>& units,
                                      std::string_view expected) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view suffix{rest, static_cast<std::size_t>(end - rest)};
  auto unit = std::find_if(units.begin(), units.end(),
                           [&](const Unit& candidate) { return candidate.name == suffix; });
  if (error != std::errc{} || unit == units.end())
    return fail(Errc::invalid_argument, quoted(text) + " is not " + std::string{expected});
  if (number > std::numeric_limits<std::int64_t>::max() / unit->factor)
    return fail(Errc::invalid_argument, quoted(text) + " is too large");
  return number * unit->factor;
}

Result<Peer> parse_peer(std::string_view text) {
  constexpr std::string_view expected =
      " is not a peer: <id>@<host>:<port>/api=<host>:<port> is expected";
  const auto at = text.find('@');
  if (at == std::string_view::npos)
    return fail(Errc::invalid_argument, quoted(text) + std::string{expected});
  TRY_ASSIGN(const std::uint64_t id, parse_integer(text.substr(0, at)));
  if (id == 0 || id > 65535)
    return fail(Errc::invalid_argument, quoted(text) + ": a node id is 1 to 65535");
  Peer peer;
  peer.id = NodeId{id};
  std::string_view address = text.substr(at + 1);
  if (const auto slash = address.find('/'); slash != std::string_view::npos) {
    std::string_view api = address.substr(slash + 1);
    address = address.substr(0, slash);
    if (api.substr(0, 4) != "api=")
      return fail(Errc::invalid_argument, quoted(text) + std::string{expected});
    TRY_ASSIGN(const Endpoint endpoint, parse_endpoint(api.substr(4)));
    peer.api_address = to_string(endpoint);
  }
  TRY_ASSIGN(const Endpoint endpoint, parse_endpoint(address));
  peer.peer_address = to_string(endpoint);
  return peer;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::integer:
      return "integer";
    case Kind::text:
      return "text";
    case Kind::path:
      return "path";
    case Kind::size:
      return "size";
    case Kind::duration:
      return "duration";
    case Kind::boolean:
      return "boolean";
    case Kind::address:
      return "host:port";
    case Kind::choice:
      return "choice";
    case Kind::peers:
      return "peers";
  }
  UNREACHABLE();
}

std::string to_string(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

Result<std::uint64_t> parse_integer(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end)
    return fail(Errc::invalid_argument, quoted(text) + " is not a whole number");
  return number;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, size_units, "a size such as 256MiB (B, KiB, MiB, GiB, TiB)");
}

Result<Millis> parse_duration(std::string_view text) {
  TRY_ASSIGN(const std::uint64_t millis,
             parse_with_unit(text, duration_units, "a duration such as 1500ms (ms, s, m, h)"));
  return Millis{static_cast<std::int64_t>(millis)};
}

Result<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return fail(Errc::invalid_argument, quoted(text) + " is not true or false");
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  Failure bad = fail(Errc::invalid_argument,
                     quoted(text) + " is not an address: host:port or [IPv6]:port is expected");
  if (colon == std::string_view::npos || colon == 0) return bad;
  std::string_view host = text.substr(0, colon);
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') return bad;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad;
  }
  const bool printable = std::all_of(host.begin(), host.end(), [](char c) {
    return c > ' ' && c != 0x7f && c != '/' && c != '@' && c != ',' && c != '[' && c != ']';
  });
  auto port = parse_integer(text.substr(colon + 1));
  if (!printable || !port || *port > 65535) return bad;
  return Endpoint{std::string{host}, static_cast<std::uint16_t>(*port)};
}

Result<std::vector<Peer>> parse_peers(std::string_view text) {
  std::vector<Peer> peers;
  while (!trimmed(text).empty()) {
    const auto comma = text.find(',');
    TRY_ASSIGN(Peer peer, parse_peer(trimmed(text.substr(0, comma))));
    peers.push_back(std::move(peer));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return peers;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace mainstay::config
