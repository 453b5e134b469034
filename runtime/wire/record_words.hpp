// What commands and rows have in common. Only for the .cpp files of this folder.
#pragma once

#include "runtime/base/decimal.hpp"
#include "runtime/wire/sealed_message.hpp"
#include "schemas/record.capnp.h"

namespace mainstay::wire {

inline void write_decimal(schema::Decimal::Builder out, const Decimal& value) {
  const auto bits = static_cast<unsigned __int128>(value.units());
  out.setHigh(static_cast<std::int64_t>(bits >> 64));
  out.setLow(static_cast<std::uint64_t>(bits));
  out.setScale(static_cast<std::uint8_t>(value.scale()));
}

// Errors: corrupt (more digits than a Decimal has).
inline Result<Decimal> read_decimal(schema::Decimal::Reader in) {
  constexpr auto units_end = [] {
    Decimal::Units end = 1;
    for (unsigned i = 0; i < Decimal::digits_max; ++i) end *= 10;
    return end;
  }();
  const auto high = static_cast<unsigned __int128>(static_cast<std::uint64_t>(in.getHigh()));
  const auto units = static_cast<Decimal::Units>(high << 64 | in.getLow());
  if (units >= units_end || units <= -units_end || in.getScale() > Decimal::scale_max)
    return fail(Errc::corrupt, "decimal: more digits than there can be");
  return Decimal{units, in.getScale()};
}

template <class Struct, class Items, class Write>
void write_list(typename capnp::List<Struct>::Builder out, const Items& items, Write write) {
  unsigned place = 0;
  for (const auto& item : items) write(out[place++], item);
}

// `read` makes one item; at most `most` of them. Errors: corrupt, naming the list.
template <class Item, class List, class Read>
Result<std::vector<Item>> read_list(const List& in, std::size_t most, const char* name, Read read) {
  if (in.size() > most) return too_many(in.size(), most, name);
  std::vector<Item> items;
  items.reserve(in.size());
  for (const auto reader : in) {
    TRY_ASSIGN(auto item, read(reader));
    items.push_back(std::move(item));
  }
  return items;
}

// Words of a list of structs outside its struct: the tag, the items and what hangs below them.
template <class Schema, class Items, class Below>
std::size_t list_words(const Items& items, Below below) {
  if (items.empty()) return 0;
  std::size_t words = 1;
  for (const auto& item : items) words += words_of<Schema> + below(item);
  return words;
}

}  // namespace mainstay::wire
