// The definition of one adapter: the file <adapters.directory>/<name>.toml, the same on every node
// that may run it. docs/integration/hub.md describes it for users.
//
//   kind = "file"                     which adapter; or library = "/path/libmine.so" and its kind
//   heartbeat = "10s"                 how often each path shows that it works
//   [settings]                        the adapter's own
//   [source]                          poll, batch, order, overlap… of what comes in
//   types = {order = "order.json"}      mapping file a message type
//   [effects]                         lanes, rate, attempts, backoff, breaker, settle
//   [[export]]                        collection, mapping: which changes become effects
//   [[reconcile]]                     name, kind, mapping, collection, fields, every, settle
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/integration/mapping.hpp"

namespace mainstay::integration {

// What a message does behind a parked one of its subject.
enum class SubjectOrder : std::uint8_t {
  latest,  // it is the whole state: it takes the parked one's place
  strict,  // it waits behind it
};

struct SourceDefinition {
  Millis poll{1'000};
  std::size_t messages_max = 500;  // of one fetch
  SubjectOrder order = SubjectOrder::latest;
  Millis inbox_kept{14LL * 24 * 3600 * 1000};  // how long a message is recognised again
  std::map<std::string, std::shared_ptr<const Mapping>> types;
};

struct EffectsDefinition {
  std::size_t lanes = 2;              // subjects are spread over them
  std::uint32_t rate_per_second = 0;  // of calls, over all lanes; 0: as fast as it goes
  std::uint32_t attempts_max = 20;    // of transient failures; then it parks
  Millis backoff_min{200};
  Millis backoff_max{30'000};
  std::uint32_t breaker_failures = 5;  // in a row: the counterpart is down
  Millis breaker_pause{5'000};         // then one call tries again
  Millis call_timeout{10'000};
  // A call whose outcome is unknown may still come true so long after its time-out.
  Millis settle{2'000};
};

struct ExportDefinition {
  std::string collection;
  std::shared_ptr<const Mapping> mapping;
};

struct ReconcileDefinition {
  std::string name;
  std::string kind;                        // given to Adapter::observe
  std::shared_ptr<const Mapping> mapping;  // observed documents -> records to compare with
  std::string collection;
  bool balances = false;            // the collection is a ledger: its balances are compared
  std::vector<std::string> fields;  // pointers; empty: every field that the mapping gives
  // Only records with these values at these pointers (balances: dimensions) take part.
  std::vector<std::pair<std::string, std::string>> where;
  Millis every{60'000};
  Millis settle{5'000};  // what changed since then is not judged yet
  bool repair = false;   // mend by itself what can be mended
};

struct AdapterDefinition {
  std::string name;
  std::string kind;
  std::string library;  // "": the kind is built in
  std::string directory;
  json::Value settings;
  Millis heartbeat{10'000};  // each path carries one so often (heartbeat.hpp)
  std::optional<SourceDefinition> source;
  EffectsDefinition effects;
  std::vector<ExportDefinition> exports;
  std::vector<ReconcileDefinition> reconciles;
  std::string hash;  // of the definition and its mappings, for people: do the nodes agree?
};

// `text`: the definition as JSON (the TOML file converted). `read`: gives the text of a mapping
// file named in it. Errors: invalid_argument, naming file, member and what is expected.
using ReadFile = std::function<Result<std::string>(const std::string& name)>;
Result<AdapterDefinition> parse_definition(const std::string& name, const json::Value& text,
                                           const ReadFile& read);

}  // namespace mainstay::integration
