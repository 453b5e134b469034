// Random documents that a guide takes.
#pragma once

#include <string>

#include "runtime/base/json.hpp"
#include "runtime/base/random.hpp"
#include "runtime/integration/edi/guide.hpp"

namespace mainstay::edi {

// From 0, less than `end`.
inline std::size_t below(Random& random, std::size_t end) {
  return random.between(0, end - 1);
}

class RandomDocuments {
 public:
  // `alphabet`: of the texts.
  RandomDocuments(Random& random, std::string alphabet)
      : random_{random}, alphabet_{std::move(alphabet)} {}

  json::Value document(const Guide& guide) {
    json::Value value = json::Value::object();
    loop(guide.segments, value, 0);
    return value;
  }

 private:
  bool coin() { return below(random_, 2) == 0; }
  std::string text() {
    std::string out;
    for (std::size_t size = 1 + below(random_, 12); size > 0; --size)
      out += alphabet_[below(random_, alphabet_.size())];
    return out;
  }
  json::Value object_of(const std::vector<std::string>& parts) {
    json::Value value = json::Value::object();
    for (const std::string& part : parts)
      if (part != "-" && coin()) value.set(part, json::Value::string(text()));
    // Empty composites do not exist.
    const std::string& last = parts.back();
    if (value.members().empty()) value.set(last, json::Value::string(text()));
    return value;
  }

  void loop(const std::vector<SegmentRule>& rules, json::Value& into, std::size_t depth) {
    for (const SegmentRule& rule : rules) {
      if (!rule.required && below(random_, 3 + depth) != 0) continue;
      if (!rule.many) {
        into.set(rule.name, segment(rule, depth));
        continue;
      }
      json::Array all;
      for (std::size_t count = 1 + below(random_, 3); count > 0; --count)
        all.push_back(segment(rule, depth));
      into.set(rule.name, json::Value::array(std::move(all)));
    }
  }

  json::Value segment(const SegmentRule& rule, std::size_t depth) {
    using Kind = ElementRule::Kind;
    json::Value value = json::Value::object();
    for (const ElementRule& element : rule.elements) {
      if (element.kind == Kind::unused || (!element.required && coin())) continue;
      if (element.kind == Kind::simple) value.set(element.name, json::Value::string(text()));
      if (element.kind == Kind::composite) value.set(element.name, object_of(element.parts));
      if (element.kind == Kind::inlined) {
        const json::Value parts = object_of(element.parts);
        for (const auto& [name, part] : parts.members()) value.set(name, part);
      }
      if (element.kind == Kind::rest) {
        json::Array groups;
        for (std::size_t count = 1 + below(random_, 3); count > 0; --count)
          groups.push_back(object_of(element.parts));
        value.set(element.name, json::Value::array(std::move(groups)));
      }
    }
    // Empty segments do not exist either.
    for (const ElementRule& element : rule.elements)
      if (value.members().empty() && element.kind != Kind::unused)
        value.set(element.kind == Kind::inlined ? element.parts[0] : element.name,
                  json::Value::string(text()));
    loop(rule.inner, value, depth + 1);
    return value;
  }

  Random& random_;
  const std::string alphabet_;
};

}  // namespace mainstay::edi
