// The worker that turns changes of records into effects: reads the change feed behind its position
// and commits the intents together with the position, so that each change is exported once.
// Passive; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/integration/definition.hpp"
#include "runtime/integration/heartbeat.hpp"
#include "runtime/integration/hub_port.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/integration/tenure.hpp"

namespace mainstay::integration {

struct ExporterCounts {
  std::uint64_t changes = 0;  // of exported collections
  std::uint64_t intents = 0;
  std::uint64_t parked = 0;  // changes that the mapping could not take
};

class Exporter {
 public:
  // All must outlive it. REQUIRES: the definition has exports.
  Exporter(const AdapterDefinition& definition, Tenure tenure, HubPort& port);

  // Errors: as of Source::step.
  Result<Step> step();
  const ExporterCounts& counts() const { return counts_; }
  // The revision up to which everything is exported.
  record::Revision seen() const { return cursor_; }

 private:
  struct Change {
    std::string collection;
    std::string key;
    record::Record record;
    bool removed = false;
  };

  Result<void> load();
  // Takes the place of the feed when its position is gone: every record there is.
  Result<Step> catch_up();
  Result<Step> try_again();
  void park(const Change& change, const Mapping& mapping, const json::Value& document,
            const Error& why, std::vector<record::Action>& actions);
  Result<Step> follow();
  Result<Step> send_heartbeat();
  void plan(const record::StateReader& view, const Change& change,
            std::vector<record::Action>& actions);
  bool exports(std::string_view collection) const;
  Result<Step> write(std::vector<record::Action> actions, bool with_position);

  const AdapterDefinition& definition_;
  const Tenure tenure_;
  HubPort& port_;
  ExporterCounts counts_;
  bool loaded_ = false;
  record::Revision cursor_ = 0;     // everything up to here is planned and committed
  record::Revision committed_ = 0;  // the cursor as the row has it
  MonotonicTime next_look_{};
  MonotonicTime next_heartbeat_{};
  PathRow path_;  // as committed
  bool catching_up_ = false;
  std::size_t catch_up_export_ = 0;
  std::string catch_up_key_;
};

}  // namespace mainstay::integration
