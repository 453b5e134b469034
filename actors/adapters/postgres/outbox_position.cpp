#include "actors/adapters/postgres/outbox_position.hpp"

#include <charconv>

namespace mainstay::adapters::postgres {

namespace {

template <class T>
bool take_number(std::string_view& text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_colon(std::string_view& text) {
  if (text.empty() || text.front() != ':') return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Result<OutboxPosition> parse_position(std::string_view text) {
  OutboxPosition position;
  if (text.empty()) return position;
  std::string_view rest = text;
  if (take_number(rest, position.transaction) && take_colon(rest) &&
      take_number(rest, position.id) && take_colon(rest) && take_number(rest, position.table) &&
      rest.empty())
    return position;
  return fail(Errc::invalid_argument,
              "'" + std::string{text} + "' is not a position: transaction:id:table is expected");
}

std::string to_string(const OutboxPosition& position) {
  return std::to_string(position.transaction) + ":" + std::to_string(position.id) + ":" +
         std::to_string(position.table);
}

}  // namespace mainstay::adapters::postgres
