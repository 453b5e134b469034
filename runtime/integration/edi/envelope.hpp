// Interchanges: who sends what to whom under which control numbers. ISA/GS/ST of X12, UNB/UNG/UNH
// of EDIFACT. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/integration/edi/segments.hpp"

namespace mainstay::edi {

struct Party {
  std::string qualifier;
  std::string id;

  bool operator==(const Party&) const = default;
};

// Why one transaction is no good though its neighbours are; `code` as in element AK502 of a 997.
struct Fault {
  std::string code;
  std::string message;  // "": none
};

struct Transaction {
  std::string set;                // "850", "ORDERS"
  std::string control;            // ST02, UNH 0062
  std::string version;            // UNH: "D:96A:UN"; X12: ST03 if given
  std::vector<Segment> segments;  // without header and trailer
  std::size_t begin = 0;          // its bytes with header and trailer
  std::size_t end = 0;
  Fault fault;
};

struct Group {
  std::string id;  // "PO"; "" if there is none (EDIFACT without UNG)
  std::string sender;
  std::string receiver;
  std::string control;
  std::string version;    // "004010"
  std::size_t begin = 0;  // the bytes of its header segment; equal: there is none
  std::size_t end = 0;
  std::vector<Transaction> transactions;
};

struct Interchange {
  Standard standard = Standard::x12;
  Delimiters delimiters;
  Party sender;
  Party receiver;
  std::string date;
  std::string time;
  std::string control;
  bool test = false;
  std::size_t begin = 0;  // the bytes of its header segments
  std::size_t end = 0;
  std::vector<Group> groups;
};

// All interchanges of a file. Counts and control numbers of trailers are verified: those of a
// transaction become its fault; others are errors. Errors: invalid_argument, with the segment.
Result<std::vector<Interchange>> read_interchanges(std::string_view text);

// What is needed to read one transaction alone: its own bytes in the envelope they came in.
// `text` is the file.
std::string alone(std::string_view text, const Interchange& interchange, const Group& group,
                  const Transaction& transaction);

// What stands around a transaction that is sent.
struct Envelope {
  Standard standard = Standard::x12;
  Delimiters delimiters;
  bool line_breaks = true;  // behind each segment
  Party sender;
  Party receiver;
  std::string group_sender;  // "": as above (X12)
  std::string group_receiver;
  std::string version = "004010";  // GS08; EDIFACT: "D:96A:UN"
  std::string charset = "UNOC";    // EDIFACT
  std::string date;                // "20261128"
  std::string time;                // "0715"
  std::string control;             // digits; nine at most
  bool test = false;
  bool wants_acknowledgement = false;
};

// One interchange with one transaction. Errors: invalid_argument: a text that cannot be sent, a
// party's id that is too long.
Result<std::string> write_interchange(const Envelope& envelope, const std::string& set,
                                      const std::string& group_id,
                                      const std::vector<Segment>& segments);

}  // namespace mainstay::edi
