#include "runtime/integration/source.hpp"

#include <algorithm>

#include "runtime/base/log.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/integration/release.hpp"

namespace mainstay::integration {

namespace {

using json::Type;
using json::Value;
using record::Action;

// How often a worker looks for what people asked for.
constexpr Millis look_every{500};
constexpr Millis trim_every{5'000};
constexpr std::size_t trim_rows = 64;
constexpr std::size_t trim_looked_at = 2'000;
constexpr Millis failure_pause_min{200};
constexpr Millis failure_pause_max{10'000};

std::string position_key(const std::string& adapter) {
  return adapter + "/source";
}

Action position_action(const std::string& adapter, const std::string& position,
                       const std::string& at) {
  Value value = Value::object();
  value.set("adapter", Value::string(adapter));
  value.set("position", Value::string(position));
  value.set("at", Value::string(at));
  return put_action(hub::positions, position_key(adapter), value);
}

std::string text_of(const Value& object, std::string_view name) {
  const Value* found = object.is(Type::object) ? object.find(name) : nullptr;
  return found != nullptr && found->is(Type::string) ? found->text() : std::string{};
}

std::vector<Incoming> incoming_of(std::vector<RawMessage> messages) {
  std::vector<Incoming> incoming;
  incoming.reserve(messages.size());
  for (RawMessage& message : messages) incoming.push_back({std::move(message)});
  return incoming;
}

}  // namespace

Source::Source(const AdapterDefinition& definition, Tenure tenure, Adapter& adapter, HubPort& port,
               Random& random)
    : definition_{definition},
      tenure_{std::move(tenure)},
      adapter_{adapter},
      port_{port},
      intake_{definition_, tenure_, adapter_, port_},
      backoff_{failure_pause_min, failure_pause_max, random} {}

Result<void> Source::load() {
  TRY_ASSIGN(const auto view, port_.view());
  if (const auto row = find_value(*view, hub::positions, position_key(tenure_.adapter));
      row && !MUTANT(takeover_from_the_beginning))
    position_ = text_of(*row, "position");
  path_ = path_of(*view, definition_, source_path, port_.wall());
  intake_.load(*view);
  // An earlier life may have ended between the commit and the acknowledgement.
  acknowledged_ = position_.empty();
  loaded_ = true;
  return {};
}

void Source::counterpart_failed(const Error& error) {
  if (trouble_.empty())
    log_warn("adapter", "{}: cannot read the counterpart: {}", tenure_.adapter, to_string(error));
  trouble_ = to_string(error);
  pause_ = backoff_.next();
  next_fetch_ = port_.monotonic() + pause_;
}

Result<Step> Source::step() {
  if (!loaded_) TRY(load());
  if (port_.monotonic() >= next_look_) {
    TRY_ASSIGN(const Step looked, look_for_requests());
    if (looked != Step::idle) return looked;
    next_look_ = port_.monotonic() + look_every;
  }
  if (port_.monotonic() >= next_trim_) {
    TRY_ASSIGN(const Step trimmed, trim());
    if (trimmed != Step::idle) return trimmed;
    next_trim_ = port_.monotonic() + trim_every;
  }
  if (trouble_.empty() != path_.trouble.empty()) return tell_trouble();
  // Turn by turn, so that neither the past nor the present waits for the other.
  backfill_next_ = backfill_ && !backfill_next_;
  if (backfill_next_) return backfill();
  if (port_.monotonic() >= next_fetch_) {
    TRY_ASSIGN(const Step fetched, fetch());
    return backfill_ && fetched == Step::idle ? Step::worked : fetched;
  }
  if (backfill_) return Step::worked;
  pause_ =
      std::clamp(std::chrono::ceil<Millis>(next_fetch_ - port_.monotonic()), Millis{1}, look_every);
  return Step::idle;
}

// At every node it shows whether the counterpart can be read; how it cannot may vary.
Result<Step> Source::tell_trouble() {
  path_.trouble = trouble_;
  return commit_actions(port_, tenure_, {put_path(path_)});
}

Result<Step> Source::fetch() {
  if (!acknowledged_) {
    if (const auto done = adapter_.acknowledge(position_); !done) {
      counterpart_failed(done.error());
      return Step::idle;
    }
    acknowledged_ = true;
  }
  const WallTime began = port_.wall();
  auto page = adapter_.fetch(position_, definition_.source->messages_max);
  if (!page) {
    counterpart_failed(page.error());
    return Step::idle;
  }
  if (!trouble_.empty()) log_info("adapter", "{}: reads the counterpart again", tenure_.adapter);
  trouble_.clear();
  backoff_.reset();
  const bool more = page->more;
  const bool moved = page->position != position_;
  const bool empty = page->messages.empty();
  std::vector<Action> with;
  if (moved)
    with.push_back(position_action(tenure_.adapter, page->position, time_text(port_.wall())));
  // With this page everything is in that the counterpart had when the fetch began.
  const bool beats =
      (!more || MUTANT(heartbeat_before_messages)) && port_.monotonic() >= next_heartbeat_;
  PathRow path = path_;
  if (beats) {
    path.sent = time_text(began);
    path.arrived = time_text(port_.wall());
    path.trouble.clear();
    with.push_back(put_path(path));
  }
  TRY_ASSIGN(const Step step, intake_.take(incoming_of(std::move(page->messages)), with));
  if (step == Step::ended) return step;
  position_ = std::move(page->position);
  if (beats) {
    path_ = std::move(path);
    next_heartbeat_ = port_.monotonic() + definition_.heartbeat;
  }
  acknowledged_ = acknowledged_ && !moved;
  if (!acknowledged_ && adapter_.acknowledge(position_)) acknowledged_ = true;
  if (more || !empty) return Step::worked;
  pause_ = std::min(definition_.source->poll, look_every);
  next_fetch_ = port_.monotonic() + definition_.source->poll;
  return Step::idle;
}

Result<Step> Source::look_for_requests() {
  std::optional<CommandRow> asked;
  {
    TRY_ASSIGN(const auto view, port_.view());
    intake_.load(*view);
    asked = backfill_ ? find_command(*view, tenure_, {"replay"})
                      : find_command(*view, tenure_, {"replay", "backfill", "sweep"});
  }
  if (auto letters = intake_.due(); !letters.empty()) return replay(std::move(letters));
  if (!asked) return Step::idle;
  if (asked->command == "replay") return release_letters(port_, tenure_, *std::move(asked));
  backfill_ = *std::move(asked);
  return Step::worked;
}

Result<Step> Source::replay(std::vector<std::pair<std::string, LetterRow>> letters) {
  std::vector<Incoming> incoming;
  for (auto& [key, letter] : letters) {
    Incoming one;
    one.message = {letter.id,      letter.version,      letter.type,
                   letter.subject, letter.content_type, letter.body};
    one.letter = std::move(letter);
    one.letter_key = key;
    incoming.push_back(std::move(one));
  }
  return intake_.take(std::move(incoming), {});
}

Result<Step> Source::finish_backfill(std::string state, std::string detail) {
  CommandRow command = *std::move(backfill_);
  backfill_.reset();
  command.state = std::move(state);
  command.detail = std::move(detail);
  log_info("adapter", "{}: {} {} {}{}", tenure_.adapter, command.command, command.id, command.state,
           command.detail.empty() ? "" : ": " + command.detail);
  return commit_actions(port_, tenure_,
                        {put_action(hub::commands, command_key(command), to_value(command))});
}

// A sweep is the backfill of everything, one type after the other: where the last page stands in
// its progress. This type is done, or the counterpart cannot read it again (`failed`).
Result<Step> Source::go_on_sweeping(const std::string& type, const Error* failed) {
  CommandRow& command = *backfill_;
  const auto& types = definition_.source->types;
  const bool only_one = !text_of(command.arguments, "type").empty();
  const auto next = only_one ? types.end() : types.upper_bound(type);
  if (failed != nullptr) {
    const std::string before = text_of(command.progress, "left");
    command.progress.set("left", Value::string((before.empty() ? "" : before + "; ") + type + ": " +
                                               failed->message));
  }
  if (next == types.end()) {
    const std::string left = text_of(command.progress, "left");
    const bool nothing = !left.empty() && command.progress.find("read") == nullptr;
    return finish_backfill(nothing ? "failed" : "done", left.empty() ? "" : "not read: " + left);
  }
  command.state = "running";
  command.progress.set("type", Value::string(next->first));
  command.progress.set("position", Value::string(""));
  return commit_actions(port_, tenure_,
                        {put_action(hub::commands, command_key(command), to_value(command))});
}

Result<Step> Source::backfill() {
  CommandRow& command = *backfill_;
  const bool sweeps = command.command == "sweep";
  Range range{text_of(command.arguments, "type"), text_of(command.arguments, "from"),
              text_of(command.arguments, "to")};
  if (command.progress.is(Type::null)) command.progress = Value::object();
  if (sweeps && range.type.empty()) {
    range.type = text_of(command.progress, "type");
    if (range.type.empty()) range.type = definition_.source->types.begin()->first;
  }
  auto page = adapter_.backfill(range, text_of(command.progress, "position"),
                                definition_.source->messages_max);
  if (!page) {
    const bool later = page.error().code == Errc::unavailable ||
                       page.error().code == Errc::deadline_exceeded ||
                       page.error().code == Errc::busy;
    if (!later && sweeps) return go_on_sweeping(range.type, &page.error());
    if (!later) return finish_backfill("failed", to_string(page.error()));
    counterpart_failed(page.error());
    return Step::idle;
  }
  std::uint64_t messages = page->messages.size();
  if (const Value* count = command.progress.find("messages"); count != nullptr)
    messages += std::stoull(count->text());
  command.state = "running";
  if (sweeps) {
    command.progress.set("type", Value::string(range.type));
    command.progress.set("read", Value::boolean(true));
  }
  command.progress.set("position", Value::string(page->position));
  command.progress.set("messages", Value::number(std::to_string(messages)));
  const bool more = page->more;
  TRY_ASSIGN(const Step step,
             intake_.take(incoming_of(std::move(page->messages)),
                          {put_action(hub::commands, command_key(command), to_value(command))}));
  if (step == Step::ended) return step;
  if (!more && sweeps) return go_on_sweeping(range.type, nullptr);
  if (!more) return finish_backfill("done", "");
  return Step::worked;
}

// Forgets messages that came so long ago that they do not come again: some rows at a time, round
// and round.
Result<Step> Source::trim() {
  const std::string before = time_text(port_.wall() - definition_.source->inbox_kept);
  std::vector<Action> actions;
  std::size_t looked_at = 0;
  std::string last;
  {
    TRY_ASSIGN(const auto view, port_.view());
    view->scan_records(hub::inbox, tenure_.adapter + "/", trimmed_to_,
                       [&](std::string_view key, const record::Record& record) {
                         last = key;
                         if (!record.tombstone) {
                           const auto value = json::parse(record.value.view());
                           if (value && text_of(*value, "at") < before) {
                             Action action;
                             action.kind = record::ActionKind::remove;
                             action.collection = hub::inbox;
                             action.key = key;
                             actions.push_back(std::move(action));
                           }
                         }
                         return ++looked_at < trim_looked_at && actions.size() < trim_rows;
                       });
  }
  const bool whole = looked_at < trim_looked_at && actions.size() < trim_rows;
  trimmed_to_ = whole ? std::string{} : last;
  if (actions.empty()) return Step::idle;
  return commit_actions(port_, tenure_, std::move(actions));
}

}  // namespace mainstay::integration
