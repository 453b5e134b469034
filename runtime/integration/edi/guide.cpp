// Reading and writing documents by guides.
#include "runtime/integration/edi/guide.hpp"

#include <algorithm>

namespace mainstay::edi {

namespace {

using json::Type;
using json::Value;
using Kind = ElementRule::Kind;

constexpr std::size_t elements_max = 200;  // of one segment that is written

Failure wrong(const Segment& segment, const std::string& what) {
  return fail(Errc::invalid_argument, place_of(segment) + ": " + what);
}

// --- reading ---

Value value_of(const Components& components) {
  if (components.size() == 1) return Value::string(components[0]);
  json::Array parts;
  for (const std::string& each : components) parts.push_back(Value::string(each));
  Value value = Value::object();
  value.set("components", Value::array(std::move(parts)));
  return value;
}

std::string part_name(std::size_t index) {
  return "part_" + std::to_string(index + 1);
}

Value value_of(const Components& components, const std::vector<std::string>& names) {
  Value value = Value::object();
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (components[i].empty()) continue;
    const bool named = i < names.size() && names[i] != "-";
    value.set(named ? names[i] : part_name(i), Value::string(components[i]));
  }
  return value;
}

template <class Make>
Value repeated(const Element& element, const Make& make) {
  if (element.repeats.size() == 1) return make(element.repeats[0]);
  json::Array items;
  for (const Components& each : element.repeats) items.push_back(make(each));
  return Value::array(std::move(items));
}

Value plain_value(const Element& element) {
  return repeated(element, [](const Components& each) { return value_of(each); });
}

std::string extra_name(std::size_t position) {
  return "element_" + std::to_string(position);
}

void read_rest(const Segment& segment, std::size_t position, const ElementRule& rule,
               Value& object) {
  json::Array groups;
  const std::size_t size = rule.parts.size();
  for (; position <= segment.elements.size(); position += size) {
    Value group = Value::object();
    for (std::size_t i = 0; i < size; ++i) {
      const Element* element = segment.at(position + i);
      if (element != nullptr && !element->is_empty())
        group.set(rule.parts[i], plain_value(*element));
    }
    groups.push_back(std::move(group));
  }
  if (!groups.empty()) object.set(rule.name, Value::array(std::move(groups)));
}

Result<Value> read_segment(const SegmentRule& rule, const Segment& segment) {
  Value object = Value::object();
  std::size_t position = 1;
  for (const ElementRule& element : rule.elements) {
    if (element.kind == Kind::rest) {
      read_rest(segment, position, element, object);
      return object;
    }
    const Element* found = segment.at(position);
    const bool there = found != nullptr && !found->is_empty();
    if (element.required && !there)
      return wrong(segment, "element " + std::to_string(position) + " (" +
                                (element.name.empty() ? element.parts[0] : element.name) +
                                ") is missing");
    if (there) {
      if (element.kind == Kind::simple) {
        object.set(element.name, plain_value(*found));
      } else if (element.kind == Kind::composite) {
        object.set(element.name, repeated(*found, [&element](const Components& each) {
                     return value_of(each, element.parts);
                   }));
      } else if (element.kind == Kind::inlined && found->repeats.size() == 1 &&
                 found->repeats[0].size() <= element.parts.size()) {
        const Value inner = value_of(found->repeats[0], element.parts);
        for (const auto& [name, value] : inner.members()) object.set(name, value);
      } else {
        object.set(extra_name(position), plain_value(*found));
      }
    }
    ++position;
  }
  for (; position <= segment.elements.size(); ++position)
    if (!segment.elements[position - 1].is_empty())
      object.set(extra_name(position), plain_value(segment.elements[position - 1]));
  return object;
}

class DocumentReader {
 public:
  explicit DocumentReader(const std::vector<Segment>& segments) : segments_{segments} {}

  Result<void> loop(const std::vector<SegmentRule>& rules, Value& object) {
    outer_.push_back(&rules);
    while (at_ < segments_.size()) {
      const Segment& segment = segments_[at_];
      const SegmentRule* rule = find(rules, segment.tag);
      const bool full = rule != nullptr && !rule->many && object.find(rule->name) != nullptr;
      if (rule == nullptr || full) {
        if (belongs_outside(segment.tag)) break;
        if (full) return wrong(segment, "comes more than once");
        keep(segment, object);
        ++at_;
        continue;
      }
      TRY_ASSIGN(Value inner, read_segment(*rule, segment));
      ++at_;
      if (!rule->inner.empty()) TRY(loop(rule->inner, inner));
      store(*rule, std::move(inner), object);
    }
    outer_.pop_back();
    for (const SegmentRule& rule : rules)
      if (rule.required && object.find(rule.name) == nullptr)
        return at_ < segments_.size()
                   ? wrong(segments_[at_], "expected " + rule.tag + " before")
                   : fail(Errc::invalid_argument, "the segment " + rule.tag + " is missing");
    return {};
  }

 private:
  static const SegmentRule* find(const std::vector<SegmentRule>& rules, const std::string& tag) {
    const auto at = std::find_if(rules.begin(), rules.end(),
                                 [&tag](const SegmentRule& rule) { return rule.tag == tag; });
    return at == rules.end() ? nullptr : &*at;
  }
  bool belongs_outside(const std::string& tag) const {
    return std::any_of(outer_.begin(), outer_.end() - 1,
                       [&tag](const auto* rules) { return find(*rules, tag) != nullptr; });
  }
  static void keep(const Segment& segment, Value& object) {
    if (object.find("unexpected") == nullptr) object.set("unexpected", Value::array());
    json::Array elements;
    for (const Element& element : segment.elements) elements.push_back(plain_value(element));
    Value kept = Value::object();
    kept.set("segment", Value::string(segment.tag));
    kept.set("elements", Value::array(std::move(elements)));
    object.find("unexpected")->items().push_back(std::move(kept));
  }
  static void store(const SegmentRule& rule, Value inner, Value& object) {
    if (!rule.many) {
      object.set(rule.name, std::move(inner));
      return;
    }
    if (object.find(rule.name) == nullptr) object.set(rule.name, Value::array());
    object.find(rule.name)->items().push_back(std::move(inner));
  }

  const std::vector<Segment>& segments_;
  std::size_t at_ = 0;
  std::vector<const std::vector<SegmentRule>*> outer_;
};

// --- writing ---

// The place of a member, in messages.
std::string below(std::string where, std::string_view member) {
  where += '/';
  return where.append(member);
}

class DocumentWriter {
 public:
  Result<void> loop(const std::vector<SegmentRule>& rules, const Value& object,
                    const std::string& where) {
    for (const SegmentRule& rule : rules) {
      const Value* value = object.find(rule.name);
      const std::string place = below(where, rule.name);
      const bool none = value == nullptr || (value->is(Type::array) && value->items().empty());
      if (none && rule.required)
        return fail(Errc::invalid_argument, place + " is missing: the segment " + rule.tag);
      if (none) continue;
      if (!value->is(Type::array)) {
        TRY(segment(rule, *value, place));
        continue;
      }
      if (!rule.many)
        return fail(Errc::invalid_argument, place + ": " + rule.tag + " can come only once");
      for (std::size_t i = 0; i < value->items().size(); ++i)
        TRY(segment(rule, value->items()[i], below(place, std::to_string(i))));
    }
    return {};
  }

  std::vector<Segment> take() { return std::move(out_); }

 private:
  Result<void> segment(const SegmentRule& rule, const Value& value, const std::string& where) {
    if (!value.is(Type::object))
      return fail(Errc::invalid_argument, where + ": expected an object");
    TRY(check_members(rule, value, where));
    Segment made;
    made.tag = rule.tag;
    for (const ElementRule& element : rule.elements) {
      if (element.kind == Kind::rest) {
        TRY(rest(element, value, where, made));
        break;
      }
      TRY_ASSIGN(Element one, make(element, value, where));
      if (element.required && one.is_empty())
        return fail(Errc::invalid_argument,
                    below(where, element.name.empty() ? element.parts[0] : element.name) +
                        " is missing in " + rule.tag);
      made.elements.push_back(std::move(one));
    }
    for (const auto& [name, extra] : value.members()) {
      if (!name.starts_with("element_")) continue;
      TRY_ASSIGN(Element one, element_of(extra, below(where, name)));
      std::size_t position = 0;
      for (const char c : name.substr(8))
        position = position * 10 + static_cast<std::size_t>(c - '0');
      if (made.elements.size() < position) made.elements.resize(position);
      made.elements[position - 1] = std::move(one);
    }
    if (std::all_of(made.elements.begin(), made.elements.end(),
                    [](const Element& each) { return each.is_empty(); }))
      return fail(Errc::invalid_argument, where + " is empty: the segment " + rule.tag);
    out_.push_back(std::move(made));
    return loop(rule.inner, value, where);
  }

  // Everything in the document has a place.
  static Result<void> check_members(const SegmentRule& rule, const Value& value,
                                    const std::string& where) {
    for (const auto& [name, unused] : value.members()) {
      const auto is = [&name = name](const auto& each) { return each.name == name; };
      bool known = std::any_of(rule.inner.begin(), rule.inner.end(), is) || is_extra(name);
      for (const ElementRule& element : rule.elements) {
        known = known || (element.kind != Kind::unused && element.name == name);
        if (element.kind == Kind::inlined)
          known = known || std::find(element.parts.begin(), element.parts.end(), name) !=
                               element.parts.end();
      }
      if (!known)
        return fail(Errc::invalid_argument, below(where, name) + " has no place in " + rule.tag);
    }
    return {};
  }
  static bool is_extra(const std::string& name) {
    if (!name.starts_with("element_") || name.size() < 9 || name.size() > 11) return false;
    std::size_t position = 0;
    for (const char c : name.substr(8)) {
      if (c < '0' || c > '9') return false;
      position = position * 10 + static_cast<std::size_t>(c - '0');
    }
    return position >= 1 && position <= elements_max;
  }

  static Result<std::string> text_of(const Value* value, const std::string& where) {
    if (value == nullptr || value->is(Type::null)) return std::string{};
    if (value->is(Type::string) || value->is(Type::number)) return value->text();
    return fail(Errc::invalid_argument, where + ": expected a text or a number");
  }

  static Result<Components> components_of(const Value& value, const std::string& where) {
    Components components;
    const Value* parts = value.is(Type::object) ? value.find("components") : nullptr;
    if (parts == nullptr || !parts->is(Type::array)) {
      TRY_ASSIGN(std::string text, text_of(&value, where));
      return Components{std::move(text)};
    }
    for (const Value& part : parts->items()) {
      TRY_ASSIGN(std::string text, text_of(&part, where));
      components.push_back(std::move(text));
    }
    return components;
  }

  static Result<Components> components_of(const Value& value, const std::vector<std::string>& names,
                                          const std::string& where) {
    if (!value.is(Type::object))
      return fail(Errc::invalid_argument, where + ": expected an object");
    for (const auto& [member, unused] : value.members())
      if (!member.starts_with("part_") && std::count(names.begin(), names.end(), member) == 0)
        return fail(Errc::invalid_argument, below(where, member) + " has no place there");
    Components components;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string name = names[i] == "-" ? part_name(i) : names[i];
      TRY_ASSIGN(std::string text, text_of(value.find(name), below(where, name)));
      components.push_back(std::move(text));
    }
    for (std::size_t i = names.size(); i < names.size() + 10; ++i) {
      TRY_ASSIGN(std::string text, text_of(value.find(part_name(i)), where));
      components.push_back(std::move(text));
    }
    return components;
  }

  static Result<Element> element_of(const Value& value, const std::string& where) {
    Element element;
    if (!value.is(Type::array)) {
      TRY_ASSIGN(Components components, components_of(value, where));
      element.repeats.push_back(std::move(components));
      return element;
    }
    for (const Value& item : value.items()) {
      TRY_ASSIGN(Components components, components_of(item, where));
      element.repeats.push_back(std::move(components));
    }
    return element;
  }

  static Result<Element> make(const ElementRule& rule, const Value& value,
                              const std::string& where) {
    Element element;
    if (rule.kind == Kind::inlined) {
      Components components;
      for (const std::string& part : rule.parts) {
        TRY_ASSIGN(std::string text, text_of(value.find(part), below(where, part)));
        components.push_back(std::move(text));
      }
      element.repeats.push_back(std::move(components));
      return element;
    }
    const Value* found = rule.kind == Kind::unused ? nullptr : value.find(rule.name);
    if (found == nullptr || found->is(Type::null)) return element;
    const std::string place = below(where, rule.name);
    if (rule.kind == Kind::simple) return element_of(*found, place);
    const json::Array one{*found};
    for (const Value& item : found->is(Type::array) ? found->items() : one) {
      TRY_ASSIGN(Components components, components_of(item, rule.parts, place));
      element.repeats.push_back(std::move(components));
    }
    return element;
  }

  static Result<void> rest(const ElementRule& rule, const Value& value, const std::string& where,
                           Segment& made) {
    const Value* groups = value.find(rule.name);
    if (groups == nullptr) return {};
    const std::string place = below(where, rule.name);
    if (!groups->is(Type::array))
      return fail(Errc::invalid_argument, place + ": expected an array");
    for (const Value& group : groups->items()) {
      if (!group.is(Type::object) || made.elements.size() > elements_max)
        return fail(Errc::invalid_argument, place + ": expected objects, not too many");
      for (const auto& [member, unused] : group.members())
        if (std::count(rule.parts.begin(), rule.parts.end(), member) == 0)
          return fail(Errc::invalid_argument, below(place, member) + " has no place there");
      for (const std::string& part : rule.parts) {
        const Value* found = group.find(part);
        if (found == nullptr) {
          made.elements.emplace_back();
          continue;
        }
        TRY_ASSIGN(Element element, element_of(*found, below(place, part)));
        made.elements.push_back(std::move(element));
      }
    }
    return {};
  }

  std::vector<Segment> out_;
};

}  // namespace

Result<Value> read_document(const Guide& guide, const std::vector<Segment>& segments) {
  Value document = Value::object();
  DocumentReader reader{segments};
  TRY(reader.loop(guide.segments, document));
  return document;
}

Result<std::vector<Segment>> write_document(const Guide& guide, const Value& document) {
  if (!document.is(Type::object))
    return fail(Errc::invalid_argument, "expected an object as the document");
  for (const auto& [name, unused] : document.members()) {
    const auto is = [&name = name](const SegmentRule& rule) { return rule.name == name; };
    if (name != "envelope" && std::none_of(guide.segments.begin(), guide.segments.end(), is))
      return fail(Errc::invalid_argument, "/" + name + " has no place in " + guide.set);
  }
  DocumentWriter writer;
  TRY(writer.loop(guide.segments, document, ""));
  return writer.take();
}

}  // namespace mainstay::edi
