// What the author of an adapter writes: how one counterpart (an ERP, an MES, a WMS, a folder, a
// broker) is read and written. Everything else is the kit's: positions, deduplication, order per
// key, retries, the breaker, dead letters, reconciliation. docs/writing-an-adapter.md is the guide.
//
// An adapter is made anew for each of its workers (source, lanes, reconciliation) and used by that
// worker's thread alone. Its functions may block, up to the time-outs it was given. It may be
// killed at any instruction: what it must remember belongs into its position or to the counterpart,
// never into itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::integration {

// --- in: from the counterpart ---

// One thing that the counterpart said, as it said it. (`id`, `version`) is its identity: what comes
// again under the same pair is the same, and is dropped. `id` alone is the thing it is about as the
// counterpart names it ("sale.sale,17", "orders.csv#4").
struct RawMessage {
  std::string id;
  std::string version;  // a token, an LSN, a control number, a hash; "" if the id is enough
  std::string type;     // chooses the mapping: "order", "shipment"; the adapter's own words
  // Messages of one subject stay in order, and wait for one another. "": the id.
  std::string subject;
  std::string content_type = "application/json";
  std::string body;
};

// What one fetch brought. `position` is where the next one goes on; it is committed together with
// the messages, never before. `more`: fetch again at once.
struct Page {
  std::vector<RawMessage> messages;
  std::string position;
  bool more = false;
};

// A part of the past that is read again while the source goes on (backfill). The words are the
// adapter's: a type, and bounds in its own form ("2026-01-01", "1000").
struct Range {
  std::string type;
  std::string from;
  std::string to;
};

// --- out: to the counterpart ---

// Something the counterpart shall do or know, once. `key` is its deterministic name: the same
// effect has the same key whoever makes it and however often.
struct Effect {
  std::string key;       // "shipment/S-17/2"
  std::string type;      // "shipment"; the mapping that made it names it
  std::string subject;   // effects of one subject are carried out in order, one at a time
  json::Value document;  // what the mapping made
  std::uint32_t attempt = 1;
};

// What became of a call. Only `unknown` and `done` may have changed anything at the counterpart.
enum class Verdict : std::uint8_t {
  done,        // it happened; `receipt` proves it
  transient,   // it did not happen, later it may: refused connection, busy, 503
  unknown,     // it may have happened: time-out after sending, broken connection
  conflict,    // the counterpart's state is another than was assumed: look again, then repeat
  refused,     // the counterpart understood and said no: somebody must decide
  unparsable,  // the answer makes no sense: somebody must look
};
std::string_view to_string(Verdict verdict);
std::optional<Verdict> verdict_of(std::string_view name);

struct EffectResult {
  Verdict verdict = Verdict::done;
  json::Value receipt;  // done: the counterpart's own name of it, its number, its version
  std::string detail;   // else: for people

  static EffectResult done(json::Value receipt = {}) {
    return {Verdict::done, std::move(receipt), {}};
  }
  static EffectResult failed(Verdict verdict, std::string detail) {
    return {verdict, {}, std::move(detail)};
  }
};

// --- looking: for reconciliation ---

// One thing as the counterpart holds it now, read from the counterpart itself.
struct Observed {
  std::string id;
  json::Value document;
};
struct ObservedPage {
  std::vector<Observed> items;
  std::string next;  // "": that was all
};

// What an adapter says of itself. Constant.
struct AdapterTraits {
  bool has_source = false;
  bool has_effects = false;
  // The counterpart drops what comes twice under one effect key (a unique index, a file name): the
  // kit repeats at once instead of looking first.
  bool idempotent = false;
};

class Adapter {
 public:
  virtual ~Adapter() = default;

  virtual AdapterTraits traits() const = 0;

  // What is new behind `position` ("" the first time), at most `messages_max` messages. An empty
  // page is an answer. Waiting for news up to the poll period is allowed. Errors: unavailable,
  // deadline_exceeded (the kit tries again later); unauthorized and invalid_argument are shown to
  // people. Repeating a fetch with the same position must bring everything again that was not
  // acknowledged.
  virtual Result<Page> fetch(const std::string& position, std::size_t messages_max);

  // The documents within one message, each for the mapping of its type. Pure. Errors:
  // invalid_argument (unparsable: the message becomes a dead letter as it came).
  virtual Result<std::vector<json::Value>> decode(const RawMessage& message) = 0;

  // Everything up to `position` is committed: archive files, delete outbox rows, acknowledge. May
  // be repeated, may be lost. Errors are logged and the call comes again with a later position.
  virtual Result<void> acknowledge(const std::string& position);

  // Carries out an effect. The intent is committed before, the receipt afterwards.
  virtual EffectResult apply(const Effect& effect);

  // Whether an effect of this key has happened already: asked when an earlier call's outcome is
  // unknown. Nothing: it has not, and cannot any more (time-outs are over). Errors: cannot be
  // known now; the kit asks again.
  virtual Result<std::optional<json::Value>> lookup(const Effect& effect);

  // Asks the counterpart something that changes nothing, so that its answer shows that effects
  // could be carried out: for heartbeats. Errors: unsupported (there is no such question; then a
  // heartbeat ends at the lane); else the counterpart cannot be reached, which counts as a failed
  // call.
  virtual Result<void> probe();

  // As fetch, for a part of the past. `position` as the last page gave it, "" at first.
  virtual Result<Page> backfill(const Range& range, const std::string& position,
                                std::size_t messages_max);

  // Everything of this kind that the counterpart holds, in any order but without repetition, for a
  // comparison with the records. `after` as the last page gave it, "" at first.
  virtual Result<ObservedPage> observe(const std::string& kind, const std::string& after);
};

// What an adapter is made with: the settings of its definition.
struct AdapterContext {
  std::string name;             // of the instance: "erp"
  json::Value settings;         // the table [settings] of its definition
  Millis call_timeout{10'000};  // no call to the counterpart takes longer
  std::string directory;        // of the definition: relative paths start here
};

// Errors: invalid_argument, naming the setting and what is expected.
using AdapterFactory = std::function<Result<std::unique_ptr<Adapter>>(const AdapterContext&)>;

// The kinds of adapters that this process can make. Filled at the start, constant afterwards.
class AdapterKinds {
 public:
  void add(std::string kind, AdapterFactory factory) {
    factories_.insert_or_assign(std::move(kind), std::move(factory));
  }
  // Errors: not_found, naming the kinds there are.
  Result<std::unique_ptr<Adapter>> make(std::string_view kind, const AdapterContext& context) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, AdapterFactory, std::less<>> factories_;
};

// A shared library with adapters defines, with MAINSTAY_ADAPTERS below, one C function that adds
// its kinds. `interface_version` must be the one it was compiled with.
inline constexpr std::uint32_t adapter_interface_version = 1;
using AddAdapters = void (*)(AdapterKinds& kinds);

}  // namespace mainstay::integration

#define MAINSTAY_ADAPTERS(kinds)                                                \
  extern "C" __attribute__((visibility("default")))                             \
  const std::uint32_t mainstay_adapter_interface =                              \
      ::mainstay::integration::adapter_interface_version;                       \
  extern "C" __attribute__((visibility("default"))) void mainstay_add_adapters( \
      ::mainstay::integration::AdapterKinds& kinds)
