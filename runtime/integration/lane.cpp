#include "runtime/integration/lane.hpp"

#include <algorithm>

#include "runtime/base/log.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/integration/release.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::integration {

namespace {

using json::Value;
using record::Action;

// Subjects that are worked on between two commits; what takes longer is put back.
constexpr std::size_t batch_max = 32;
constexpr Millis batch_time{500};
constexpr std::size_t released_actions_max = 100;  // of one commit
constexpr Millis idle_pause{500};
constexpr Millis conflict_pause{500};

}  // namespace

Lane::Lane(const AdapterDefinition& definition, Tenure tenure, std::size_t number, Adapter& adapter,
           HubPort& port, Random& random)
    : definition_{definition},
      tenure_{std::move(tenure)},
      number_{number},
      adapter_{adapter},
      port_{port},
      backoff_{definition.effects.backoff_min, definition.effects.backoff_max, random},
      breaker_{definition.effects.breaker_failures, definition.effects.breaker_pause},
      rate_{static_cast<double>(definition.effects.rate_per_second) /
            static_cast<double>(definition.effects.lanes)} {}

bool Lane::is_ours(const std::string& subject) const {
  return xxh3_128(subject)[1] % definition_.effects.lanes == number_;
}

std::string Lane::key_of(const Waiting& waiting) const {
  return effect_key(tenure_.adapter, waiting.row.key);
}

Millis Lane::oldest_age() const {
  if (effects_.empty()) return Millis{0};
  const auto created = time_of(effects_.begin()->second.row.created);
  const auto now = port_.wall();
  return created && *created < now ? std::chrono::duration_cast<Millis>(now - *created) : Millis{0};
}

void Lane::take_in(const std::string& key, const Value& value) {
  auto row = effect_row(value);
  if (!row || row->adapter != tenure_.adapter || !is_ours(row->subject)) return;
  const Place place{row->source_revision, row->position, key};
  const auto known = places_.find(key);
  if (!is_open(row->state)) {
    if (known == places_.end()) return;
    const Place old = known->second;
    subjects_[row->subject].erase(old);
    if (subjects_[row->subject].empty()) subjects_.erase(row->subject);
    effects_.erase(old);
    places_.erase(known);
    return;
  }
  if (known != places_.end()) return;  // what it became is known here first
  Waiting waiting;
  waiting.row = *std::move(row);
  // Somebody began a call and did not come back: until it can come true no more, nobody knows.
  if (waiting.row.state != EffectState::intent) {
    waiting.look = !MUTANT(unknown_repeated_blindly);
    const auto sent = time_of(waiting.row.sent);
    const auto safe =
        sent.value_or(port_.wall()) + definition_.effects.call_timeout + definition_.effects.settle;
    const auto left = std::chrono::duration_cast<Millis>(safe - port_.wall());
    const Millis most = definition_.effects.call_timeout + definition_.effects.settle;
    if (!adapter_.traits().idempotent)
      waiting.due = port_.monotonic() + std::clamp(left, Millis{0}, most);
  }
  subjects_[waiting.row.subject].insert(place);
  places_.emplace(key, place);
  effects_.emplace(place, std::move(waiting));
}

// A letter of an effect blocks its subject until it is released; then it is the effect again, and
// the letter is kept until there is a receipt.
void Lane::take_letter(const std::string& key, const LetterRow& letter) {
  if (letter.adapter != tenure_.adapter || letter.direction != "out" || !is_ours(letter.subject))
    return;
  if (letter.state == "released")
    released_.insert(key);
  else
    released_.erase(key);
  auto& letters = blocked_[letter.subject];
  if (letter.holds_up())
    letters.insert(key);
  else
    letters.erase(key);
  if (letters.empty()) blocked_.erase(letter.subject);
}

Result<void> Lane::load() {
  TRY_ASSIGN(const auto view, port_.view());
  seen_ = view->counters().revision;
  path_ = path_of(*view, definition_, lane_path(number_), port_.wall());
  take_heartbeat(*view);
  scan_open(*view, hub::effects, tenure_.adapter,
            [this](std::string_view key, const Value& value, const record::Record&) {
              take_in(std::string{key}, value);
              return true;
            });
  scan_open(*view, hub::letters, tenure_.adapter,
            [this](std::string_view key, const Value& value, const record::Record&) {
              if (const auto letter = letter_row(value)) take_letter(std::string{key}, *letter);
              return true;
            });
  loaded_ = true;
  return {};
}

Result<void> Lane::follow() {
  TRY_ASSIGN(const auto view, port_.view());
  const auto scanned = record::scan_changes(*view, seen_, 0, [&](const record::ChangeView& change) {
    seen_ = change.commit->revision;
    const std::string& collection = change.change->collection;
    if (collection == hub::paths && change.change->key == path_key(tenure_.adapter, export_path))
      take_heartbeat(*view);
    if (collection != hub::effects && collection != hub::letters) return true;
    if (!change.change->key.starts_with(tenure_.adapter + "/")) return true;
    // What stands there now, not what stood there once.
    const auto record = view->find_record(collection, change.change->key);
    if (!record || record->tombstone) return true;
    const auto value = json::parse(record->value.view());
    if (!value) return true;
    if (collection == hub::effects)
      take_in(change.change->key, *value);
    else if (const auto letter = letter_row(*value))
      take_letter(change.change->key, *letter);
    return true;
  });
  if (scanned) return {};
  if (scanned.error().code != Errc::compacted) return Failure{scanned.error()};
  effects_.clear(), subjects_.clear(), places_.clear(), blocked_.clear(), released_.clear();
  return load();
}

// The export passes it on with its own row.
void Lane::take_heartbeat(const record::StateReader& view) {
  const auto record = view.find_record(hub::paths, path_key(tenure_.adapter, export_path));
  const auto value = record && !record->tombstone ? json::parse(record->value.view())
                                                  : Result<Value>{fail(Errc::not_found, "")};
  const auto row = value ? path_row(*value) : Result<PathRow>{Failure{value.error()}};
  // One that is on its way arrives first: under load a newer one would never get its turn.
  if (!row || row->sent.empty() || row->sent <= path_.sent || heartbeat_) return;
  heartbeat_ = Heartbeat{row->sent, record->revision, {}, 0};
}

bool Lane::heartbeat_is_next(const std::vector<Place>& places) const {
  if (!heartbeat_ || heartbeat_->due > port_.monotonic()) return false;
  if (places.empty()) return true;
  // Whether effects go through again is told best by an effect.
  return breaker_.state(port_.monotonic()) == Breaker::State::closed &&
         (heartbeat_->revision < places.front().revision || MUTANT(heartbeat_overtakes_effects));
}

Result<Step> Lane::pass_heartbeat() {
  const MonotonicTime now = port_.monotonic();
  if (!rate_.take(now)) {
    pause_ = rate_.wait();
    return Step::idle;
  }
  const auto answered = adapter_.probe();
  const bool can_ask = answered || answered.error().code != Errc::unsupported;
  if (!answered && can_ask) {
    breaker_.failed(port_.monotonic());
    trouble_ = to_string(answered.error());
  } else if (can_ask && breaker_.state(now) != Breaker::State::closed) {
    breaker_.succeeded();
    trouble_.clear();
  }
  // Without a question only calls can tell that the counterpart is there again.
  if (breaker_.state(now) != Breaker::State::closed || (!answered && can_ask)) {
    heartbeat_->due = port_.monotonic() + backoff_.after(heartbeat_->failures++);
    return Step::worked;
  }
  path_.sent = heartbeat_->sent;
  path_.arrived = time_text(port_.wall());
  path_.reached = can_ask ? "counterpart" : "lane";
  path_.breaker = "closed";
  path_.trouble.clear();
  heartbeat_.reset();
  TRY_ASSIGN(const Step step, commit_actions(port_, tenure_, {put_path(path_)}));
  if (step == Step::ended) return step;
  TRY_ASSIGN(const auto view, port_.view());
  take_heartbeat(*view);
  return step;
}

// For every node to see.
Result<Step> Lane::tell_breaker(bool open) {
  path_.breaker = open ? "open" : "closed";
  path_.trouble = open ? trouble_ : "";
  log_at(open ? LogLevel::warn : LogLevel::info, "adapter", "{}/{}: {}{}", tenure_.adapter,
         path_.path, open ? "leaves its counterpart alone for a while: " : "calls its counterpart",
         path_.trouble);
  return commit_actions(port_, tenure_, {put_path(path_)});
}

// The first effect of each subject that waits for nothing.
std::vector<Lane::Place> Lane::ready() const {
  std::vector<Place> places;
  const MonotonicTime now = port_.monotonic();
  for (const auto& [subject, of_subject] : subjects_) {
    if (blocked_.contains(subject) && !MUTANT(parked_effect_overtaken)) continue;
    const Place& first = *of_subject.begin();
    if (effects_.at(first).due <= now) places.push_back(first);
  }
  std::sort(places.begin(), places.end());
  if (places.size() > batch_max) places.resize(batch_max);
  return places;
}

Result<Step> Lane::step() {
  if (!loaded_)
    TRY(load());
  else
    TRY(follow());
  // Released letters: the effect takes its place again, with the body as it is now.
  std::vector<Action> released;
  {
    TRY_ASSIGN(const auto view, port_.view());
    for (const auto& [subject, letters] : blocked_) {
      for (const std::string& key : letters) {
        if (released.size() >= released_actions_max) break;
        const auto value = find_value(*view, hub::letters, key);
        const auto letter =
            value ? letter_row(*value) : Result<LetterRow>{fail(Errc::not_found, "")};
        if (!letter || letter->state != "replay") continue;
        const std::string effect = effect_key(tenure_.adapter, letter->id);
        const auto stored = find_value(*view, hub::effects, effect);
        auto row = stored ? effect_row(*stored) : Result<EffectRow>{fail(Errc::not_found, "")};
        if (!row) continue;
        LetterRow changed = *letter;
        const auto document = json::parse(letter->body);
        if (!document) {
          changed.state = "parked";
          changed.reason = "the edited body is no JSON: " + document.error().message;
          changed.last = time_text(port_.wall());
          released.push_back(put_action(hub::letters, key, to_value(changed)));
          continue;
        }
        // It may have happened before it was parked: the counterpart is asked first.
        row->document = *document;
        row->state = row->attempt == 0 ? EffectState::intent : EffectState::unknown;
        row->detail.clear();
        // Nothing leaves the dead letters before its receipt.
        changed.state = MUTANT(letter_gone_before_receipt) ? "resolved" : "released";
        changed.last = time_text(port_.wall());
        released.push_back(put_action(hub::effects, effect, to_value(*row)));
        released.push_back(put_action(hub::letters, key, to_value(changed)));
      }
    }
  }
  if (!released.empty()) return commit_actions(port_, tenure_, std::move(released));
  const MonotonicTime now = port_.monotonic();
  const bool open = breaker_.state(now) != Breaker::State::closed;
  if (open != (path_.breaker == "open")) return tell_breaker(open);
  if (!breaker_.allows(now)) {
    pause_ = std::clamp(std::chrono::ceil<Millis>(breaker_.until() - now), Millis{1}, idle_pause);
    return Step::idle;
  }
  auto places = ready();
  if (heartbeat_is_next(places)) return pass_heartbeat();
  // Half-open: one call tries.
  if (breaker_.state(now) == Breaker::State::half_open && places.size() > 1) places.resize(1);
  if (!places.empty()) return work(places);
  pause_ = idle_pause;
  if (heartbeat_)
    pause_ = std::clamp(std::chrono::ceil<Millis>(heartbeat_->due - now), Millis{1}, pause_);
  for (const auto& [subject, of_subject] : subjects_) {
    if (blocked_.contains(subject)) continue;
    const Millis left = std::chrono::ceil<Millis>(effects_.at(*of_subject.begin()).due - now);
    pause_ = std::clamp(left, Millis{1}, pause_);
  }
  return Step::idle;
}

Result<Step> Lane::work(const std::vector<Place>& places) {
  // First what is going to be called is written down, all of it with one commit.
  std::vector<Action> before;
  std::vector<Waiting*> chosen;
  const std::string now = time_text(port_.wall());
  for (const Place& place : places) {
    Waiting& waiting = effects_.at(place);
    chosen.push_back(&waiting);
    if (waiting.look && !adapter_.traits().idempotent) continue;  // a look changes nothing
    waiting.row.state = EffectState::sent;
    waiting.row.attempt += 1;
    waiting.row.sent = now;
    if (!MUTANT(sent_not_written))
      before.push_back(put_action(hub::effects, place.key, to_value(waiting.row)));
  }
  if (!before.empty()) {
    TRY_ASSIGN(const Step step, commit_actions(port_, tenure_, std::move(before)));
    if (step == Step::ended) return step;
  }
  std::vector<Action> after;
  const MonotonicTime until = port_.monotonic() + batch_time;
  bool paced = false;
  for (Waiting* waiting : chosen) {
    const bool stop = port_.monotonic() >= until || !breaker_.allows(port_.monotonic());
    paced = paced || (!stop && !rate_.take(port_.monotonic()));
    if (stop || paced) {
      // Not called: back to where it was.
      if (waiting->row.state != EffectState::sent) continue;
      waiting->row.state = EffectState::intent;
      waiting->row.attempt -= 1;
      after.push_back(put_action(hub::effects, key_of(*waiting), to_value(waiting->row)));
      continue;
    }
    if (waiting->look && !adapter_.traits().idempotent)
      look_first(*waiting, after);
    else
      call(*waiting, after);
  }
  pause_ = paced ? rate_.wait() : Millis{0};
  if (after.empty()) return paced ? Step::idle : Step::worked;
  TRY_ASSIGN(const Step step, commit_actions(port_, tenure_, std::move(after)));
  if (step == Step::ended) return step;
  TRY(follow());
  return paced ? Step::idle : Step::worked;
}

void Lane::look_first(Waiting& waiting, std::vector<Action>& after) {
  ++counts_.lookups;
  const Effect effect{waiting.row.key, waiting.row.type, waiting.row.subject, waiting.row.document,
                      waiting.row.attempt};
  auto found = adapter_.lookup(effect);
  if (!found) {
    breaker_.failed(port_.monotonic());
    trouble_ = to_string(found.error());
    waiting.due = port_.monotonic() + backoff_.after(waiting.failures++);
    return;
  }
  breaker_.succeeded();
  trouble_.clear();
  if (*found) {
    ++counts_.found;
    return acknowledge(waiting, **found, after);
  }
  waiting.look = false;
  waiting.row.state = EffectState::intent;
  waiting.row.detail = "looked: it has not happened";
  after.push_back(put_action(hub::effects, key_of(waiting), to_value(waiting.row)));
}

void Lane::call(Waiting& waiting, std::vector<Action>& after) {
  ++counts_.calls;
  const Effect effect{waiting.row.key, waiting.row.type, waiting.row.subject, waiting.row.document,
                      waiting.row.attempt};
  settle(waiting, adapter_.apply(effect), after);
}

void Lane::acknowledge(Waiting& waiting, Value receipt, std::vector<Action>& after) {
  ++counts_.acknowledged;
  waiting.row.state = EffectState::acknowledged;
  waiting.row.finished = time_text(port_.wall());
  waiting.row.receipt = std::move(receipt);
  waiting.row.detail.clear();
  after.push_back(put_action(hub::effects, key_of(waiting), to_value(waiting.row)));
  const std::string letter = letter_key(tenure_.adapter, "out", waiting.row.key);
  if (!released_.contains(letter)) return;
  after.push_back(patch_action(hub::letters, letter,
                               Value::object({{"state", Value::string("resolved")},
                                              {"last", Value::string(waiting.row.finished)},
                                              {"open", Value{}}})));
}

void Lane::park(Waiting& waiting, LetterClass kind, const std::string& reason,
                std::vector<Action>& after) {
  ++counts_.parked;
  waiting.row.state = EffectState::parked;
  waiting.row.detail = reason;
  LetterRow letter;
  letter.adapter = tenure_.adapter;
  letter.direction = "out";
  letter.id = waiting.row.key;
  letter.type = waiting.row.type;
  letter.subject = waiting.row.subject;
  letter.trace = waiting.row.trace;
  letter.kind = to_string(kind);
  letter.reason = reason;
  letter.body = json::to_text(waiting.row.document);
  letter.content_type = "application/json";
  letter.attempts = waiting.row.attempt;
  letter.first = letter.last = time_text(port_.wall());
  const std::string key = letter_key(tenure_.adapter, "out", letter.id);
  blocked_[letter.subject].insert(key);
  after.push_back(put_action(hub::effects, key_of(waiting), to_value(waiting.row)));
  if (!released_.contains(key)) {
    after.push_back(put_action(hub::letters, key, to_value(letter)));
    return;
  }
  // The same letter again, with what people made of it.
  after.push_back(
      patch_action(hub::letters, key,
                   Value::object({{"state", Value::string("parked")},
                                  {"class", Value::string(letter.kind)},
                                  {"reason", Value::string(reason)},
                                  {"attempts", Value::number(std::to_string(letter.attempts))},
                                  {"last", Value::string(letter.last)}})));
}

void Lane::settle(Waiting& waiting, const EffectResult& result, std::vector<Action>& after) {
  const MonotonicTime now = port_.monotonic();
  const bool reached = result.verdict != Verdict::transient && result.verdict != Verdict::unknown;
  if (reached) {
    breaker_.succeeded();
    trouble_.clear();
  } else {
    breaker_.failed(now);
    trouble_ = result.detail;
  }
  switch (result.verdict) {
    case Verdict::done:
      return acknowledge(waiting, result.receipt, after);
    case Verdict::refused:
      return park(waiting, LetterClass::refused, result.detail, after);
    case Verdict::unparsable:
      return park(waiting, LetterClass::unparsable, result.detail, after);
    case Verdict::transient:
      ++counts_.transient;
      if (++waiting.failures > definition_.effects.attempts_max)
        return park(waiting, LetterClass::transient, result.detail, after);
      waiting.row.state = EffectState::intent;
      waiting.due = now + backoff_.after(waiting.failures - 1);
      break;
    case Verdict::conflict:
      if (++waiting.failures > definition_.effects.attempts_max)
        return park(waiting, LetterClass::conflict, result.detail, after);
      waiting.row.state = EffectState::unknown;
      waiting.look = true;
      waiting.due = now + conflict_pause;
      break;
    case Verdict::unknown:
      ++counts_.unknown;
      waiting.row.state = EffectState::unknown;
      waiting.look = !MUTANT(unknown_repeated_blindly);
      // The call is over for us, but what it set off may still be under way.
      waiting.due = now + (adapter_.traits().idempotent ? definition_.effects.backoff_min
                                                        : definition_.effects.settle);
      break;
  }
  waiting.row.detail = result.detail;
  after.push_back(put_action(hub::effects, key_of(waiting), to_value(waiting.row)));
}

}  // namespace mainstay::integration
