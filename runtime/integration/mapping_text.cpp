// Rules for texts: joined, formatted, looked up, cut, hashed, keys, dates.
#include <algorithm>

#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/integration/dates.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/mapping_compiler.hpp"
#include "runtime/integration/name_id.hpp"

namespace mainstay::integration::rules {

namespace {

using json::Type;

// The text that a rule makes; nothing if it makes nothing.
Result<std::optional<std::string>> text_made(const Rule& rule, const Scope& scope) {
  TRY_ASSIGN(const std::optional<Value> value, rule.eval(scope));
  if (!value) return std::nullopt;
  auto text = text_of(*value);
  if (!text)
    return rule.refuse(
        scope, "is of type " + std::string{json::to_string(value->type())} + ", which has no text");
  return text;
}

Outcome made(const Rule& rule, const Scope& scope, std::string text) {
  if (scope.budget.bytes < text.size()) return rule.refuse(scope, "the results become too large");
  scope.budget.bytes -= text.size();
  return Value::string(std::move(text));
}

// A rule over one other that makes a text.
class OfText : public Rule {
 public:
  explicit OfText(RulePtr value) : value_{std::move(value)} {}
  std::string where(const Scope& scope) const override { return value_->where(scope); }

 protected:
  virtual Outcome of(const Scope& scope, std::string text) const = 0;

 private:
  Outcome make(const Scope& scope) const final {
    TRY_ASSIGN(std::optional<std::string> text, text_made(*value_, scope));
    if (!text) return std::nullopt;
    return of(scope, *std::move(text));
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const final {
    value_->cover(scope, coverage);
  }

  const RulePtr value_;
};

enum class Case { as_it_is, upper, lower };

class TextOf final : public OfText {
 public:
  TextOf(RulePtr value, bool trim, Case letters)
      : OfText{std::move(value)}, trim_{trim}, letters_{letters} {}

 private:
  Outcome of(const Scope& scope, std::string text) const override {
    if (trim_) {
      constexpr const char* spaces = " \t\r\n";
      text.erase(0, std::min(text.find_first_not_of(spaces), text.size()));
      text.resize(text.find_last_not_of(spaces) + 1);
      if (text.empty()) return std::nullopt;
    }
    for (char& c : text) {  // of ASCII alone
      if (letters_ == Case::upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      if (letters_ == Case::lower && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return made(*this, scope, std::move(text));
  }

  const bool trim_;
  const Case letters_;
};

class Lookup final : public OfText {
 public:
  Lookup(RulePtr value, std::string name, std::shared_ptr<const Table> table)
      : OfText{std::move(value)}, name_{std::move(name)}, table_{std::move(table)} {}

 private:
  Outcome of(const Scope& scope, std::string text) const override {
    const auto row = table_->find(text);
    if (row != table_->end()) {
      const std::size_t bytes = bytes_of(row->second);
      if (scope.budget.bytes < bytes) return refuse(scope, "the results become too large");
      scope.budget.bytes -= bytes;
      return row->second;
    }
    if (has_default()) return std::nullopt;
    return refuse(scope, "the table " + name_ + " has no row '" + text.substr(0, 64) + "'");
  }

  const std::string name_;
  const std::shared_ptr<const Table> table_;
};

class Split final : public OfText {
 public:
  Split(RulePtr value, std::string by, std::size_t part)
      : OfText{std::move(value)}, by_{std::move(by)}, part_{part} {}

 private:
  Outcome of(const Scope& scope, std::string text) const override {
    std::size_t at = 0;
    for (std::size_t i = 0; i < part_; ++i) {
      at = text.find(by_, at);
      if (at == std::string::npos) return std::nullopt;
      at += by_.size();
    }
    return made(*this, scope, text.substr(at, text.find(by_, at) - at));
  }

  const std::string by_;
  const std::size_t part_;
};

class DateOf final : public OfText {
 public:
  DateOf(RulePtr value, DateForm form) : OfText{std::move(value)}, form_{std::move(form)} {}

 private:
  Outcome of(const Scope& scope, std::string text) const override {
    auto date = date_text(text, form_);
    if (!date) return refuse(scope, date.error().message);
    return made(*this, scope, *std::move(date));
  }

  const DateForm form_;
};

class Hash final : public Rule {
 public:
  explicit Hash(RulePtr value) : value_{std::move(value)} {}

 private:
  Outcome make(const Scope& scope) const override {
    TRY_ASSIGN(const std::optional<Value> value, value_->eval(scope));
    if (!value) return std::nullopt;
    return made(*this, scope, hex_of(xxh3_128(json::canonical_text(*value))));
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    value_->cover(scope, coverage);
  }

  const RulePtr value_;
};

// Several texts made into one. If one of them is not there, nothing is made.
class Joined final : public Rule {
 public:
  enum class How { concat, key, id };
  Joined(How how, std::string separator, std::vector<RulePtr> parts)
      : how_{how}, separator_{std::move(separator)}, parts_{std::move(parts)} {}

 private:
  Outcome make(const Scope& scope) const override {
    std::vector<std::string> texts;
    for (const RulePtr& part : parts_) {
      TRY_ASSIGN(std::optional<std::string> text, text_made(*part, scope));
      if (!text) return std::nullopt;
      texts.push_back(how_ == How::key ? key_part(*text) : *std::move(text));
    }
    if (how_ == How::id) return made(*this, scope, name_id(texts));
    std::string joined;
    for (std::size_t i = 0; i < texts.size(); ++i)
      joined += (i == 0 ? std::string{} : separator_) + texts[i];
    return made(*this, scope, std::move(joined));
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    for (const RulePtr& part : parts_) part->cover(scope, coverage);
  }

  const How how_;
  const std::string separator_;
  const std::vector<RulePtr> parts_;
};

// --- from their texts ---

Result<RulePtr> argument(Compiler& compiler, const Value& text, std::string_view name,
                         const std::string& place) {
  return compiler.rule(*text.find(name), place + "." + std::string{name});
}

Result<RulePtr> build_text(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(RulePtr value, argument(compiler, text, "$text", place));
  TRY_ASSIGN(const bool trim, compiler.flag(text, "trim", place));
  TRY_ASSIGN(const std::string letters, compiler.word(text, "case", place));
  if (!letters.empty() && letters != "upper" && letters != "lower")
    return wrong(place + ".case", "is \"upper\" or \"lower\"");
  const Case how = letters.empty()      ? Case::as_it_is
                   : letters == "upper" ? Case::upper
                                        : Case::lower;
  return std::make_unique<TextOf>(std::move(value), trim, how);
}

Result<RulePtr> build_lookup(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(RulePtr value, argument(compiler, text, "$lookup", place));
  TRY_ASSIGN(std::string name, compiler.word(text, "table", place));
  auto table = compiler.table(name);
  if (table == nullptr) return wrong(place + ".table", "is the name of one of the tables");
  return std::make_unique<Lookup>(std::move(value), std::move(name), std::move(table));
}

Result<RulePtr> build_split(Compiler& compiler, const Value& text, const std::string& place) {
  constexpr std::uint64_t parts_max = 1000;
  TRY_ASSIGN(RulePtr value, argument(compiler, text, "$split", place));
  TRY_ASSIGN(std::string by, compiler.word(text, "by", place));
  TRY_ASSIGN(const auto part, compiler.count(text, "part", parts_max, place));
  if (by.empty() || !part) return wrong(place, "has by, the separator, and part, from 0 on");
  return std::make_unique<Split>(std::move(value), std::move(by), *part);
}

Result<RulePtr> build_date(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(RulePtr value, argument(compiler, text, "$date", place));
  DateForm form;
  TRY_ASSIGN(form.pattern, compiler.word(text, "pattern", place));
  TRY_ASSIGN(const std::string offset, compiler.word(text, "offset", place));
  if (!offset.empty()) {
    auto minutes = offset_of(offset);
    if (!minutes) return wrong(place + ".offset", minutes.error().message);
    form.offset_minutes = *minutes;
  }
  TRY_ASSIGN(const std::string as, compiler.word(text, "as", place));
  if (!as.empty() && as != "time" && as != "date")
    return wrong(place + ".as", "is \"time\" or \"date\"");
  form.date_only = as == "date";
  if (const auto good = check_form(form); !good)
    return wrong(place + ".pattern", good.error().message);
  return std::make_unique<DateOf>(std::move(value), std::move(form));
}

Result<RulePtr> build_hash(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(RulePtr value, argument(compiler, text, "$hash", place));
  return std::make_unique<Hash>(std::move(value));
}

Result<RulePtr> build_concat(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(auto parts, compiler.rules(*text.find("$concat"), place + ".$concat"));
  TRY_ASSIGN(std::string separator, compiler.word(text, "separator", place));
  return std::make_unique<Joined>(Joined::How::concat, std::move(separator), std::move(parts));
}

Result<RulePtr> build_key(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(auto parts, compiler.rules(*text.find("$key"), place + ".$key"));
  return std::make_unique<Joined>(Joined::How::key, "/", std::move(parts));
}

Result<RulePtr> build_id(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(auto parts, compiler.rules(*text.find("$uuid"), place + ".$uuid"));
  return std::make_unique<Joined>(Joined::How::id, "", std::move(parts));
}

// "SO-{/number}-{line}": texts and paths in turn.
Result<RulePtr> build_format(Compiler& compiler, const Value& text, const std::string& place) {
  const std::string at = place + ".$format";
  const Value& form = *text.find("$format");
  if (!form.is(Type::string)) return wrong(at, "is a string such as \"SO-{/number}\"");
  std::string_view rest = form.text();
  Value parts = Value::array();
  std::string literal;
  while (!rest.empty()) {
    const char c = rest.front();
    if ((c == '{' || c == '}') && rest.size() > 1 && rest[1] == c) {
      literal += c;
      rest.remove_prefix(2);
    } else if (c == '{') {
      const std::size_t end = rest.find('}');
      if (end == std::string_view::npos) return wrong(at, "a '{' has no '}'; {{ stands for {");
      parts.items().push_back(Value::object({{"$const", Value::string(std::move(literal))}}));
      literal.clear();
      parts.items().push_back(Value::string(std::string{rest.substr(1, end - 1)}));
      rest.remove_prefix(end + 1);
    } else if (c == '}') {
      return wrong(at, "a '}' has no '{'; }} stands for }");
    } else {
      literal += c;
      rest.remove_prefix(1);
    }
  }
  parts.items().push_back(Value::object({{"$const", Value::string(std::move(literal))}}));
  TRY_ASSIGN(auto rules, compiler.rules(parts, at));
  return std::make_unique<Joined>(Joined::How::concat, "", std::move(rules));
}

}  // namespace

const std::vector<Operator>& text_operators() {
  static const std::vector<Operator> table = {
      {"$concat", {"separator"}, build_concat},
      {"$date", {"pattern", "offset", "as"}, build_date},
      {"$format", {}, build_format},
      {"$hash", {}, build_hash},
      {"$key", {}, build_key},
      {"$lookup", {"table"}, build_lookup},
      {"$split", {"by", "part"}, build_split},
      {"$text", {"trim", "case"}, build_text},
      {"$uuid", {}, build_id},
  };
  return table;
}

}  // namespace mainstay::integration::rules
