#include "runtime/integration/edi/segments.hpp"

#include <algorithm>

namespace mainstay::edi {

namespace {

constexpr std::size_t isa_bytes = 106;  // fixed, with the terminator
constexpr std::size_t una_bytes = 9;
constexpr std::size_t segments_max = 2'000'000;

bool is_space(char c) {
  return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}
bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

Failure wrong(std::size_t byte, const std::string& what) {
  return fail(Errc::invalid_argument, what + " at byte " + std::to_string(byte));
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

bool are_distinct(const Delimiters& d) {
  std::string all{d.element, d.component, d.segment};
  if (d.repetition != '\0') all += d.repetition;
  if (d.release != '\0') all += d.release;
  std::sort(all.begin(), all.end());
  return std::adjacent_find(all.begin(), all.end()) == all.end() &&
         std::none_of(all.begin(), all.end(), is_alnum);
}

Result<Delimiters> delimiters_of_isa(std::string_view text, std::size_t at) {
  if (text.size() - at < isa_bytes)
    return wrong(
        at, "an ISA segment has " + std::to_string(isa_bytes) + " bytes, and the text ends before");
  Delimiters d{text[at + 3], text[at + 104], text[at + 82], '\0', text[at + 105]};
  // Before version 00402 ISA11 says who agreed the standard, 'U'.
  if (is_alnum(d.repetition) || d.repetition == ' ') d.repetition = '\0';
  if (!are_distinct(d)) return wrong(at, "the ISA segment has delimiters that are no delimiters");
  if (std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                 text.begin() + static_cast<std::ptrdiff_t>(at + isa_bytes), d.element) != 16)
    return wrong(at, "the ISA segment has not 16 elements of fixed size");
  return d;
}

Result<Delimiters> delimiters_of_una(std::string_view text, std::size_t at) {
  if (text.size() - at < una_bytes) return wrong(at, "the UNA segment is not whole");
  Delimiters d{text[at + 4], text[at + 3], text[at + 7], text[at + 6], text[at + 8]};
  if (d.release == ' ') d.release = '\0';
  if (d.repetition == ' ') d.repetition = '\0';
  if (!are_distinct(d)) return wrong(at, "the UNA segment has delimiters that are no delimiters");
  return d;
}

class Reader {
 public:
  Reader(std::string_view text, const Delimiters& delimiters) : text_{text}, d_{delimiters} {}

  // The segment that begins at `at`.
  Result<Segment> read(std::size_t at, std::size_t number) {
    Segment segment;
    segment.number = number;
    segment.begin = at;
    std::string current;
    Components components;
    Element element;
    bool tag = true;
    const auto end_component = [&] {
      components.push_back(std::move(current));
      current.clear();
    };
    const auto end_repeat = [&] {
      end_component();
      while (components.size() > 1 && components.back().empty()) components.pop_back();
      element.repeats.push_back(std::move(components));
      components.clear();
    };
    const auto end_element = [&] {
      end_repeat();
      if (tag)
        segment.tag = element.text();
      else
        segment.elements.push_back(std::move(element));
      element = {};
      tag = false;
    };
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (c == d_.segment) {
        end_element();
        while (!segment.elements.empty() && segment.elements.back().is_empty())
          segment.elements.pop_back();
        segment.end = at + 1;
        return checked(std::move(segment));
      }
      if (d_.release != '\0' && c == d_.release) {
        if (++at == text_.size()) break;
        current += text_[at];
      } else if (c == d_.element) {
        end_element();
      } else if (segment.tag == "ISA") {
        current += c;  // its elements have no parts: ISA11 and ISA16 are the delimiters themselves
      } else if (c == d_.component) {
        end_component();
      } else if (d_.repetition != '\0' && c == d_.repetition) {
        end_repeat();
      } else if (c != '\n' && c != '\r') {
        current += c;
      }
    }
    return wrong(segment.begin, "a segment does not end");
  }

 private:
  static Result<Segment> checked(Segment segment) {
    if (segment.tag.size() < 2 || segment.tag.size() > 3 ||
        !std::all_of(segment.tag.begin(), segment.tag.end(), is_alnum))
      return wrong(segment.begin, "expected the tag of a segment");
    return segment;
  }

  const std::string_view text_;
  const Delimiters d_;
};

Result<std::size_t> append(std::string& out, std::string_view text, const Delimiters& d) {
  for (const char c : text) {
    const bool special = c == d.element || c == d.component || c == d.segment ||
                         (d.repetition != '\0' && c == d.repetition) ||
                         (d.release != '\0' && c == d.release);
    if (static_cast<unsigned char>(c) < 0x20 || (special && d.release == '\0'))
      return fail(Errc::invalid_argument, "'" + std::string{text} +
                                              "' holds a character that cannot be sent: it is a "
                                              "delimiter or a control character");
    if (special) out += d.release;
    out += c;
  }
  return text.size();
}

}  // namespace

Delimiters usual_delimiters(Standard standard) {
  return standard == Standard::x12 ? Delimiters{'*', '>', '^', '\0', '~'}
                                   : Delimiters{'+', ':', '\0', '?', '\''};
}

bool Element::is_empty() const {
  return std::all_of(repeats.begin(), repeats.end(), [](const Components& components) {
    return std::all_of(components.begin(), components.end(),
                       [](const std::string& each) { return each.empty(); });
  });
}

std::string Element::text() const {
  return repeats.empty() || repeats[0].empty() ? std::string{} : repeats[0][0];
}

const Element* Segment::at(std::size_t position) const {
  return position >= 1 && position <= elements.size() ? &elements[position - 1] : nullptr;
}

std::string Segment::text(std::size_t position) const {
  const Element* element = at(position);
  return element == nullptr ? std::string{} : element->text();
}

std::string place_of(const Segment& segment) {
  return "segment " + std::to_string(segment.number) + " (" + segment.tag + ") at byte " +
         std::to_string(segment.begin);
}

Result<std::vector<Segments>> read_segments(std::string_view text) {
  std::vector<Segments> all;
  std::size_t number = 0;
  std::size_t at = skip_space(text, 0);
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("ISA")) {
      TRY_ASSIGN(const Delimiters d, delimiters_of_isa(text, at));
      all.push_back({Standard::x12, d, {}});
    } else if (rest.starts_with("UNA")) {
      TRY_ASSIGN(const Delimiters d, delimiters_of_una(text, at));
      all.push_back({Standard::edifact, d, {}});
      at = skip_space(text, at + una_bytes);
      if (!text.substr(at).starts_with("UNB")) return wrong(at, "expected UNB behind UNA");
    } else if (rest.starts_with("UNB")) {
      all.push_back({Standard::edifact, usual_delimiters(Standard::edifact), {}});
    } else if (all.empty()) {
      return wrong(at, "expected ISA, UNA or UNB");
    }
    Segments& current = all.back();
    TRY_ASSIGN(Segment segment, Reader(text, current.delimiters).read(at, ++number));
    if (number > segments_max)
      return wrong(at, "more than " + std::to_string(segments_max) + " segments");
    at = skip_space(text, segment.end);
    current.all.push_back(std::move(segment));
  }
  if (all.empty()) return fail(Errc::invalid_argument, "the text is empty: expected ISA or UNB");
  return all;
}

Result<std::string> write_segment(const Segment& segment, const Delimiters& delimiters) {
  std::string out = segment.tag;
  std::size_t size = segment.elements.size();
  while (size > 0 && segment.elements[size - 1].is_empty()) --size;
  for (std::size_t i = 0; i < size; ++i) {
    out += delimiters.element;
    const auto& repeats = segment.elements[i].repeats;
    for (std::size_t r = 0; r < repeats.size(); ++r) {
      if (r > 0 && delimiters.repetition == '\0')
        return fail(Errc::invalid_argument,
                    segment.tag + ": an element repeats, and there is no repetition separator");
      if (r > 0) out += delimiters.repetition;
      std::size_t parts = repeats[r].size();
      while (parts > 0 && repeats[r][parts - 1].empty()) --parts;
      for (std::size_t p = 0; p < parts; ++p) {
        if (p > 0) out += delimiters.component;
        TRY_ASSIGN(const std::size_t unused, append(out, repeats[r][p], delimiters));
        static_cast<void>(unused);
      }
    }
  }
  return out + delimiters.segment;
}

}  // namespace mainstay::edi
