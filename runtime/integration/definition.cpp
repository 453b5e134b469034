#include "runtime/integration/definition.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "runtime/base/checksum.hpp"

namespace mainstay::integration {

namespace {

using json::Type;
using json::Value;

constexpr std::size_t name_bytes_max = 48;
constexpr std::size_t lanes_max = 16;

// One table of the definition: reads members and refuses those nobody read.
class Table {
 public:
  Table(std::string where, const Value& value) : where_{std::move(where)}, value_{value} {
    if (!value.is(Type::object)) problem("", "a table is expected");
  }

  const Value* find(const std::string& name) {
    known_.push_back(name);
    return value_.is(Type::object) ? value_.find(name) : nullptr;
  }
  std::string text(const std::string& name, std::string otherwise, bool must = false) {
    const Value* found = find(name);
    if (found == nullptr) {
      if (must) problem(name, "is missing");
      return otherwise;
    }
    if (found->is(Type::string) && !found->text().empty()) return found->text();
    problem(name, "a text is expected");
    return otherwise;
  }
  std::uint64_t number(const std::string& name, std::uint64_t otherwise, std::uint64_t low,
                       std::uint64_t high) {
    const Value* found = find(name);
    if (found == nullptr) return otherwise;
    std::uint64_t result = 0;
    if (found->is(Type::number)) {
      const std::string& digits = found->text();
      const auto end = digits.data() + digits.size();
      if (std::from_chars(digits.data(), end, result).ptr == end && result >= low && result <= high)
        return result;
    }
    problem(name, fmt::format("a whole number from {} to {} is expected", low, high));
    return otherwise;
  }
  bool boolean(const std::string& name, bool otherwise) {
    const Value* found = find(name);
    if (found == nullptr) return otherwise;
    if (found->is(Type::boolean)) return found->as_boolean();
    problem(name, "true or false is expected");
    return otherwise;
  }
  // "200ms", "5s", "1m", "2h", "14d"
  Millis duration(const std::string& name, Millis otherwise, Millis low, Millis high) {
    const Value* found = find(name);
    if (found == nullptr) return otherwise;
    if (found->is(Type::string)) {
      const std::string& text = found->text();
      std::int64_t count = 0;
      const auto end = text.data() + text.size();
      const auto read = std::from_chars(text.data(), end, count);
      const std::string_view unit{read.ptr, static_cast<std::size_t>(end - read.ptr)};
      const std::pair<std::string_view, std::int64_t> units[] = {
          {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
      for (const auto& [known, millis] : units)
        if (read.ptr != text.data() && unit == known && count >= 0 &&
            count <= high.count() / millis && count * millis >= low.count())
          return Millis{count * millis};
    }
    problem(name, fmt::format("a duration like \"200ms\", \"5s\", \"1m\", from {} to {} ms, is "
                              "expected",
                              low.count(), high.count()));
    return otherwise;
  }
  std::vector<std::string> texts(const std::string& name) {
    const Value* found = find(name);
    std::vector<std::string> result;
    if (found == nullptr) return result;
    const bool good = found->is(Type::array) &&
                      std::all_of(found->items().begin(), found->items().end(),
                                  [](const Value& item) { return item.is(Type::string); });
    if (!good) {
      problem(name, "a list of texts is expected");
      return result;
    }
    for (const Value& item : found->items()) result.push_back(item.text());
    return result;
  }

  void problem(const std::string& name, const std::string& what) {
    if (!problem_.empty()) return;
    problem_ = where_;
    if (!name.empty()) problem_ += (where_.ends_with(": ") ? "" : ".") + name;
    problem_ += ": " + what;
  }
  void adopt(Error error) {
    if (problem_.empty()) problem_ = where_ + ": " + error.message;
  }
  Result<void> finish() {
    if (value_.is(Type::object))
      for (const auto& [name, member] : value_.members())
        if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
          std::string names;
          for (const std::string& one : known_) names += (names.empty() ? "" : ", ") + one;
          problem(name, "there is no such member here; there are: " + names);
        }
    if (problem_.empty()) return {};
    return fail(Errc::invalid_argument, problem_);
  }
  const std::string& where() const { return where_; }

 private:
  std::string where_;
  const Value& value_;
  std::vector<std::string> known_;
  std::string problem_;
};

class Parser {
 public:
  Parser(const std::string& name, const ReadFile& read) : read_{read} { out_.name = name; }

  Result<AdapterDefinition> parse(const Value& text) {
    const bool good_name = !out_.name.empty() && out_.name.size() <= name_bytes_max &&
                           std::all_of(out_.name.begin(), out_.name.end(), [](char c) {
                             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                           });
    if (!good_name)
      return fail(Errc::invalid_argument,
                  fmt::format("adapter '{}': a name has 1 to {} of a-z, 0-9 and '-'", out_.name,
                              name_bytes_max));
    hashed_ = json::canonical_text(text);
    Table top{"adapter '" + out_.name + "'", text};
    out_.kind = top.text("kind", "", true);
    out_.library = top.text("library", "");
    out_.heartbeat = top.duration("heartbeat", out_.heartbeat, Millis{100}, Millis{3'600'000});
    if (const Value* settings = top.find("settings"); settings != nullptr)
      out_.settings = *settings;
    else
      out_.settings = Value::object();
    if (const Value* source = top.find("source"); source != nullptr) TRY(parse_source(*source));
    if (const Value* effects = top.find("effects"); effects != nullptr)
      TRY(parse_effects(*effects));
    TRY(each(top, "export", [this](const std::string& where, const Value& value) {
      return parse_export(where, value);
    }));
    TRY(each(top, "reconcile", [this](const std::string& where, const Value& value) {
      return parse_reconcile(where, value);
    }));
    TRY(top.finish());
    if (!out_.source && out_.exports.empty() && out_.reconciles.empty())
      return fail(Errc::invalid_argument, "adapter '" + out_.name +
                                              "' does nothing: give it [source], [[export]] or "
                                              "[[reconcile]]");
    const Hash128 hash = xxh3_128(hashed_);
    out_.hash = fmt::format("{:016x}", hash[0] ^ hash[1]);
    return std::move(out_);
  }

 private:
  template <class Each>
  Result<void> each(Table& top, const std::string& name, const Each& parse_one) {
    const Value* list = top.find(name);
    if (list == nullptr) return {};
    if (!list->is(Type::array))
      return fail(Errc::invalid_argument,
                  top.where() + "." + name + ": a list of tables is expected: [[" + name + "]]");
    std::size_t number = 0;
    for (const Value& item : list->items())
      TRY(parse_one(fmt::format("{}.{}[{}]", top.where(), name, number++), item));
    return {};
  }

  Result<std::shared_ptr<const Mapping>> mapping(const std::string& where,
                                                 const std::string& file) {
    auto text = read_(file);
    if (!text) return fail(text.error().code, where + ": " + text.error().message);
    hashed_ += *text;
    const auto value = json::parse(*text);
    if (!value)
      return fail(Errc::invalid_argument,
                  where + ": mapping '" + file + "' is no JSON: " + value.error().message);
    auto parsed = Mapping::parse(*value);
    if (!parsed)
      return fail(Errc::invalid_argument,
                  where + ": mapping '" + file + "': " + parsed.error().message);
    return parsed;
  }

  Result<void> parse_source(const Value& value) {
    Table in{"adapter '" + out_.name + "'.source", value};
    SourceDefinition source;
    source.poll = in.duration("poll", source.poll, Millis{10}, Millis{3'600'000});
    source.messages_max = in.number("messages_max", source.messages_max, 1, 10'000);
    const std::string order = in.text("order", "latest");
    if (order == "strict")
      source.order = SubjectOrder::strict;
    else if (order != "latest")
      in.problem("order", "\"latest\" or \"strict\" is expected");
    source.inbox_kept =
        in.duration("inbox_kept", source.inbox_kept, Millis{60'000}, Millis{366LL * 86'400'000});
    const Value* types = in.find("types");
    if (types == nullptr || !types->is(Type::object) || types->members().empty()) {
      in.problem("types", "a table is expected: types = {order = \"order.json\"}");
    } else {
      for (const auto& [type, file] : types->members()) {
        if (!file.is(Type::string)) {
          in.problem("types." + type, "the name of a mapping file is expected");
          continue;
        }
        auto found = mapping(in.where() + ".types." + type, file.text());
        if (!found) return Failure{found.error()};
        source.types.emplace(type, *std::move(found));
      }
    }
    TRY(in.finish());
    out_.source = std::move(source);
    return {};
  }

  Result<void> parse_effects(const Value& value) {
    Table in{"adapter '" + out_.name + "'.effects", value};
    EffectsDefinition& out = out_.effects;
    const Millis hour{3'600'000};
    out.lanes = in.number("lanes", out.lanes, 1, lanes_max);
    out.rate_per_second =
        static_cast<std::uint32_t>(in.number("rate_per_second", out.rate_per_second, 0, 1'000'000));
    out.attempts_max =
        static_cast<std::uint32_t>(in.number("attempts_max", out.attempts_max, 1, 1'000'000));
    out.backoff_min = in.duration("backoff_min", out.backoff_min, Millis{1}, hour);
    out.backoff_max = in.duration("backoff_max", out.backoff_max, Millis{1}, 24 * hour);
    out.breaker_failures =
        static_cast<std::uint32_t>(in.number("breaker_failures", out.breaker_failures, 1, 1'000));
    out.breaker_pause = in.duration("breaker_pause", out.breaker_pause, Millis{10}, hour);
    out.call_timeout = in.duration("call_timeout", out.call_timeout, Millis{50}, hour);
    out.settle = in.duration("settle", out.settle, Millis{0}, hour);
    if (out.backoff_min > out.backoff_max)
      in.problem("backoff_min", "must not be longer than backoff_max");
    return in.finish();
  }

  Result<void> parse_export(const std::string& where, const Value& value) {
    Table in{where, value};
    ExportDefinition out;
    out.collection = in.text("collection", "", true);
    const std::string file = in.text("mapping", "", true);
    TRY(in.finish());
    TRY_ASSIGN(out.mapping, mapping(where + ".mapping", file));
    out_.exports.push_back(std::move(out));
    return {};
  }

  Result<void> parse_reconcile(const std::string& where, const Value& value) {
    Table in{where, value};
    ReconcileDefinition out;
    out.name = in.text("name", "", true);
    out.kind = in.text("kind", out.name);
    out.collection = in.text("collection", "", true);
    out.balances = in.boolean("balances", false);
    out.fields = in.texts("fields");
    out.every = in.duration("every", out.every, Millis{100}, Millis{7LL * 86'400'000});
    out.settle = in.duration("settle", out.settle, Millis{0}, Millis{86'400'000});
    out.repair = in.boolean("repair", false);
    const std::string file = in.text("mapping", "", true);
    if (const Value* filter = in.find("where"); filter != nullptr) {
      if (!filter->is(Type::object))
        in.problem("where", "a table of pointers and texts");
      else
        for (const auto& [pointer, wanted] : filter->members()) {
          if (!wanted.is(Type::string))
            in.problem("where", "a table of pointers and texts");
          else
            out.where.emplace_back(pointer, wanted.text());
        }
    }
    for (const std::string& pointer : out.fields)
      if (const auto good = json::check_pointer(pointer); !good)
        in.problem("fields", "'" + pointer + "' is no JSON pointer");
    TRY(in.finish());
    TRY_ASSIGN(out.mapping, mapping(where + ".mapping", file));
    out_.reconciles.push_back(std::move(out));
    return {};
  }

  const ReadFile& read_;
  AdapterDefinition out_;
  std::string hashed_;
};

}  // namespace

Result<AdapterDefinition> parse_definition(const std::string& name, const Value& text,
                                           const ReadFile& read) {
  return Parser{name, read}.parse(text);
}

}  // namespace mainstay::integration
