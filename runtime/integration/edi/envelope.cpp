#include "runtime/integration/edi/envelope.hpp"

#include <algorithm>

namespace mainstay::edi {

namespace {

Failure wrong(const Segment& segment, const std::string& what) {
  return fail(Errc::invalid_argument, place_of(segment) + ": " + what);
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

// As numbers, with or without zeros in front.
bool same_number(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view text) {
    while (text.size() > 1 && text.front() == '0') text.remove_prefix(1);
    return text;
  };
  return bare(a) == bare(b);
}

bool is_count(const std::string& text, std::size_t count) {
  return same_number(text, std::to_string(count));
}

std::string part(const Segment& segment, std::size_t element, std::size_t component) {
  const Element* found = segment.at(element);
  if (found == nullptr || found->repeats.empty() || found->repeats[0].size() <= component)
    return {};
  return found->repeats[0][component];
}

// The words of both standards.
struct Words {
  std::string_view interchange, interchange_end, group, group_end, transaction, transaction_end;
};
constexpr Words x12_words{"ISA", "IEA", "GS", "GE", "ST", "SE"};
constexpr Words edifact_words{"UNB", "UNZ", "UNG", "UNE", "UNH", "UNT"};

class InterchangeReader {
 public:
  explicit InterchangeReader(const Segments& segments)
      : words_{segments.standard == Standard::x12 ? x12_words : edifact_words},
        x12_{segments.standard == Standard::x12},
        all_{segments.all} {
    out_.standard = segments.standard;
    out_.delimiters = segments.delimiters;
  }

  Result<Interchange> read() {
    TRY(header());
    while (at_ < all_.size() && all_[at_].tag != words_.interchange_end) {
      if (all_[at_].tag == words_.group) {
        TRY(group());
      } else if (!x12_ && all_[at_].tag == words_.transaction) {
        if (out_.groups.empty() || out_.groups.back().end != out_.groups.back().begin)
          out_.groups.emplace_back();
        TRY(transaction(out_.groups.back()));
      } else {
        return wrong(all_[at_],
                     "expected " + std::string{x12_ ? words_.group : words_.transaction});
      }
    }
    if (at_ == all_.size())
      return wrong(all_.back(), std::string{words_.interchange_end} + " is missing behind it");
    TRY(trailer());
    if (at_ != all_.size()) return wrong(all_[at_], "expected the end of the interchange before");
    return std::move(out_);
  }

 private:
  Result<void> header() {
    const Segment& s = all_[at_++];
    if (s.tag != words_.interchange) return wrong(s, "expected " + std::string{words_.interchange});
    out_.begin = s.begin;
    out_.end = s.end;
    if (x12_) {
      out_.sender = {trimmed(s.text(5)), trimmed(s.text(6))};
      out_.receiver = {trimmed(s.text(7)), trimmed(s.text(8))};
      out_.date = s.text(9);
      out_.time = s.text(10);
      out_.control = s.text(13);
      out_.test = s.text(15) == "T";
    } else {
      out_.sender = {part(s, 2, 1), part(s, 2, 0)};
      out_.receiver = {part(s, 3, 1), part(s, 3, 0)};
      out_.date = part(s, 4, 0);
      out_.time = part(s, 4, 1);
      out_.control = s.text(5);
      out_.test = s.text(11) == "1";
    }
    if (out_.control.empty()) return wrong(s, "the control number is missing");
    return {};
  }

  Result<void> trailer() {
    const Segment& s = all_[at_++];
    std::size_t messages = 0;
    bool grouped = false;
    for (const Group& each : out_.groups) {
      messages += each.transactions.size();
      grouped = grouped || each.end != each.begin;
    }
    const std::size_t expected = x12_ || grouped ? out_.groups.size() : messages;
    if (!is_count(s.text(1), expected))
      return wrong(s, "counts " + s.text(1) + ", there are " + std::to_string(expected));
    if (!same_number(s.text(2), out_.control))
      return wrong(s,
                   "has the control number " + s.text(2) + ", the beginning has " + out_.control);
    return {};
  }

  Result<void> group() {
    const Segment& s = all_[at_++];
    Group& made = out_.groups.emplace_back();
    made.begin = s.begin;
    made.end = s.end;
    made.id = s.text(1);
    made.sender = s.text(2);
    made.receiver = s.text(3);
    made.control = s.text(x12_ ? 6 : 5);
    made.version = x12_ ? s.text(8) : "";
    while (at_ < all_.size() && all_[at_].tag == words_.transaction) TRY(transaction(made));
    if (at_ == all_.size())
      return wrong(all_.back(), std::string{words_.group_end} + " is missing behind it");
    const Segment& end = all_[at_];
    if (end.tag != words_.group_end) return wrong(end, "expected " + std::string{words_.group_end});
    ++at_;
    if (!is_count(end.text(1), made.transactions.size()))
      return wrong(
          end, "counts " + end.text(1) + ", there are " + std::to_string(made.transactions.size()));
    if (!same_number(end.text(2), made.control))
      return wrong(end,
                   "has the control number " + end.text(2) + ", the beginning has " + made.control);
    return {};
  }

  Result<void> transaction(Group& into) {
    const Segment& s = all_[at_++];
    Transaction& made = into.transactions.emplace_back();
    made.begin = s.begin;
    if (x12_) {
      made.set = s.text(1);
      made.control = s.text(2);
      made.version = s.text(3);
    } else {
      made.control = s.text(1);
      made.set = part(s, 2, 0);
      for (std::size_t i = 1; i < 4 && !part(s, 2, i).empty(); ++i)
        made.version += (i > 1 ? ":" : "") + part(s, 2, i);
    }
    while (at_ < all_.size() && all_[at_].tag != words_.transaction_end) {
      const Segment& each = all_[at_];
      if (each.tag == words_.interchange_end || each.tag == words_.group_end ||
          each.tag == words_.transaction)
        return wrong(each, "expected " + std::string{words_.transaction_end} + " before");
      made.segments.push_back(each);
      ++at_;
    }
    if (at_ == all_.size())
      return wrong(all_.back(), std::string{words_.transaction_end} + " is missing behind it");
    const Segment& end = all_[at_++];
    made.end = end.end;
    judge(made, s, end);
    return {};
  }

  static void judge(Transaction& made, const Segment& s, const Segment& end) {
    const std::size_t count = made.segments.size() + 2;
    if (made.set.empty())
      made.fault = {"6", place_of(s) + ": the set is missing"};
    else if (made.control.empty())
      made.fault = {"7", place_of(s) + ": the control number is missing"};
    else if (!same_number(end.text(2), made.control))
      made.fault = {"3", place_of(end) + ": has the control number " + end.text(2) +
                             ", the beginning has " + made.control};
    else if (!is_count(end.text(1), count))
      made.fault = {
          "4", place_of(end) + ": counts " + end.text(1) + ", there are " + std::to_string(count)};
  }

  const Words words_;
  const bool x12_;
  const std::vector<Segment>& all_;
  std::size_t at_ = 0;
  Interchange out_;
};

// --- writing ---

Segment segment_of(std::string tag, const std::vector<std::string>& texts) {
  Segment segment;
  segment.tag = std::move(tag);
  for (const std::string& text : texts) segment.elements.emplace_back(text);
  return segment;
}

Element composite(Components components) {
  Element element;
  element.repeats.push_back(std::move(components));
  return element;
}

std::string zeros(const std::string& digits, std::size_t size) {
  return digits.size() >= size ? digits : std::string(size - digits.size(), '0') + digits;
}

Result<std::string> padded(const std::string& text, std::size_t size, const char* what) {
  if (text.size() > size)
    return fail(Errc::invalid_argument, std::string{what} + " '" + text + "' has more than " +
                                            std::to_string(size) + " characters");
  return text + std::string(size - text.size(), ' ');
}

class Lines {
 public:
  explicit Lines(const Envelope& envelope) : envelope_{envelope} {}
  Result<void> add(const Segment& segment) {
    TRY_ASSIGN(const std::string line, write_segment(segment, envelope_.delimiters));
    raw(line);
    return {};
  }
  void raw(const std::string& line) {
    text_ += line;
    if (envelope_.line_breaks) text_ += '\n';
  }
  std::string take() { return std::move(text_); }

 private:
  const Envelope& envelope_;
  std::string text_;
};

// Its elements have fixed sizes, and two of them are delimiters.
Result<std::string> isa(const Envelope& e) {
  const char x = e.delimiters.element;
  TRY_ASSIGN(const std::string from_qualifier, padded(e.sender.qualifier, 2, "the qualifier"));
  TRY_ASSIGN(const std::string from, padded(e.sender.id, 15, "the sender"));
  TRY_ASSIGN(const std::string to_qualifier, padded(e.receiver.qualifier, 2, "the qualifier"));
  TRY_ASSIGN(const std::string to, padded(e.receiver.id, 15, "the receiver"));
  if (e.date.size() != 8 || e.time.size() != 4)
    return fail(Errc::invalid_argument, "expected a date of 8 and a time of 4 digits");
  const bool repeats = e.delimiters.repetition != '\0' && e.version >= "004020";
  const std::string version = e.version >= "004010" ? e.version.substr(0, 5) : "00401";
  std::string out = "ISA";
  for (const std::string& each :
       {std::string{"00"}, std::string(10, ' '), std::string{"00"}, std::string(10, ' '),
        from_qualifier, from, to_qualifier, to, e.date.substr(2), e.time,
        std::string(1, repeats ? e.delimiters.repetition : 'U'), version, zeros(e.control, 9),
        std::string{e.wants_acknowledgement ? "1" : "0"}, std::string{e.test ? "T" : "P"},
        std::string(1, e.delimiters.component)})
    (out += x) += each;
  return out + e.delimiters.segment;
}

Result<std::string> write_x12(const Envelope& e, const std::string& set,
                              const std::string& group_id, const std::vector<Segment>& segments) {
  Lines lines{e};
  TRY_ASSIGN(const std::string head, isa(e));
  lines.raw(head);
  const std::string group = std::to_string(std::stoul(e.control));
  TRY(lines.add(segment_of("GS", {group_id, e.group_sender.empty() ? e.sender.id : e.group_sender,
                                  e.group_receiver.empty() ? e.receiver.id : e.group_receiver,
                                  e.date, e.time, group, "X", e.version})));
  TRY(lines.add(segment_of("ST", {set, "0001"})));
  for (const Segment& segment : segments) TRY(lines.add(segment));
  TRY(lines.add(segment_of("SE", {std::to_string(segments.size() + 2), "0001"})));
  TRY(lines.add(segment_of("GE", {"1", group})));
  TRY(lines.add(segment_of("IEA", {"1", zeros(e.control, 9)})));
  return lines.take();
}

Result<std::string> write_edifact(const Envelope& e, const std::string& set,
                                  const std::vector<Segment>& segments) {
  Lines lines{e};
  const Delimiters& d = e.delimiters;
  lines.raw(std::string{"UNA"} + d.component + d.element + '.' +
            (d.release == '\0' ? ' ' : d.release) + (d.repetition == '\0' ? ' ' : d.repetition) +
            d.segment);
  Segment unb;
  unb.tag = "UNB";
  unb.elements = {composite({e.charset, d.repetition == '\0' ? "3" : "4"}),
                  composite({e.sender.id, e.sender.qualifier}),
                  composite({e.receiver.id, e.receiver.qualifier}),
                  composite({d.repetition == '\0' ? e.date.substr(2) : e.date, e.time}),
                  Element{e.control}};
  if (e.test || e.wants_acknowledgement) {
    unb.elements.resize(11);
    if (e.wants_acknowledgement) unb.elements[8] = Element{"1"};
    if (e.test) unb.elements[10] = Element{"1"};
  }
  TRY(lines.add(unb));
  Components type{set};
  for (std::string_view rest = e.version; !rest.empty();) {
    type.emplace_back(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(rest.size(), type.back().size() + 1));
  }
  Segment unh;
  unh.tag = "UNH";
  unh.elements = {Element{"1"}, composite(std::move(type))};
  TRY(lines.add(unh));
  for (const Segment& segment : segments) TRY(lines.add(segment));
  TRY(lines.add(segment_of("UNT", {std::to_string(segments.size() + 2), "1"})));
  TRY(lines.add(segment_of("UNZ", {"1", e.control})));
  return lines.take();
}

}  // namespace

Result<std::vector<Interchange>> read_interchanges(std::string_view text) {
  TRY_ASSIGN(const std::vector<Segments> parts, read_segments(text));
  std::vector<Interchange> all;
  for (const Segments& segments : parts) {
    TRY_ASSIGN(Interchange one, InterchangeReader(segments).read());
    all.push_back(std::move(one));
  }
  return all;
}

std::string alone(std::string_view text, const Interchange& interchange, const Group& group,
                  const Transaction& transaction) {
  const Delimiters& d = interchange.delimiters;
  const bool x12 = interchange.standard == Standard::x12;
  std::string out;
  if (!x12) {
    out = std::string{"UNA"} + d.component + d.element + '.' +
          (d.release == '\0' ? ' ' : d.release) + (d.repetition == '\0' ? ' ' : d.repetition) +
          d.segment + '\n';
  }
  const auto piece = [&](std::size_t begin, std::size_t end) {
    out.append(text.substr(begin, end - begin)) += '\n';
  };
  const auto trailer = [&](std::string_view tag, const std::string& control) {
    out.append(tag) += d.element;
    (out += '1') += d.element;
    for (const char c : control) {
      if (d.release != '\0' && (c == d.element || c == d.component || c == d.segment ||
                                c == d.release || c == d.repetition))
        out += d.release;
      out += c;
    }
    (out += d.segment) += '\n';
  };
  piece(interchange.begin, interchange.end);
  const bool grouped = group.end != group.begin;
  if (grouped) piece(group.begin, group.end);
  piece(transaction.begin, transaction.end);
  if (grouped) trailer(x12 ? "GE" : "UNE", group.control);
  trailer(x12 ? "IEA" : "UNZ", interchange.control);
  return out;
}

Result<std::string> write_interchange(const Envelope& envelope, const std::string& set,
                                      const std::string& group_id,
                                      const std::vector<Segment>& segments) {
  const std::string& control = envelope.control;
  if (control.empty() || control.size() > 9 ||
      control.find_first_not_of("0123456789") != std::string::npos)
    return fail(Errc::invalid_argument,
                "the control number '" + control + "' is not one of at most nine digits");
  return envelope.standard == Standard::x12 ? write_x12(envelope, set, group_id, segments)
                                            : write_edifact(envelope, set, segments);
}

}  // namespace mainstay::edi
