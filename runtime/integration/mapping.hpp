// Mappings: what a document of a counterpart means as records, and what a record means to a
// counterpart, as data in a file and not as code. Versioned, pure, exact: the same document gives
// the same result, numbers keep their digits. The language: docs/integration/mapping.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::integration {

// What a mapping may refer to beside the document.
struct MapContext {
  std::string adapter;     // the instance: "erp"
  std::string message_id;  // of the raw message, or of the record's change
  std::string version;
  std::string time;  // RFC 3339, UTC: of the message
};

// One record that a document means.
struct MappedRecord {
  enum class Operation : std::uint8_t {
    put,    // a whole document; one with a lower `sequence` than the stored one is left alone
    merge,  // a merge patch; makes the document if there is none
    remove,
    post,  // an immutable ledger entry, or a fact: same key and content again is nothing new
  };
  Operation operation = Operation::put;
  std::string collection;
  std::string key;
  json::Value value;
  // Orders the versions of one record, whatever order they come in: compared as a number when both
  // are, else as text. "": the last one wins.
  std::string sequence;
};

// One thing to be done outside that a record's change means. `key` names it for good.
struct MappedEffect {
  std::string type;
  std::string key;
  std::string subject;
  json::Value document;
};

struct Mapped {
  std::vector<MappedRecord> records;  // of a mapping in
  std::vector<MappedEffect> effects;  // of a mapping out
  std::string trace;                  // what people follow it by: the order's number
  // Pointers to scalars of the document that no rule read and none drops on purpose (R9: kept in
  // the raw message, and reported).
  std::vector<std::string> unmapped;
};

// Immutable, thread-safe.
class Mapping {
 public:
  // Errors: invalid_argument, with the place in the mapping and what is expected there.
  static Result<std::shared_ptr<const Mapping>> parse(const json::Value& text);
  virtual ~Mapping() = default;

  virtual const std::string& name() const = 0;
  virtual std::uint64_t version() const = 0;

  // A document that its `when` does not want gives nothing. Errors: invalid_argument, with the
  // pointer into the document and the rule: the message is parked.
  virtual Result<Mapped> apply(const json::Value& document, const MapContext& context) const = 0;
};

}  // namespace mainstay::integration
