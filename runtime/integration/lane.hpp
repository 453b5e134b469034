// The worker that carries effects out at a counterpart, each once, in order within a subject:
//
//   intent ──sent──► (call) ──► acknowledged, with a receipt
//                      │ transient: back to intent, after a pause; too often: parked
//                      │ refused, unparsable: parked, the subject waits, others go on
//                      ▼
//                   unknown ──► when nothing can come true any more: look, then acknowledge or
//                               repeat
//
// Each state is committed before what follows from it, so that whoever takes over knows what may
// have happened. Subjects are spread over the lanes of an adapter by their hash. Passive; one
// thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/integration/adapter.hpp"
#include "runtime/integration/definition.hpp"
#include "runtime/integration/heartbeat.hpp"
#include "runtime/integration/hub_port.hpp"
#include "runtime/integration/pacing.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/integration/tenure.hpp"

namespace mainstay::integration {

struct LaneCounts {
  std::uint64_t calls = 0;
  std::uint64_t lookups = 0;
  std::uint64_t found = 0;  // by a lookup: it had happened
  std::uint64_t acknowledged = 0;
  std::uint64_t transient = 0;
  std::uint64_t unknown = 0;
  std::uint64_t parked = 0;
};

class Lane {
 public:
  // Lane `number` of `definition.effects.lanes`. All must outlive it.
  Lane(const AdapterDefinition& definition, Tenure tenure, std::size_t number, Adapter& adapter,
       HubPort& port, Random& random);

  // Errors: as of Source::step.
  Result<Step> step();
  Millis pause() const { return pause_; }
  const LaneCounts& counts() const { return counts_; }
  std::size_t waiting() const { return effects_.size(); }
  Millis oldest_age() const;  // of what waits; 0: nothing
  Breaker::State breaker() const { return breaker_.state(port_.monotonic()); }
  const std::string& trouble() const { return trouble_; }

 private:
  // The order within a subject: that of the changes that made the effects.
  struct Place {
    record::Revision revision = 0;
    std::uint64_t position = 0;
    std::string key;  // of the effect's record
    auto operator<=>(const Place&) const = default;
  };
  struct Waiting {
    EffectRow row;
    MonotonicTime due{};
    std::uint32_t failures = 0;  // transient, in a row
    bool look = false;           // before it is repeated
  };
  // A heartbeat on its way: behind the effects of earlier changes.
  struct Heartbeat {
    std::string sent;
    record::Revision revision = 0;
    MonotonicTime due{};
    std::uint32_t failures = 0;
  };

  Result<void> load();
  Result<void> follow();
  void take_in(const std::string& key, const json::Value& value);
  void take_letter(const std::string& key, const LetterRow& letter);
  void take_heartbeat(const record::StateReader& view);
  bool is_ours(const std::string& subject) const;
  std::vector<Place> ready() const;
  bool heartbeat_is_next(const std::vector<Place>& places) const;
  Result<Step> pass_heartbeat();
  Result<Step> tell_breaker(bool open);
  Result<Step> work(const std::vector<Place>& places);
  void look_first(Waiting& waiting, std::vector<record::Action>& after);
  void call(Waiting& waiting, std::vector<record::Action>& after);
  void settle(Waiting& waiting, const EffectResult& result, std::vector<record::Action>& after);
  void acknowledge(Waiting& waiting, json::Value receipt, std::vector<record::Action>& after);
  void park(Waiting& waiting, LetterClass kind, const std::string& reason,
            std::vector<record::Action>& after);
  std::string key_of(const Waiting& waiting) const;

  const AdapterDefinition& definition_;
  const Tenure tenure_;
  const std::size_t number_;
  Adapter& adapter_;
  HubPort& port_;
  LaneCounts counts_;
  Backoff backoff_;
  Breaker breaker_;
  RateLimit rate_;
  bool loaded_ = false;
  record::Revision seen_ = 0;
  std::map<Place, Waiting> effects_;                      // not finished, ours
  std::map<std::string, std::set<Place>> subjects_;       // the same, by subject
  std::map<std::string, Place> places_;                   // the same, by record key
  std::map<std::string, std::set<std::string>> blocked_;  // subjects with letters that hold up
  std::set<std::string> released_;  // letters whose effects are on their way again
  PathRow path_;                    // as committed
  std::optional<Heartbeat> heartbeat_;
  Millis pause_{};
  std::string trouble_;
};

}  // namespace mainstay::integration
