// Guides: what the segments of a transaction set mean, as tables. A document is read by its guide
// into JSON with names instead of positions, and written by it. A table is a text:
//
//   set x12 850 PO /header/number         standard, set, functional group, pointer to its number
//   BEG! header purpose! type! number! -  segment and how often, its member's name, its elements
//   PO1+ lines line quantity unit ids[qualifier,value]
//     PID* descriptions type - - - text   indented: within the segment above, a loop
//   DTM* dates (qualifier,value,format)
//
// How often: `!` once, `?` at most once, `*` any number, `+` at least once. Elements: a name, with
// `!` if it must be there; `-` for one that is not used; `name(a,b)`: a composite, an object;
// `(a,b)`: its parts are members of the segment; `ids[a,b]`: the rest, an array of groups. A line
// whose last word is a backslash goes on in the next. All values are texts. What a partner sends
// beyond the guide is kept: elements as "element_<n>", segments in "unexpected". Pure; guides are
// constant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/integration/edi/segments.hpp"

namespace mainstay::edi {

struct ElementRule {
  enum class Kind : std::uint8_t { simple, unused, composite, inlined, rest };
  Kind kind = Kind::simple;
  std::string name;
  bool required = false;
  std::vector<std::string> parts;
};

struct SegmentRule {
  std::string tag;
  std::string name;
  bool required = false;
  bool many = false;
  std::vector<ElementRule> elements;
  std::vector<SegmentRule> inner;
};

struct Guide {
  Standard standard = Standard::x12;
  std::string set;
  std::string group;   // functional identifier (GS01); "" in EDIFACT
  std::string number;  // pointer to what the document is about
  std::vector<SegmentRule> segments;
};

// Errors: invalid_argument, with the line.
Result<std::vector<Guide>> parse_guides(std::string_view text);

// The guides that come with Mainstay: X12 846 850 855 856 940 944 945 997, EDIFACT ORDERS DESADV.
const std::vector<Guide>& usual_guides();
std::string_view usual_x12_guides();
std::string_view usual_edifact_guides();

// Errors: invalid_argument, with the segment's place: one is missing, comes too often, lacks an
// element.
Result<json::Value> read_document(const Guide& guide, const std::vector<Segment>& segments);

// The segments of a document, without envelope. "envelope" in it is left alone. Errors:
// invalid_argument, with the pointer: something is missing, is no text, or has no place.
Result<std::vector<Segment>> write_document(const Guide& guide, const json::Value& document);

}  // namespace mainstay::edi
