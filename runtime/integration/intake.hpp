// From messages to commits: deduplication, mapping, order within a subject, and what parks. Used by
// the source for what it fetches, replays and backfills. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/integration/adapter.hpp"
#include "runtime/integration/definition.hpp"
#include "runtime/integration/fingerprint.hpp"
#include "runtime/integration/hub_port.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/integration/tenure.hpp"

namespace mainstay::integration {

// Of one worker's life: fetched = duplicates + accepted + parked.
struct SourceCounts {
  std::uint64_t fetched = 0;     // messages, repetitions too
  std::uint64_t duplicates = 0;  // known already
  std::uint64_t accepted = 0;    // committed, with or without records
  std::uint64_t parked = 0;
  std::uint64_t records = 0;   // changed
  std::uint64_t stale = 0;     // a newer version was there already
  std::uint64_t unmapped = 0;  // messages with fields that no rule knows
  std::uint64_t grown = 0;     // messages with fields that none had before
};

// A message on its way in. `letter`: it was parked before and is tried again.
struct Incoming {
  RawMessage message;
  std::optional<LetterRow> letter = std::nullopt;
  std::string letter_key = {};
};

class Intake {
 public:
  Intake(const AdapterDefinition& definition, const Tenure& tenure, Adapter& adapter,
         HubPort& port);

  // Reads which subjects wait behind parked messages.
  void load(const record::StateReader& view);

  // Commits all of them, in order; with the last commit go the actions of `with` (a position). Each
  // message ends accepted, recognised as known, or parked. Errors: of the port.
  Result<Step> take(std::vector<Incoming> messages, std::vector<record::Action> with);

  // Letters to be tried now: those that people released, and those that waited behind one that is
  // gone. In order.
  std::vector<std::pair<std::string, LetterRow>> due() const;

  const SourceCounts& counts() const { return counts_; }

 private:
  struct Plan;
  struct Group;

  // By message type. Shared, because hardly any message changes one and some have many fields.
  using Shapes = std::map<std::string, std::shared_ptr<const Fingerprint>>;

  Plan plan(const record::StateReader& view, const Incoming& incoming, const Shapes& shapes);
  void plan_records(const record::StateReader& view, const Incoming& incoming, Plan& plan,
                    const Shapes& shapes);
  bool fits_shape(const Incoming& incoming, const json::Value& document, Plan& plan,
                  const Shapes& shapes);
  void add_shapes(Group& group);
  bool plan_record(const record::StateReader& view, const Incoming& incoming,
                   const Mapping& mapping, MappedRecord mapped, Plan& plan);
  void park(const Incoming& incoming, LetterClass kind, std::string reason, Plan& plan);
  void resolve_letters(const Incoming& incoming, Plan& plan);
  bool is_ledger(const record::StateReader& view, const std::string& collection);
  bool waits_behind(const Incoming& incoming) const;
  Result<Step> settle(const Group& group, const record::Outcome& outcome);
  void count(const Group& group);

  const AdapterDefinition& definition_;
  const Tenure& tenure_;
  Adapter& adapter_;
  HubPort& port_;
  SourceCounts counts_;
  // Open letters of what came in, by subject, oldest first.
  std::map<std::string, std::map<std::pair<std::string, std::string>, LetterRow>> letters_;
  // Messages that the state machine refused, until their letter is committed.
  std::map<std::pair<std::string, std::string>, std::pair<LetterClass, std::string>> refused_;
  std::map<std::string, std::pair<record::Revision, bool>> ledgers_;
  Shapes shapes_;  // as committed
};

}  // namespace mainstay::integration
