#include "runtime/integration/intake.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/mutant.hpp"

namespace mainstay::integration {

namespace {

using json::Type;
using json::Value;
using record::Action;
using record::ActionKind;

// The member of a record that says where it came from; no part of its content.
constexpr const char* provenance = "origin";
// Of one commit; a transaction's own bounds are higher (runtime/base/limits.hpp).
constexpr std::size_t group_actions_max = 240;
constexpr std::size_t group_checks_max = 240;
constexpr std::size_t group_bytes_max = 768 * limits::kib;
constexpr std::size_t message_records_max = 200;
// A message that is refused for what others wrote at the same moment is planned again so often.
constexpr std::size_t replans_max = 8;

std::string hash_text(std::string_view body) {
  const Hash128 hash = xxh3_128(body);
  return fmt::format("{:016x}{:016x}", hash[0], hash[1]);
}

std::string letter_id(const RawMessage& message) {
  return message.version.empty() ? message.id : message.id + "@" + message.version;
}

const std::string& subject_of(const RawMessage& message) {
  return message.subject.empty() ? message.id : message.subject;
}

std::string text_of(const Value& object, std::string_view name) {
  const Value* found = object.is(Type::object) ? object.find(name) : nullptr;
  return found != nullptr && found->is(Type::string) ? found->text() : std::string{};
}

std::string without_provenance(Value value) {
  if (value.is(Type::object)) value.erase(provenance);
  return json::canonical_text(value);
}

// As numbers when both are, else as text.
bool is_older(const std::string& sequence, const std::string& stored) {
  if (sequence.empty() || stored.empty()) return false;
  if (json::is_number(sequence) && json::is_number(stored))
    return json::number_of(sequence) < json::number_of(stored);
  return sequence < stored;
}

std::string shape_key(const std::string& adapter, const std::string& type) {
  return adapter + "/" + key_part(type);
}

std::string mapping_text(const Mapping& mapping) {
  return mapping.name() + "@" + std::to_string(mapping.version());
}

}  // namespace

// What one message comes to.
struct Intake::Plan {
  enum class End : std::uint8_t { accepted, duplicate, parked } end = End::accepted;
  InboxRow inbox;
  std::vector<Action> actions;
  std::vector<record::RecordCheck> checks;
  std::vector<std::pair<std::string, LetterRow>> letters;  // written with it
  std::size_t bytes = 0;
  std::size_t records = 0;
  std::size_t stale = 0;
  bool unmapped = false;
  bool grown = false;
  std::shared_ptr<const Fingerprint> learned;  // of the message's type; null: nothing

  void add(Action action) {
    bytes += action.key.size() + action.value.size() + 64;
    actions.push_back(std::move(action));
  }
};

// What one commit holds.
struct Intake::Group {
  record::Command command;
  std::vector<Plan> plans;
  // Of each action and check: which plan; the tenure's check belongs to none.
  std::vector<std::size_t> action_owner;
  std::vector<std::size_t> check_owner;
  std::set<std::pair<std::string, std::string>> touched;
  std::set<std::string> parked;  // subjects
  Shapes shapes;
  std::size_t bytes = 0;

  bool has_room_for(const Plan& plan) const {
    return command.actions.size() + plan.actions.size() <= group_actions_max &&
           command.checks.size() + plan.checks.size() <= group_checks_max &&
           bytes + plan.bytes <= group_bytes_max;
  }
  bool touches(const Plan& plan) const {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [this](const Action& action) {
      return touched.contains({action.collection, action.key});
    });
  }
  void add(Plan plan) {
    for (Action& action : plan.actions) {
      touched.emplace(action.collection, action.key);
      action_owner.push_back(plans.size());
      command.actions.push_back(std::move(action));
    }
    for (record::RecordCheck& check : plan.checks) {
      check_owner.push_back(plans.size());
      command.checks.push_back(std::move(check));
    }
    bytes += plan.bytes;
    if (plan.end == Plan::End::parked) parked.insert(plan.inbox.subject);
    plans.push_back(std::move(plan));
  }
};

Intake::Intake(const AdapterDefinition& definition, const Tenure& tenure, Adapter& adapter,
               HubPort& port)
    : definition_{definition}, tenure_{tenure}, adapter_{adapter}, port_{port} {}

void Intake::load(const record::StateReader& view) {
  if (shapes_.empty())
    for (const auto& [type, mapping] : definition_.source->types)
      if (const auto row = find_value(view, hub::fingerprints, shape_key(tenure_.adapter, type)))
        if (auto shape = Fingerprint::parse(*row))
          shapes_.insert_or_assign(type, std::make_shared<const Fingerprint>(*std::move(shape)));
  letters_.clear();
  scan_open(view, hub::letters, tenure_.adapter,
            [this](std::string_view key, const Value& value, const record::Record&) {
              auto letter = letter_row(value);
              if (!letter || letter->direction != "in") return true;
              auto& of_subject = letters_[letter->subject];
              const std::pair place{letter->first, std::string{key}};
              of_subject.insert_or_assign(place, *std::move(letter));
              return true;
            });
}

std::vector<std::pair<std::string, LetterRow>> Intake::due() const {
  std::vector<std::pair<std::string, LetterRow>> due;
  const std::string behind{to_string(LetterClass::behind)};
  for (const auto& [subject, letters] : letters_) {
    for (const auto& [place, letter] : letters) {
      const bool first = &letter == &letters.begin()->second;
      if (letter.state == "replay" || (first && letter.kind == behind))
        due.emplace_back(place.second, letter);
    }
  }
  return due;
}

bool Intake::waits_behind(const Incoming& incoming) const {
  if (definition_.source->order == SubjectOrder::latest || MUTANT(parked_subject_overtaken))
    return false;
  const auto found = letters_.find(subject_of(incoming.message));
  if (found == letters_.end()) return false;
  // One that is tried again waits for those before it only.
  return !incoming.letter || found->second.begin()->first.second != incoming.letter_key;
}

bool Intake::is_ledger(const record::StateReader& view, const std::string& collection) {
  const auto row = view.find_collection(collection);
  if (!row) return false;
  auto& known = ledgers_[collection];
  if (known.first != row->declared) {
    const auto value = find_value(view, record::system_collection::collections, collection);
    known = {row->declared, value && text_of(*value, "kind") == "ledger"};
  }
  return known.second;
}

void Intake::park(const Incoming& incoming, LetterClass kind, std::string reason, Plan& plan) {
  const RawMessage& message = incoming.message;
  plan.end = Plan::End::parked;
  plan.actions.clear();
  plan.checks.clear();
  plan.letters.clear();
  plan.bytes = 0;
  plan.inbox.records.clear();
  const std::string now = time_text(port_.wall());
  LetterRow letter;
  if (incoming.letter) letter = *incoming.letter;
  letter.adapter = tenure_.adapter;
  letter.direction = "in";
  letter.id = message.id;
  letter.version = message.version;
  letter.type = message.type;
  letter.subject = subject_of(message);
  letter.trace = plan.inbox.trace.empty() ? letter.trace : plan.inbox.trace;
  letter.kind = to_string(kind);
  letter.reason = std::move(reason);
  letter.body = message.body;
  letter.content_type = message.content_type;
  letter.mapping = plan.inbox.mapping;
  letter.attempts += 1;
  if (letter.first.empty()) letter.first = now;
  letter.last = now;
  letter.state = "parked";
  const std::string key =
      incoming.letter ? incoming.letter_key : letter_key(tenure_.adapter, "in", letter_id(message));
  plan.add(put_action(hub::letters, key, to_value(letter)));
  plan.letters.emplace_back(key, std::move(letter));
}

// What a newer message of the subject, or the letter's own success, does to its letters.
void Intake::resolve_letters(const Incoming& incoming, Plan& plan) {
  // One that could not even be read has its id as subject.
  for (const std::string& subject :
       std::set<std::string>{subject_of(incoming.message), incoming.message.id}) {
    const auto found = letters_.find(subject);
    if (found == letters_.end()) continue;
    for (const auto& [place, letter] : found->second) {
      const bool own = incoming.letter && place.second == incoming.letter_key;
      const bool superseded = !incoming.letter &&
                              definition_.source->order == SubjectOrder::latest &&
                              letter.id == incoming.message.id;
      if (!own && !superseded) continue;
      LetterRow resolved = letter;
      resolved.state = "resolved";
      resolved.last = time_text(port_.wall());
      if (superseded) resolved.reason += "; then version " + incoming.message.version + " came";
      plan.add(put_action(hub::letters, place.second, to_value(resolved)));
      plan.letters.emplace_back(place.second, std::move(resolved));
    }
  }
}

bool Intake::plan_record(const record::StateReader& view, const Incoming& incoming,
                         const Mapping& mapping, MappedRecord mapped, Plan& plan) {
  using Operation = MappedRecord::Operation;
  plan.inbox.records.emplace_back(mapped.collection, mapped.key);
  Action action;
  action.collection = mapped.collection;
  action.key = mapped.key;
  if (mapped.operation == Operation::post && is_ledger(view, mapped.collection)) {
    action.kind = ActionKind::post;
    action.value = Bytes{json::to_text(mapped.value)};
    plan.add(std::move(action));
    ++plan.records;
    return true;
  }
  const auto before = view.find_record(mapped.collection, mapped.key);
  const bool live = before && !before->tombstone;
  std::optional<Value> stored;
  if (live) {
    if (auto value = json::parse(before->value.view())) stored = *std::move(value);
  }
  record::RecordCheck check{mapped.collection, mapped.key, {}};
  if (live)
    check.condition.version_is = before->version;
  else
    check.condition.must_be_absent = true;
  if (mapped.operation == Operation::remove) {
    if (!live) return true;
    action.kind = ActionKind::remove;
    plan.checks.push_back(std::move(check));
    plan.add(std::move(action));
    ++plan.records;
    return true;
  }
  const Value* known = stored && stored->is(Type::object) ? stored->find(provenance) : nullptr;
  if (known != nullptr && mapped.operation != Operation::post &&
      is_older(mapped.sequence, text_of(*known, "sequence")) && !MUTANT(stale_message_applied)) {
    ++plan.stale;
    return true;
  }
  Value value;
  if (mapped.operation == Operation::merge) {
    value = stored.value_or(Value::object());
    json::merge(value, mapped.value);
  } else {
    value = std::move(mapped.value);
  }
  if (stored && without_provenance(value) == without_provenance(*stored)) return true;
  if (mapped.operation == Operation::post && stored) {
    park(
        incoming, LetterClass::conflict,
        fmt::format("fact '{}' of '{}' is known with other content", mapped.key, mapped.collection),
        plan);
    return false;
  }
  if (value.is(Type::object)) {
    const Value* said = value.find(provenance);
    Value from = said != nullptr && said->is(Type::object) ? *said : Value::object();
    if (from.find("system") == nullptr) from.set("system", Value::string(tenure_.adapter));
    from.set("id", Value::string(incoming.message.id));
    if (!incoming.message.version.empty())
      from.set("version", Value::string(incoming.message.version));
    if (!mapped.sequence.empty()) from.set("sequence", Value::string(mapped.sequence));
    from.set("mapping", Value::string(mapping_text(mapping)));
    value.set(provenance, std::move(from));
  }
  action.kind = ActionKind::put;
  action.value = Bytes{json::to_text(value)};
  plan.checks.push_back(std::move(check));
  plan.add(std::move(action));
  ++plan.records;
  return true;
}

// A source that changes is seen at its first message. What only grew is taken and reported; what
// breaks parks, and its release accepts the new shape.
bool Intake::fits_shape(const Incoming& incoming, const Value& document, Plan& plan,
                        const Shapes& shapes) {
  const std::string& type = incoming.message.type;
  static const Fingerprint nothing_known;
  const auto found = shapes.find(type);
  const Fingerprint& known = plan.learned            ? *plan.learned
                             : found != shapes.end() ? *found->second
                                                     : nothing_known;
  if (teaches_nothing(known, document)) return true;
  Compared compared = compare(known, document);
  const auto changes = [&compared] {
    std::string text;
    for (const std::string& change : compared.changes) text += (text.empty() ? "" : "; ") + change;
    return text;
  };
  if (compared.drift == Drift::breaking && !incoming.letter) {
    park(incoming, LetterClass::drift,
         "unlike every '" + type + "' before: " + changes() +
             "; to release it accepts the new shape",
         plan);
    return false;
  }
  if (compared.drift != Drift::unchanged) {
    plan.grown = true;
    log_warn("adapter", "{}: messages of type '{}' have changed: {}", tenure_.adapter, type,
             changes());
  }
  plan.learned = std::make_shared<const Fingerprint>(std::move(compared.next));
  return true;
}

// With what the messages of this commit taught.
void Intake::add_shapes(Group& group) {
  for (const auto& [type, shape] : group.shapes) {
    const auto known = shapes_.find(type);
    if (known != shapes_.end() && known->second == shape) continue;
    const bool learned = known == shapes_.end() || known->second->fields() != shape->fields() ||
                         (shape->documents() == limits::fingerprint_documents &&
                          known->second->documents() < limits::fingerprint_documents);
    if (!learned) continue;
    Value row = shape->to_json();
    row.set("adapter", Value::string(tenure_.adapter));
    row.set("type", Value::string(type));
    row.set("at", Value::string(time_text(port_.wall())));
    group.action_owner.push_back(SIZE_MAX);
    group.command.actions.push_back(
        put_action(hub::fingerprints, shape_key(tenure_.adapter, type), row));
  }
}

void Intake::plan_records(const record::StateReader& view, const Incoming& incoming, Plan& plan,
                          const Shapes& shapes) {
  const RawMessage& message = incoming.message;
  const auto type = definition_.source->types.find(message.type);
  if (type == definition_.source->types.end())
    return park(incoming, LetterClass::unparsable,
                "the definition names no mapping for type '" + message.type + "'", plan);
  const Mapping& mapping = *type->second;
  plan.inbox.mapping = mapping_text(mapping);
  auto documents = adapter_.decode(message);
  if (!documents)
    return park(incoming, LetterClass::unparsable, to_string(documents.error()), plan);
  const MapContext context{tenure_.adapter, message.id, message.version, plan.inbox.at};
  std::set<std::pair<std::string, std::string>> names;
  for (const Value& document : *documents) {
    if (!fits_shape(incoming, document, plan, shapes)) return;
    auto mapped = mapping.apply(document, context);
    if (!mapped) return park(incoming, LetterClass::refused, to_string(mapped.error()), plan);
    if (plan.inbox.trace.empty()) plan.inbox.trace = mapped->trace;
    plan.unmapped = plan.unmapped || !mapped->unmapped.empty();
    for (MappedRecord& record : mapped->records) {
      if (!names.emplace(record.collection, record.key).second)
        return park(incoming, LetterClass::refused,
                    fmt::format("the message makes record '{}' of '{}' twice", record.key,
                                record.collection),
                    plan);
      if (names.size() > message_records_max)
        return park(
            incoming, LetterClass::refused,
            fmt::format("the message makes more than {} records; split it", message_records_max),
            plan);
      if (!plan_record(view, incoming, mapping, std::move(record), plan)) return;
    }
  }
}

Intake::Plan Intake::plan(const record::StateReader& view, const Incoming& incoming,
                          const Shapes& shapes) {
  const RawMessage& message = incoming.message;
  Plan plan;
  plan.inbox.adapter = tenure_.adapter;
  plan.inbox.id = message.id;
  plan.inbox.version = message.version;
  plan.inbox.type = message.type;
  plan.inbox.subject = subject_of(message);
  plan.inbox.at = time_text(port_.wall());
  plan.inbox.hash = hash_text(message.body);
  const std::string key = inbox_key(tenure_.adapter, message.id, message.version);
  if (!incoming.letter && !MUTANT(inbox_not_asked)) {
    if (const auto known = find_value(view, hub::inbox, key)) {
      plan.end = Plan::End::duplicate;
      if (text_of(*known, "hash") == plan.inbox.hash) return plan;
      // Never applied, never overwritten: shown.
      park(incoming, LetterClass::conflict,
           "the message came before under this id and version, with other content", plan);
      const std::string letter = plan.letters.front().first;
      if (find_value(view, hub::letters, letter)) {
        plan = Plan{};
        plan.end = Plan::End::duplicate;
      }
      return plan;
    }
  }
  const auto refused = refused_.find({message.id, message.version});
  if (refused != refused_.end())
    park(incoming, refused->second.first, refused->second.second, plan);
  else if (waits_behind(incoming))
    park(incoming, LetterClass::behind, "an earlier message of this subject is parked", plan);
  else
    plan_records(view, incoming, plan, shapes);
  if (plan.end == Plan::End::accepted) resolve_letters(incoming, plan);
  if (!incoming.letter && !MUTANT(inbox_not_asked)) {
    record::RecordCheck once{hub::inbox, key, {}};
    once.condition.must_be_absent = true;
    plan.checks.push_back(std::move(once));
  }
  plan.add(put_action(hub::inbox, key, to_value(plan.inbox)));
  return plan;
}

void Intake::count(const Group& group) {
  shapes_ = group.shapes;
  for (const Plan& plan : group.plans) {
    counts_.fetched += 1;
    counts_.records += plan.records;
    counts_.stale += plan.stale;
    if (plan.unmapped) ++counts_.unmapped;
    if (plan.grown) ++counts_.grown;
    if (plan.end == Plan::End::duplicate) ++counts_.duplicates;
    if (plan.end == Plan::End::accepted) ++counts_.accepted;
    if (plan.end == Plan::End::parked) ++counts_.parked;
    for (const auto& written : plan.letters) {
      const LetterRow& letter = written.second;
      auto& of_subject = letters_[letter.subject];
      std::erase_if(of_subject,
                    [&written](const auto& one) { return one.first.second == written.first; });
      if (letter.is_open()) of_subject.insert_or_assign({letter.first, written.first}, letter);
      if (of_subject.empty()) letters_.erase(letter.subject);
    }
    refused_.erase({plan.inbox.id, plan.inbox.version});
  }
}

// After a refused commit: whose fault, and what then.
Result<Step> Intake::settle(const Group& group, const record::Outcome& outcome) {
  if (is_over(outcome, group.command)) return Step::ended;
  const bool by_action = outcome.part == record::Part::action;
  // A check failed: somebody else wrote meanwhile, or an earlier copy of this very commit came
  // through. What is there now decides.
  if (outcome.part == record::Part::check) return Step::worked;
  if (!by_action || outcome.position >= group.action_owner.size())
    return fail(Errc::internal, "the hub's commit was refused: " + outcome.detail);
  const Plan& owner = group.plans[group.action_owner[outcome.position]];
  if (refused_.contains({owner.inbox.id, owner.inbox.version}))
    return fail(Errc::internal, "a dead letter was refused: " + outcome.detail);
  const LetterClass kind =
      outcome.refused == Errc::conflict ? LetterClass::conflict : LetterClass::refused;
  refused_[{owner.inbox.id, owner.inbox.version}] = {
      kind, std::string{to_string(*outcome.refused)} + ": " + outcome.detail};
  return Step::worked;
}

Result<Step> Intake::take(std::vector<Incoming> messages, std::vector<Action> with) {
  std::size_t next = 0;
  std::size_t replans = 0;
  for (;;) {
    TRY_ASSIGN(const auto view, port_.view());
    Group group;
    group.command.checks.push_back(check_of(tenure_));
    group.check_owner.push_back(SIZE_MAX);
    group.shapes = shapes_;
    std::size_t at = next;
    for (; at < messages.size(); ++at) {
      // What this message does depends on letters that are only being written.
      if (group.parked.contains(subject_of(messages[at].message))) break;
      Plan one = plan(*view, messages[at], group.shapes);
      const bool fits = group.plans.empty() || (group.has_room_for(one) && !group.touches(one));
      if (!fits) break;
      // Only what was taken teaches: else the first bad one would make all good ones drift.
      if (one.end == Plan::End::accepted && one.learned)
        group.shapes.insert_or_assign(messages[at].message.type, one.learned);
      if (one.end == Plan::End::parked && MUTANT(parked_message_dropped)) continue;
      group.add(std::move(one));
    }
    add_shapes(group);
    const bool last = at == messages.size();
    if (last || MUTANT(position_before_messages))
      for (const Action& action : with) {
        group.action_owner.push_back(SIZE_MAX);
        group.command.actions.push_back(action);
      }
    if (!group.command.actions.empty()) {
      record::Command command = group.command;
      TRY_ASSIGN(const record::Outcome outcome, port_.commit(std::move(command)));
      if (outcome.refused) {
        if (++replans > replans_max + messages.size())
          return fail(Errc::busy, "others write the same records all the time: " + outcome.detail);
        TRY_ASSIGN(const Step step, settle(group, outcome));
        if (step == Step::ended) return step;
        continue;
      }
    }
    count(group);
    next = at;
    if (last) return messages.empty() ? Step::idle : Step::worked;
  }
}

}  // namespace mainstay::integration
