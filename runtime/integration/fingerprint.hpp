// The shape of a source's documents of one type: which fields there are, of which JSON types, and
// which of them always. A document is compared with what is known, so that a source that changes is
// seen at its first message and not in the books. Kept in hub-fingerprints. Plain values.
//
// A field is a pointer whose steps into arrays are "*": "/lines/*/quantity". A null counts as
// there, and says nothing of the type.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::integration {

class Fingerprint {
 public:
  struct Field {
    std::uint8_t types = 0;  // bits 1 << json::Type
    bool always = true;      // in every object that could have it
    bool operator==(const Field&) const = default;
  };

  // Errors: invalid_argument.
  static Result<Fingerprint> parse(const json::Value& value);
  json::Value to_json() const;
  std::string hash() const;  // of the fields, for people

  const std::map<std::string, Field, std::less<>>& fields() const { return fields_; }
  // How many documents it is made of; counted up to limits::fingerprint_documents.
  std::uint64_t documents() const { return documents_; }
  bool operator==(const Fingerprint&) const = default;

 private:
  friend class FingerprintUpdate;
  std::map<std::string, Field, std::less<>> fields_;
  std::uint64_t documents_ = 0;
};

enum class Drift : std::uint8_t {
  unchanged,
  grew,      // an unknown field, or the first that is not null: kept and reported
  breaking,  // a field is of another type, or one that was always there is missing
};
std::string_view to_string(Drift drift);

struct Compared {
  Drift drift = Drift::unchanged;
  std::vector<std::string> changes;  // for people; the first limits::fingerprint_changes_max
  // What is known with this document; if it breaks: what will be, once somebody accepts it.
  Fingerprint next;
};
// A field counts as always there once limits::fingerprint_documents documents had it; before, its
// absence is only learned. The first document of all grew nothing.
Compared compare(const Fingerprint& known, const json::Value& document);
// Whether compare() would find nothing and leave `known` as it is: what nearly every document comes
// to, without the copy.
bool teaches_nothing(const Fingerprint& known, const json::Value& document);

}  // namespace mainstay::integration
