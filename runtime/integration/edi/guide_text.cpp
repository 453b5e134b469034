// The text of guides.
#include <algorithm>
#include <set>

#include "runtime/integration/edi/guide.hpp"

namespace mainstay::edi {

namespace {

constexpr std::size_t depth_max = 8;  // of loops

struct Line {
  std::size_t number = 0;
  std::size_t depth = 0;
  std::vector<std::string> words;
};

Failure wrong(const Line& line, const std::string& what) {
  return fail(Errc::invalid_argument, "line " + std::to_string(line.number) + ": " + what);
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos || line[first] == '#') continue;
    const bool goes_on = !lines.empty() && lines.back().words.back() == "\\";
    if (goes_on) lines.back().words.pop_back();
    if (!goes_on) lines.push_back({number, first / 2, {}});
    std::string word;
    for (const char c : std::string{line.substr(first)} + " ") {
      if (c != ' ' && c != '\r') {
        word += c;
      } else if (!word.empty()) {
        lines.back().words.push_back(std::move(word));
        word.clear();
      }
    }
  }
  return lines;
}

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<std::vector<std::string>> parts_of(const Line& line, std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::string part{text.substr(0, text.find(','))};
    if (part != "-" && !is_name(part)) return wrong(line, "'" + part + "' is no name of a part");
    parts.push_back(part);
    if (part.size() == text.size()) return parts;
    text.remove_prefix(part.size() + 1);
  }
}

Result<ElementRule> element_of(const Line& line, std::string word) {
  ElementRule rule;
  if (word == "-") {
    rule.kind = ElementRule::Kind::unused;
    return rule;
  }
  rule.required = word.ends_with('!');
  if (rule.required) word.pop_back();
  const std::size_t open = word.find_first_of("([");
  rule.name = word.substr(0, open);
  if (open != std::string::npos) {
    const bool rest = word[open] == '[';
    if (word.back() != (rest ? ']' : ')')) return wrong(line, "'" + word + "' is not closed");
    TRY_ASSIGN(rule.parts,
               parts_of(line, std::string_view{word}.substr(open + 1, word.size() - open - 2)));
    rule.kind = rest                ? ElementRule::Kind::rest
                : rule.name.empty() ? ElementRule::Kind::inlined
                                    : ElementRule::Kind::composite;
  }
  if (rule.kind != ElementRule::Kind::inlined && !is_name(rule.name))
    return wrong(line, "'" + word + "' is no name of an element");
  return rule;
}

Result<SegmentRule> segment_of(const Line& line) {
  SegmentRule rule;
  if (line.words.size() < 2) return wrong(line, "expected a segment and its name");
  rule.tag = line.words[0];
  const char often = rule.tag.back();
  rule.tag.pop_back();
  if (std::string_view{"!?*+"}.find(often) == std::string_view::npos || rule.tag.size() < 2)
    return wrong(line, "expected a tag with !, ?, * or + behind it, not " + line.words[0]);
  rule.required = often == '!' || often == '+';
  rule.many = often == '*' || often == '+';
  rule.name = line.words[1];
  if (!is_name(rule.name)) return wrong(line, "'" + rule.name + "' is no name of a member");
  for (std::size_t i = 2; i < line.words.size(); ++i) {
    TRY_ASSIGN(ElementRule element, element_of(line, line.words[i]));
    if (element.kind == ElementRule::Kind::rest && i + 1 != line.words.size())
      return wrong(line, "[...] must be the last element");
    rule.elements.push_back(std::move(element));
  }
  return rule;
}

// Every member of one object has its own name, every segment its own tag.
Result<void> check_names(const Line& line, const SegmentRule& rule) {
  std::set<std::string> names;
  const auto add = [&](const std::string& name) {
    return name == "-" || (names.insert(name).second && name != "unexpected" && name != "envelope");
  };
  for (const ElementRule& element : rule.elements) {
    if (element.kind == ElementRule::Kind::unused) continue;
    if (element.kind != ElementRule::Kind::inlined && !add(element.name))
      return wrong(line, "the name '" + element.name + "' is taken");
    if (element.kind != ElementRule::Kind::inlined) continue;
    for (const std::string& part : element.parts)
      if (!add(part)) return wrong(line, "the name '" + part + "' is taken");
  }
  std::set<std::string> tags;
  for (const SegmentRule& inner : rule.inner) {
    if (!add(inner.name)) return wrong(line, "the name '" + inner.name + "' is taken");
    if (!tags.insert(inner.tag).second)
      return wrong(line, "the segment " + inner.tag + " stands twice in one loop");
  }
  return {};
}

Result<std::vector<SegmentRule>> block(const std::vector<Line>& lines, std::size_t& at,
                                       std::size_t depth) {
  std::vector<SegmentRule> rules;
  while (at < lines.size() && lines[at].words[0] != "set" && lines[at].depth >= depth) {
    const Line& line = lines[at];
    if (line.depth > depth || depth > depth_max)
      return wrong(line, "is indented more than one step");
    TRY_ASSIGN(SegmentRule rule, segment_of(line));
    ++at;
    TRY_ASSIGN(rule.inner, block(lines, at, depth + 1));
    TRY(check_names(line, rule));
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

Result<std::vector<Guide>> parse_guides(std::string_view text) {
  const std::vector<Line> lines = lines_of(text);
  std::vector<Guide> guides;
  for (std::size_t at = 0; at < lines.size();) {
    const Line& line = lines[at];
    if (line.words[0] != "set" || line.depth != 0 || line.words.size() != 5 ||
        (line.words[1] != "x12" && line.words[1] != "edifact"))
      return wrong(line, "expected: set x12|edifact <set> <group or -> <pointer to the number>");
    Guide guide;
    guide.standard = line.words[1] == "x12" ? Standard::x12 : Standard::edifact;
    guide.set = line.words[2];
    guide.group = line.words[3] == "-" ? "" : line.words[3];
    guide.number = line.words[4];
    if (!json::check_pointer(guide.number)) return wrong(line, "the last word is no JSON pointer");
    ++at;
    TRY_ASSIGN(guide.segments, block(lines, at, 0));
    SegmentRule whole;
    whole.inner = guide.segments;
    TRY(check_names(line, whole));
    guides.push_back(std::move(guide));
  }
  return guides;
}

const std::vector<Guide>& usual_guides() {
  static const std::vector<Guide> guides = [] {
    auto x12 = parse_guides(usual_x12_guides());
    auto edifact = parse_guides(usual_edifact_guides());
    ASSERT_MSG(x12 && edifact, "the guides that come with Mainstay are guides");
    x12->insert(x12->end(), edifact->begin(), edifact->end());
    return std::move(*x12);
  }();
  return guides;
}

}  // namespace mainstay::edi
