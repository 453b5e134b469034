#include "actors/adapters/file/xml.hpp"

#include <algorithm>
#include <sstream>

#include <pugixml.hpp>

namespace mainstay::adapters {

namespace {

using json::Type;
using json::Value;

constexpr std::size_t depth_max = json::depth_max - 2;

Result<void> load(pugi::xml_document& document, std::string_view text) {
  const pugi::xml_parse_result outcome =
      document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!outcome)
    return fail(Errc::invalid_argument, "not XML: " + std::string{outcome.description()} +
                                            " at byte " + std::to_string(outcome.offset));
  return {};
}

bool is_text(const pugi::xml_node& node) {
  return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
}

Result<Value> value_of(const pugi::xml_node& node, const XmlForm& form, std::size_t depth) {
  if (depth > depth_max)
    return fail(Errc::invalid_argument,
                "elements lie deeper than " + std::to_string(depth_max) + " levels");
  Value value = Value::object();
  std::string text;
  for (const pugi::xml_attribute& attribute : node.attributes())
    value.set("@" + std::string{attribute.name()}, Value::string(attribute.value()));
  for (const pugi::xml_node& child : node.children()) {
    if (is_text(child)) text += child.value();
    if (child.type() != pugi::node_element) continue;
    TRY_ASSIGN(Value inner, value_of(child, form, depth + 1));
    const std::string name = child.name();
    const bool listed =
        std::find(form.arrays.begin(), form.arrays.end(), name) != form.arrays.end();
    Value* before = value.find(name);
    if (before == nullptr) {
      value.set(name, listed ? Value::array({std::move(inner)}) : std::move(inner));
      continue;
    }
    if (!before->is(Type::array)) *before = Value::array({std::move(*before)});
    before->items().push_back(std::move(inner));
  }
  if (value.members().empty()) return Value::string(std::move(text));
  if (!text.empty()) value.set("#text", Value::string(std::move(text)));
  return value;
}

bool is_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9') || name[0] == '-' || name[0] == '.')
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ':';
  });
}

std::string text_of(const Value& value) {
  if (value.is(Type::null)) return "";
  return value.is(Type::boolean) ? json::to_text(value) : value.text();
}

Result<void> add(pugi::xml_node parent, const std::string& name, const Value& value) {
  if (value.is(Type::array)) {
    for (const Value& item : value.items()) {
      if (item.is(Type::array))
        return fail(Errc::invalid_argument, "XML has no arrays within arrays: " + name);
      TRY(add(parent, name, item));
    }
    return {};
  }
  const bool attribute = name.starts_with('@');
  if (!is_name(attribute ? std::string_view{name}.substr(1) : std::string_view{name}))
    return fail(Errc::invalid_argument, "'" + name + "' cannot be a name in XML");
  if (attribute) {
    if (value.is(Type::object))
      return fail(Errc::invalid_argument, "an attribute holds a text: " + name);
    parent.append_attribute(name.c_str() + 1).set_value(text_of(value).c_str());
    return {};
  }
  pugi::xml_node node = parent.append_child(name.c_str());
  if (!value.is(Type::object)) {
    const std::string text = text_of(value);
    if (!text.empty()) node.append_child(pugi::node_pcdata).set_value(text.c_str());
    return {};
  }
  for (const auto& [member, inner] : value.members()) {
    if (member == "#text" && !inner.is(Type::object) && !inner.is(Type::array))
      node.append_child(pugi::node_pcdata).set_value(text_of(inner).c_str());
    else
      TRY(add(node, member, inner));
  }
  return {};
}

}  // namespace

Result<Value> xml_to_json(std::string_view text, const XmlForm& form) {
  pugi::xml_document document;
  TRY(load(document, text));
  const pugi::xml_node root = document.document_element();
  TRY_ASSIGN(Value inner, value_of(root, form, 1));
  Value value = Value::object();
  value.set(root.name(), std::move(inner));
  return value;
}

Result<std::vector<std::string>> xml_elements(std::string_view text, std::string_view path) {
  pugi::xml_document document;
  TRY(load(document, text));
  std::vector<pugi::xml_node> level{document};
  while (!path.empty()) {
    const std::string name{path.substr(0, path.find('/'))};
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    std::vector<pugi::xml_node> below;
    for (const pugi::xml_node& node : level)
      for (const pugi::xml_node& child : node.children(name.c_str())) below.push_back(child);
    level = std::move(below);
  }
  std::vector<std::string> elements;
  for (const pugi::xml_node& node : level) {
    std::ostringstream out;
    node.print(out, "", pugi::format_raw);
    elements.push_back(out.str());
  }
  return elements;
}

Result<std::string> json_to_xml(const Value& value, std::string_view root) {
  pugi::xml_document document;
  const bool has_root = value.is(Type::object) && value.members().size() == 1 &&
                        !value.members()[0].second.is(Type::array) &&
                        !value.members()[0].first.starts_with('@') &&
                        value.members()[0].first != "#text";
  if (has_root)
    TRY(add(document, value.members()[0].first, value.members()[0].second));
  else if (value.is(Type::array))
    return fail(Errc::invalid_argument, "an array has no form in XML: put it into an object");
  else
    TRY(add(document, std::string{root}, value));
  std::ostringstream out;
  document.save(out, " ", pugi::format_indent, pugi::encoding_utf8);
  return out.str();
}

}  // namespace mainstay::adapters
