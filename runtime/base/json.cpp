#include "runtime/base/json.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <unordered_map>

#include <boost/json/basic_parser_impl.hpp>

namespace mainstay::json {

namespace {

// Objects this small are searched for a repeated name pair by pair, larger ones are sorted.
constexpr std::size_t few_members = 16;

const std::string* repeated_name(const Object& members) {
  if (members.size() <= few_members) {
    for (std::size_t i = 1; i < members.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (members[i].first == members[j].first) return &members[i].first;
    return nullptr;
  }
  std::vector<const std::string*> names;
  names.reserve(members.size());
  for (const Member& member : members) names.push_back(&member.first);
  const auto less = [](const std::string* a, const std::string* b) { return *a < *b; };
  std::sort(names.begin(), names.end(), less);
  const auto same = [](const std::string* a, const std::string* b) { return *a == *b; };
  const auto at = std::adjacent_find(names.begin(), names.end(), same);
  return at == names.end() ? nullptr : *at;
}

// Takes the parser's events and builds the value. The parser counts the depth.
class Builder {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return open(Value::object()); }
  bool on_object_end(std::size_t, Code& code) {
    const std::string* name = repeated_name(open_.back().value.members());
    if (name != nullptr) {
      repeated_ = "the name '" + *name + "' stands twice in one object";
      code = boost::json::error::incomplete;  // any: stops the parser
      return false;
    }
    return close();
  }
  bool on_array_begin(Code&) { return open(Value::array()); }
  bool on_array_end(std::size_t, Code&) { return close(); }
  bool on_key_part(Text part, std::size_t, Code&) { return more(part); }
  bool on_key(Text part, std::size_t, Code&) {
    more(part);
    open_.back().name = std::move(text_);
    text_.clear();
    return true;
  }
  bool on_string_part(Text part, std::size_t, Code&) { return more(part); }
  bool on_string(Text part, std::size_t, Code&) {
    more(part);
    return add(Value::string(taken()));
  }
  bool on_number_part(Text part, Code&) { return more(part); }
  bool on_int64(std::int64_t, Text part, Code&) { return number(part); }
  bool on_uint64(std::uint64_t, Text part, Code&) { return number(part); }
  bool on_double(double, Text part, Code&) { return number(part); }
  bool on_bool(bool value, Code&) { return add(Value::boolean(value)); }
  bool on_null(Code&) { return add(Value{}); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  Value take() { return std::move(root_); }
  const std::string& repeated() const { return repeated_; }

 private:
  struct Open {
    Value value;
    std::string name;  // of the member that comes next
  };

  bool more(Text part) {
    text_.append(part.data(), part.size());
    return true;
  }
  std::string taken() {
    std::string text = std::move(text_);
    text_.clear();
    return text;
  }
  bool number(Text part) {
    more(part);
    return add(Value::number(taken()));
  }
  bool open(Value value) {
    open_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    Value value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }
  bool add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Open& parent = open_.back();
    if (parent.value.is(Type::array))
      parent.value.items().push_back(std::move(value));
    else
      parent.value.members().emplace_back(std::move(parent.name), std::move(value));
    return true;
  }

  std::vector<Open> open_;
  std::string text_;
  Value root_;
  std::string repeated_;
};

// The next step of a pointer, unescaped; `rest` starts with '/' and loses the step.
std::string next_step(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('/', 1), rest.size());
  std::string step;
  for (std::size_t at = 1; at < end; ++at) {
    if (rest[at] == '~' && at + 1 < end) {
      ++at;
      step += rest[at] == '1' ? '/' : '~';
    } else {
      step += rest[at];
    }
  }
  rest.remove_prefix(end);
  return step;
}

const Value* item_at(const Array& items, const std::string& step) {
  if (step.empty() || (step.size() > 1 && step.front() == '0')) return nullptr;
  std::size_t index = 0;
  const char* end = step.data() + step.size();
  const auto [rest, error] = std::from_chars(step.data(), end, index);
  const bool good = error == std::errc{} && rest == end && index < items.size();
  return good ? &items[index] : nullptr;
}

// Shortest text of a number: plain while that is short, else digits with an exponent.
void append_canonical_number(std::string& out, std::string_view text) {
  constexpr std::int64_t plain_max = 40;
  const Number number = number_of(text);
  if (number.is_zero()) {
    out += '0';
    return;
  }
  const auto count = static_cast<std::int64_t>(number.digits.size());
  const auto zeros = [&](std::int64_t n) { out.append(static_cast<std::size_t>(n), '0'); };
  if (number.negative) out += '-';
  if (number.point > plain_max || number.point < -plain_max) {
    out += number.digits + "e" + std::to_string(number.point - count);
  } else if (number.point <= 0) {
    out += "0.";
    zeros(-number.point);
    out += number.digits;
  } else if (number.point >= count) {
    out += number.digits;
    zeros(number.point - count);
  } else {
    const auto whole = static_cast<std::size_t>(number.point);
    out.append(number.digits, 0, whole);
    out += '.';
    out.append(number.digits, whole);
  }
}

void append_scalar(std::string& out, const Value& value) {
  switch (value.type()) {
    case Type::null:
      out += "null";
      return;
    case Type::boolean:
      out += value.as_boolean() ? "true" : "false";
      return;
    case Type::number:
      out += value.text();
      return;
    default:
      append_string(out, value.text());
      return;
  }
}

void append_canonical(std::string& out, const Value& value) {
  if (value.is(Type::number)) return append_canonical_number(out, value.text());
  if (value.is(Type::array)) {
    out += '[';
    for (std::size_t i = 0; i < value.items().size(); ++i) {
      if (i != 0) out += ',';
      append_canonical(out, value.items()[i]);
    }
    out += ']';
    return;
  }
  if (!value.is(Type::object)) return append_scalar(out, value);
  std::vector<const Member*> members;
  members.reserve(value.members().size());
  for (const Member& member : value.members()) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const Member* a, const Member* b) { return a->first < b->first; });
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i != 0) out += ',';
    append_string(out, members[i]->first);
    out += ':';
    append_canonical(out, members[i]->second);
  }
  out += '}';
}

bool same_members(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  if (a.size() > few_members) {
    // Both sorted, so that large objects stay cheap to compare.
    std::vector<const Member*> left;
    std::vector<const Member*> right;
    for (const Member& member : a) left.push_back(&member);
    for (const Member& member : b) right.push_back(&member);
    const auto less = [](const Member* x, const Member* y) { return x->first < y->first; };
    std::sort(left.begin(), left.end(), less);
    std::sort(right.begin(), right.end(), less);
    return std::equal(left.begin(), left.end(), right.begin(),
                      [](const Member* x, const Member* y) { return *x == *y; });
  }
  return std::all_of(a.begin(), a.end(), [&](const Member& member) {
    const auto at = std::find_if(b.begin(), b.end(),
                                 [&](const Member& other) { return other.first == member.first; });
    return at != b.end() && at->second == member.second;
  });
}

}  // namespace

std::string_view to_string(Type type) {
  constexpr std::string_view names[] = {"null", "boolean", "number", "string", "array", "object"};
  return names[static_cast<std::size_t>(type)];
}

// --- Value ---

Value Value::boolean(bool value) {
  Value result;
  result.type_ = Type::boolean;
  result.boolean_ = value;
  return result;
}

Value Value::number(std::string text) {
  Value result;
  result.type_ = Type::number;
  result.text_ = std::move(text);
  return result;
}

Value Value::string(std::string text) {
  Value result;
  result.type_ = Type::string;
  result.text_ = std::move(text);
  return result;
}

Value Value::array(Array items) {
  Value result;
  result.type_ = Type::array;
  result.items_ = std::move(items);
  return result;
}

Value Value::object(Object members) {
  Value result;
  result.type_ = Type::object;
  result.members_ = std::move(members);
  return result;
}

bool Value::as_boolean() const {
  ASSERT(type_ == Type::boolean);
  return boolean_;
}
const std::string& Value::text() const {
  ASSERT(type_ == Type::string || type_ == Type::number);
  return text_;
}
const Array& Value::items() const {
  ASSERT(type_ == Type::array);
  return items_;
}
Array& Value::items() {
  ASSERT(type_ == Type::array);
  return items_;
}
const Object& Value::members() const {
  ASSERT(type_ == Type::object);
  return members_;
}
Object& Value::members() {
  ASSERT(type_ == Type::object);
  return members_;
}

const Value* Value::find(std::string_view name) const {
  if (type_ != Type::object) return nullptr;
  for (const Member& member : members_)
    if (member.first == name) return &member.second;
  return nullptr;
}

Value* Value::find(std::string_view name) {
  return const_cast<Value*>(std::as_const(*this).find(name));
}

void Value::set(std::string name, Value value) {
  ASSERT(type_ == Type::object);
  if (Value* old = find(name); old != nullptr)
    *old = std::move(value);
  else
    members_.emplace_back(std::move(name), std::move(value));
}

bool Value::erase(std::string_view name) {
  ASSERT(type_ == Type::object);
  const auto at = std::find_if(members_.begin(), members_.end(),
                               [&](const Member& member) { return member.first == name; });
  if (at == members_.end()) return false;
  members_.erase(at);
  return true;
}

bool Value::operator==(const Value& other) const {
  if (type_ != other.type_) return false;
  switch (type_) {
    case Type::null:
      return true;
    case Type::boolean:
      return boolean_ == other.boolean_;
    case Type::number:
      return text_ == other.text_ || number_of(text_) == number_of(other.text_);
    case Type::string:
      return text_ == other.text_;
    case Type::array:
      return items_ == other.items_;
    case Type::object:
      return same_members(members_, other.members_);
  }
  UNREACHABLE();
}

// --- texts ---

Result<Value> parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::basic_parser<Builder> parser{options};
  boost::json::error_code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (!code && used == text.size()) return parser.handler().take();
  const std::string& repeated = parser.handler().repeated();
  std::string what = "more follows the value";
  if (!repeated.empty())
    what = repeated;
  else if (code == boost::json::error::too_deep)
    what = "nested deeper than " + std::to_string(depth_max);
  else if (code)
    what = code.message();
  return fail(Errc::invalid_argument, "not JSON: " + what + " at byte " + std::to_string(used));
}

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 0xf];
    }
  }
  out += '"';
}

void append_text(std::string& out, const Value& value) {
  if (value.is(Type::array)) {
    out += '[';
    for (std::size_t i = 0; i < value.items().size(); ++i) {
      if (i != 0) out += ',';
      append_text(out, value.items()[i]);
    }
    out += ']';
  } else if (value.is(Type::object)) {
    out += '{';
    for (std::size_t i = 0; i < value.members().size(); ++i) {
      if (i != 0) out += ',';
      append_string(out, value.members()[i].first);
      out += ':';
      append_text(out, value.members()[i].second);
    }
    out += '}';
  } else {
    append_scalar(out, value);
  }
}

std::string to_text(const Value& value) {
  std::string out;
  append_text(out, value);
  return out;
}

std::string canonical_text(const Value& value) {
  std::string out;
  append_canonical(out, value);
  return out;
}

// --- numbers ---

bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t start = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - start;
  };
  const bool zero = at < text.size() && text[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

Number number_of(std::string_view text) {
  ASSERT_MSG(is_number(text), "a JSON number");
  constexpr std::int64_t exponent_max = 1'000'000'000'000'000;
  Number number;
  number.negative = text.front() == '-';
  if (number.negative) text.remove_prefix(1);
  std::int64_t exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    const bool down = text[e + 1] == '-';
    for (const char c : text.substr(e + 1))
      if (c >= '0' && c <= '9') exponent = std::min(exponent * 10 + (c - '0'), exponent_max);
    if (down) exponent = -exponent;
    text = text.substr(0, e);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  number.digits = text.substr(0, point);
  if (point < text.size()) number.digits += text.substr(point + 1);
  number.point = static_cast<std::int64_t>(point) + exponent;
  const std::size_t first = std::min(number.digits.find_first_not_of('0'), number.digits.size());
  number.digits.erase(0, first);
  number.point -= static_cast<std::int64_t>(first);
  while (number.digits.ends_with('0')) number.digits.pop_back();
  if (number.digits.empty()) return {};
  return number;
}

std::strong_ordering operator<=>(const Number& a, const Number& b) {
  const auto sign = [](const Number& n) { return n.is_zero() ? 0 : n.negative ? -1 : 1; };
  if (sign(a) != sign(b) || a.is_zero()) return sign(a) <=> sign(b);
  auto size = a.point <=> b.point;
  if (size == 0) size = a.digits.compare(b.digits) <=> 0;
  if (size == 0 || !a.negative) return size;
  return size < 0 ? std::strong_ordering::greater : std::strong_ordering::less;
}

// --- pointers and patches ---

Result<void> check_pointer(std::string_view pointer) {
  if (!pointer.empty() && pointer.front() != '/')
    return fail(Errc::invalid_argument, "a JSON pointer is empty or starts with '/'");
  for (std::size_t at = 0; at < pointer.size(); ++at) {
    if (pointer[at] != '~') continue;
    const char next = at + 1 < pointer.size() ? pointer[at + 1] : '\0';
    if (next != '0' && next != '1')
      return fail(Errc::invalid_argument, "in a JSON pointer '~' is written ~0, and '/' is ~1");
  }
  return {};
}

const Value* find(const Value& root, std::string_view pointer) {
  const Value* at = &root;
  while (!pointer.empty() && at != nullptr) {
    if (pointer.front() != '/') return nullptr;
    const std::string step = next_step(pointer);
    at = at->is(Type::array) ? item_at(at->items(), step) : at->find(step);
  }
  return at;
}

// Linear in the sizes of both: a large patch of a large object must not hold up who applies it.
void merge(Value& target, const Value& patch) {
  if (!patch.is(Type::object)) {
    target = patch;
    return;
  }
  if (!target.is(Type::object)) target = Value::object();
  Object& members = target.members();
  std::unordered_map<std::string_view, std::size_t> places;  // of large patches only
  const bool is_large = patch.members().size() > few_members;
  const std::size_t before = members.size();
  if (is_large)
    for (std::size_t i = 0; i < before; ++i) places.emplace(members[i].first, i);
  const auto place_of = [&](std::string_view name) {
    if (!is_large) {
      const auto at = std::find_if(members.begin(), members.end(),
                                   [&](const Member& member) { return member.first == name; });
      return static_cast<std::size_t>(at - members.begin());
    }
    const auto at = places.find(name);
    return at == places.end() ? members.size() : at->second;
  };
  std::vector<std::size_t> erased;
  Object added;  // apart, so that no name moves while it is looked up
  for (const auto& [name, change] : patch.members()) {
    const std::size_t at = place_of(name);
    if (change.is(Type::null)) {
      if (at < before) erased.push_back(at);
    } else if (at < before) {
      merge(members[at].second, change);
    } else {
      Value fresh;
      merge(fresh, change);
      added.emplace_back(name, std::move(fresh));
    }
  }
  std::sort(erased.begin(), erased.end());
  std::size_t kept = 0;
  for (std::size_t i = 0, next = 0; i < before; ++i) {
    if (next < erased.size() && erased[next] == i) {
      ++next;
      continue;
    }
    if (kept != i) members[kept] = std::move(members[i]);
    ++kept;
  }
  members.erase(members.begin() + static_cast<std::ptrdiff_t>(kept), members.end());
  std::move(added.begin(), added.end(), std::back_inserter(members));
}

}  // namespace mainstay::json
