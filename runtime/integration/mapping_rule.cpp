#include "runtime/integration/mapping_rule.hpp"

#include <algorithm>
#include <charconv>

namespace mainstay::integration::rules {

namespace {

using json::Type;

std::string escaped(std::string_view name) {
  std::string step;
  for (const char c : name) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

// How many members a look at them may cost nothing for.
constexpr std::size_t members_a_step = 16;

bool search(const Value& at, const Value* wanted, std::string& pointer) {
  if (&at == wanted) return true;
  const std::size_t length = pointer.size();
  if (at.is(Type::array)) {
    for (std::size_t i = 0; i < at.items().size(); ++i) {
      pointer += "/" + std::to_string(i);
      if (search(at.items()[i], wanted, pointer)) return true;
      pointer.resize(length);
    }
  } else if (at.is(Type::object)) {
    for (const auto& [name, member] : at.members()) {
      pointer += "/" + escaped(name);
      if (search(member, wanted, pointer)) return true;
      pointer.resize(length);
    }
  }
  return false;
}

}  // namespace

std::string pointer_of(const Value& root, const Value* wanted) {
  std::string pointer;
  search(root, wanted, pointer);
  return pointer;
}

std::optional<std::string> text_of(const Value& value) {
  if (value.is(Type::string) || value.is(Type::number)) return value.text();
  if (value.is(Type::boolean)) return value.as_boolean() ? "true" : "false";
  return std::nullopt;
}

std::size_t bytes_of(const Value& value) {
  std::size_t bytes = 8;
  if (value.is(Type::string) || value.is(Type::number)) bytes += value.text().size();
  if (value.is(Type::array))
    for (const Value& item : value.items()) bytes += bytes_of(item);
  if (value.is(Type::object))
    for (const auto& [name, member] : value.members()) bytes += name.size() + bytes_of(member);
  return bytes;
}

std::vector<std::string> steps_of(std::string_view pointer) {
  std::vector<std::string> steps;
  for (std::size_t at = 0; at < pointer.size(); ++at) {
    if (pointer[at] == '/') {
      steps.emplace_back();
    } else if (pointer[at] == '~') {
      ++at;
      steps.back() += pointer[at] == '1' ? '/' : '~';
    } else {
      steps.back() += pointer[at];
    }
  }
  return steps;
}

// --- Rule ---

Outcome Rule::eval(const Scope& scope) const {
  if (scope.budget.steps == 0) return refuse(scope, "the document takes more steps than allowed");
  --scope.budget.steps;
  if (common_.when) {
    TRY_ASSIGN(const bool wanted, common_.when->holds(scope));
    if (!wanted) return std::nullopt;
  }
  TRY_ASSIGN(std::optional<Value> value, make(scope));
  if (value && value->is(Type::null) && !common_.keep_null) value.reset();
  if (!value && common_.fallback) return common_.fallback->eval(scope);
  if (!value && common_.required) return refuse(scope, "is required, and nothing is there");
  return value;
}

void Rule::cover(const Scope& scope, Coverage& coverage) const {
  if (!coverage.step() || scope.budget.steps == 0) return;
  if (common_.when) common_.when->cover(scope, coverage);
  cover_parts(scope, coverage);
  if (common_.fallback) common_.fallback->cover(scope, coverage);
}

std::string Rule::where(const Scope& scope) const {
  return pointer_of(scope.root, scope.item);
}

Failure Rule::refuse(const Scope& scope, std::string_view what) const {
  return fail(Errc::invalid_argument,
              "at '" + where(scope) + "': " + common_.place + ": " + std::string{what});
}

// --- Path ---

Result<Path> Path::parse(std::string_view text) {
  Path path;
  if (text.size() > limits::pointer_bytes_max)
    return fail(Errc::invalid_argument,
                "a path has at most " + std::to_string(limits::pointer_bytes_max) + " bytes");
  if (text == ".") return path;
  while (text.substr(0, 3) == "../") {
    ++path.up_;
    text.remove_prefix(3);
  }
  if (text == ".." || text == ".") {
    if (text == "..") ++path.up_;
    return path;
  }
  path.absolute_ = !text.empty() && text.front() == '/';
  if (text.empty() || text == "/" || (path.absolute_ && path.up_ > 0))
    return fail(Errc::invalid_argument,
                "a path is \"/a/b\" (from the document), \"a/b\" (from the item), \"../a\" (from "
                "the item around it) or \".\" (the item)");
  path.pointer_ = path.absolute_ ? std::string{text} : "/" + std::string{text};
  TRY(json::check_pointer(path.pointer_));
  for (std::string& name : steps_of(path.pointer_)) {
    Step step;
    const char* end = name.data() + name.size();
    std::size_t index = 0;
    const auto [rest, error] = std::from_chars(name.data(), end, index);
    const bool plain = name.size() == 1 || name.front() != '0';
    if (error == std::errc{} && rest == end && plain) step.index = index;
    step.name = std::move(name);
    path.steps_.push_back(std::move(step));
  }
  return path;
}

const Value* Path::find(const Scope& scope) const {
  const Scope* at = &scope;
  for (unsigned i = 0; i < up_; ++i) {
    at = at->outer;
    if (at == nullptr) return nullptr;
  }
  const Value* value = absolute_ ? &scope.root : at->item;
  for (const Step& step : steps_) {
    if (value == nullptr) return nullptr;
    if (value->is(Type::array)) {
      const bool there = step.index && *step.index < value->items().size();
      value = there ? &value->items()[*step.index] : nullptr;
      continue;
    }
    // Members are looked at one by one.
    if (value->is(Type::object)) scope.budget.spend(value->members().size() / members_a_step);
    value = value->find(step.name);
  }
  return value;
}

std::string Path::pointer(const Scope& scope) const {
  if (absolute_) return pointer_;
  const Scope* at = &scope;
  for (unsigned i = 0; i < up_ && at->outer != nullptr; ++i) at = at->outer;
  return pointer_of(scope.root, at->item) + pointer_;
}

Result<std::vector<const Value*>> EachPath::items(const Scope& scope) const {
  std::vector<const Value*> items;
  const Value* list = path.find(scope);
  if (list == nullptr || list->is(Type::null)) return items;
  if (list->is(Type::array)) {
    for (const Value& item : list->items()) items.push_back(&item);
    return items;
  }
  if (!single)
    return fail(Errc::invalid_argument,
                "at '" + path.pointer(scope) + "': is of type " +
                    std::string{json::to_string(list->type())} +
                    ", and not the array to go through; \"single\" takes it for an array of one");
  items.push_back(list);
  return items;
}

}  // namespace mainstay::integration::rules
