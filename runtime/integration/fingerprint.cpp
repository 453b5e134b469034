#include "runtime/integration/fingerprint.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"

namespace mainstay::integration {

namespace {

using json::Type;
using json::Value;
using Field = Fingerprint::Field;

constexpr Type all_types[] = {Type::null,   Type::boolean, Type::number,
                              Type::string, Type::array,   Type::object};

std::uint8_t bit_of(Type type) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(type));
}

// Without null.
std::uint8_t told(std::uint8_t types) {
  return types & static_cast<std::uint8_t>(~bit_of(Type::null));
}

std::string names_of(std::uint8_t types) {
  std::string names;
  for (const Type type : all_types)
    if ((types & bit_of(type)) != 0)
      names += (names.empty() ? "" : " or ") + std::string{json::to_string(type)};
  return names;
}

void append_step(std::string& pointer, std::string_view name) {
  pointer += '/';
  // A member named "*" is none of an array.
  if (name == "*") pointer += "~2";
  for (const char c : name) {
    if (name == "*") break;
    pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string{c};
  }
}

// What one document has: each field's types, and how often it and its parents are there.
struct Shape {
  struct Seen {
    std::uint8_t types = 0;
    std::uint64_t times = 0;
  };
  std::map<std::string, Seen, std::less<>> fields;
  std::map<std::string, std::uint64_t, std::less<>> objects;
  bool full = false;

  void add(const Value& value, std::string& at) {
    const bool known = fields.find(at) != fields.end();
    if (!known && fields.size() >= limits::fingerprint_fields_max) {
      full = true;
      return;
    }
    Seen& seen = fields[at];
    seen.types |= bit_of(value.type());
    ++seen.times;
    const std::size_t length = at.size();
    if (value.is(Type::object)) {
      ++objects[at];
      for (const auto& [name, member] : value.members()) {
        append_step(at, name);
        add(member, at);
        at.resize(length);
      }
    } else if (value.is(Type::array)) {
      at += "/*";
      for (const Value& item : value.items()) add(item, at);
      at.resize(length);
    }
  }
};

std::string_view parent_of(std::string_view pointer) {
  return pointer.substr(0, std::min(pointer.rfind('/'), pointer.size()));
}

bool is_item(std::string_view pointer) {
  return pointer.empty() || pointer.substr(pointer.rfind('/')) == "/*";
}

}  // namespace

class FingerprintUpdate {
 public:
  FingerprintUpdate(const Fingerprint& known, const Shape& shape)
      : known_{known}, shape_{shape}, first_{known.documents_ == 0} {}

  Compared run() {
    compared_.next = known_;
    for (const auto& [pointer, seen] : shape_.fields) look_at(pointer, seen);
    for (const auto& [pointer, field] : known_.fields_) look_for(pointer, field);
    if (compared_.next.documents_ < limits::fingerprint_documents) ++compared_.next.documents_;
    return std::move(compared_);
  }

  bool changes_nothing() const {
    if (known_.documents_ < limits::fingerprint_documents) return false;
    for (const auto& [pointer, seen] : shape_.fields) {
      const auto field = known_.fields_.find(pointer);
      if (field == known_.fields_.end() || (seen.types & ~field->second.types) != 0) return false;
    }
    for (const auto& [pointer, field] : known_.fields_) {
      if (!field.always) continue;
      const auto seen = shape_.fields.find(pointer);
      if (!everywhere(pointer, seen == shape_.fields.end() ? 0 : seen->second.times)) return false;
    }
    return true;
  }

 private:
  bool everywhere(std::string_view pointer, std::uint64_t times) const {
    if (is_item(pointer)) return true;  // an array may be empty
    const auto parents = shape_.objects.find(parent_of(pointer));
    return parents == shape_.objects.end() || parents->second == times;
  }

  void look_at(const std::string& pointer, const Shape::Seen& seen) {
    auto& fields = compared_.next.fields_;
    const auto at = fields.find(pointer);
    if (at == fields.end()) {
      if (fields.size() >= limits::fingerprint_fields_max) return;
      // In documents before, its parent was without it, if it was there at all.
      const bool had_parent = known_.fields_.count(std::string{parent_of(pointer)}) != 0;
      fields.emplace(pointer,
                     Field{seen.types, (first_ || !had_parent) && everywhere(pointer, seen.times)});
      if (!first_) note(Drift::grew, pointer, "is new, of type " + names_of(seen.types));
      return;
    }
    Field& field = at->second;
    const std::uint8_t before = told(field.types), now = told(seen.types);
    if (before == 0 && now != 0)
      note(Drift::grew, pointer, "is of type " + names_of(now) + " for the first time");
    else if ((now & ~before) != 0)
      note(Drift::breaking, pointer, "is of type " + names_of(now) + ", was " + names_of(before));
    field.types |= seen.types;
  }

  void look_for(const std::string& pointer, const Field& field) {
    const auto seen = shape_.fields.find(pointer);
    if (everywhere(pointer, seen == shape_.fields.end() ? 0 : seen->second.times)) return;
    if (field.always && known_.documents_ >= limits::fingerprint_documents)
      note(Drift::breaking, pointer, "is missing, and was always there");
    compared_.next.fields_.find(pointer)->second.always = false;
  }

  void note(Drift drift, const std::string& pointer, const std::string& what) {
    compared_.drift = std::max(compared_.drift, drift);
    if (compared_.changes.size() < limits::fingerprint_changes_max)
      compared_.changes.push_back(pointer + ": " + what);
  }

  const Fingerprint& known_;
  const Shape& shape_;
  const bool first_;
  Compared compared_;
};

Compared compare(const Fingerprint& known, const Value& document) {
  Shape shape;
  std::string at;
  shape.add(document, at);
  return FingerprintUpdate{known, shape}.run();
}

bool teaches_nothing(const Fingerprint& known, const Value& document) {
  Shape shape;
  std::string at;
  shape.add(document, at);
  return FingerprintUpdate{known, shape}.changes_nothing();
}

std::string_view to_string(Drift drift) {
  switch (drift) {
    case Drift::unchanged:
      return "unchanged";
    case Drift::grew:
      return "grew";
    case Drift::breaking:
      return "breaking";
  }
  UNREACHABLE();
}

// {"documents":50,"fields":{"/lines/*/quantity":{"types":["number"],"always":true}}}
Value Fingerprint::to_json() const {
  Value fields = Value::object();
  for (const auto& [pointer, field] : fields_) {
    Value types = Value::array();
    for (const Type type : all_types)
      if ((field.types & bit_of(type)) != 0)
        types.items().push_back(Value::string(std::string{json::to_string(type)}));
    fields.members().emplace_back(
        pointer,
        Value::object({{"types", std::move(types)}, {"always", Value::boolean(field.always)}}));
  }
  return Value::object(
      {{"documents", Value::number(std::to_string(documents_))}, {"fields", std::move(fields)}});
}

Result<Fingerprint> Fingerprint::parse(const Value& value) {
  const auto wrong = [](const std::string& what) {
    return fail(Errc::invalid_argument, "not a fingerprint: " + what);
  };
  const Value* documents = value.find("documents");
  const Value* fields = value.find("fields");
  if (documents == nullptr || !documents->is(Type::number) || fields == nullptr ||
      !fields->is(Type::object))
    return wrong("has no documents or no fields");
  Fingerprint fingerprint;
  const std::string& count = documents->text();
  const auto [rest, error] =
      std::from_chars(count.data(), count.data() + count.size(), fingerprint.documents_);
  if (error != std::errc{} || rest != count.data() + count.size()) return wrong("documents");
  for (const auto& [pointer, text] : fields->members()) {
    const Value* types = text.find("types");
    const Value* always = text.find("always");
    if (types == nullptr || !types->is(Type::array) || always == nullptr ||
        !always->is(Type::boolean))
      return wrong("the field " + pointer.substr(0, 64));
    Field field{0, always->as_boolean()};
    for (const Value& name : types->items())
      for (const Type type : all_types)
        if (name.is(Type::string) && name.text() == json::to_string(type))
          field.types |= bit_of(type);
    fingerprint.fields_.emplace(pointer, field);
  }
  return fingerprint;
}

std::string Fingerprint::hash() const {
  return hex_of(xxh3_128(json::canonical_text(*to_json().find("fields"))));
}

}  // namespace mainstay::integration
