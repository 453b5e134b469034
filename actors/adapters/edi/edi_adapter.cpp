#include "actors/adapters/edi/edi_adapter.hpp"

#include <algorithm>
#include <chrono>

#include "actors/adapters/edi/edi_settings.hpp"
#include "actors/adapters/folder/folder_place.hpp"
#include "actors/adapters/folder/names.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/integration/edi/acknowledgement.hpp"

namespace mainstay::adapters {

namespace {

using edi::Group;
using edi::Guide;
using edi::Interchange;
using edi::Standard;
using edi::Transaction;
using integration::Effect;
using integration::EffectResult;
using integration::Page;
using integration::RawMessage;
using integration::Verdict;
using json::Type;
using json::Value;

constexpr std::string_view acknowledgement_set = "997";

std::string digits(std::uint64_t number, std::size_t size) {
  std::string text = std::to_string(number);
  return text.size() >= size ? text : std::string(size - text.size(), '0') + text;
}

// Nine digits that are the same for the same text, and hardly ever for another.
std::string control_of(std::string_view text) {
  return digits(xxh3_128(text)[0] % 999'999'999 + 1, 9);
}

std::string id_of(const Interchange& interchange, const Group& group,
                  const Transaction& transaction) {
  std::string id = interchange.sender.id + "/" + interchange.control;
  if (!group.control.empty()) id += "/" + group.control;
  return id + "/" + transaction.control;
}

void set_text(Value& object, std::string name, const std::string& value) {
  if (!value.empty()) object.set(std::move(name), Value::string(value));
}

Value envelope_of(const Interchange& interchange, const Group& group,
                  const Transaction& transaction) {
  const bool x12 = interchange.standard == Standard::x12;
  Value value = Value::object();
  set_text(value, "standard", x12 ? "x12" : "edifact");
  set_text(value, "set", transaction.set);
  set_text(value, "version", x12 ? group.version : transaction.version);
  set_text(value, "sender_qualifier", interchange.sender.qualifier);
  set_text(value, "sender", interchange.sender.id);
  set_text(value, "receiver_qualifier", interchange.receiver.qualifier);
  set_text(value, "receiver", interchange.receiver.id);
  set_text(value, "date", interchange.date);
  set_text(value, "time", interchange.time);
  set_text(value, "interchange", interchange.control);
  set_text(value, "group", group.control);
  set_text(value, "group_id", group.id);
  set_text(value, "transaction", transaction.control);
  value.set("test", Value::boolean(interchange.test));
  return value;
}

// "7", "000000007": what the other side calls our effect in its 997.
void add_controls(Value& receipt, const edi::Envelope& envelope, const EdiOut& out) {
  receipt.set("set", Value::string(out.set));
  receipt.set("interchange", Value::string(envelope.control));
  if (envelope.standard == Standard::x12)
    receipt.set("group", Value::string(std::to_string(std::stoul(envelope.control))));
}

Result<std::string> control_number(const EdiOut& out, const Effect& effect) {
  if (out.control.empty()) return control_of(effect.key);
  const Value* found = json::find(effect.document, out.control);
  const bool text = found != nullptr && (found->is(Type::string) || found->is(Type::number));
  if (!text || found->text().empty() || found->text().size() > 9 ||
      found->text().find_first_not_of("0123456789") != std::string::npos)
    return fail(Errc::invalid_argument,
                "the document has no number of at most nine digits at " + out.control);
  return found->text();
}

}  // namespace

EdiAdapter::EdiAdapter(std::unique_ptr<Folder> folder, const sys::Clock& clock,
                       EdiAdapterOptions options)
    : folder_{std::move(folder)},
      clock_{clock},
      options_{std::move(options)},
      source_{*folder_,
              clock,
              options_.source,
              [this](std::string_view name) -> std::optional<std::string> {
                if (!matches(options_.pattern, name)) return std::nullopt;
                return "";
              },
              [this](const std::string&, std::string content, const std::string&) {
                return split(content);
              },
              [this](const std::string&, std::string content) { return answer(content); }} {}

integration::AdapterTraits EdiAdapter::traits() const {
  return {
      .has_source = options_.has_source, .has_effects = !options_.out.empty(), .idempotent = true};
}

const EdiOut* EdiAdapter::out_of(std::string_view type) const {
  const auto at = std::find_if(options_.out.begin(), options_.out.end(),
                               [type](const EdiOut& out) { return out.type == type; });
  return at == options_.out.end() ? nullptr : &*at;
}

Result<std::vector<RawMessage>> EdiAdapter::split(const std::string& content) const {
  TRY_ASSIGN(const std::vector<Interchange> interchanges, edi::read_interchanges(content));
  std::vector<RawMessage> messages;
  for (const Interchange& interchange : interchanges) {
    const std::string& us = options_.envelope.sender.id;
    if (!us.empty() && interchange.receiver.id != us)
      return fail(Errc::invalid_argument, "the interchange " + interchange.control + " is for '" +
                                              interchange.receiver.id + "', not for '" + us + "'");
    for (const Group& group : interchange.groups) {
      for (const Transaction& transaction : group.transactions) {
        RawMessage message;
        message.id = id_of(interchange, group, transaction);
        message.version = content_hash(std::string_view{content}.substr(
            transaction.begin, transaction.end - transaction.begin));
        message.type = transaction.set;
        message.content_type =
            interchange.standard == Standard::x12 ? "application/EDI-X12" : "application/EDIFACT";
        message.body = edi::alone(content, interchange, group, transaction);
        const Guide* guide =
            edi::find_guide(options_.guides, interchange.standard, transaction.set);
        if (guide != nullptr) {
          const auto document = edi::read_document(*guide, transaction.segments);
          const Value* number = document ? json::find(*document, guide->number) : nullptr;
          if (number != nullptr && number->is(Type::string)) message.subject = number->text();
        }
        messages.push_back(std::move(message));
      }
    }
  }
  return messages;
}

Result<std::vector<Value>> EdiAdapter::decode(const RawMessage& message) {
  if (message.content_type == unreadable_content)
    return fail(Errc::invalid_argument, message.body.substr(0, message.body.find('\n')));
  TRY_ASSIGN(const std::vector<Interchange> interchanges, edi::read_interchanges(message.body));
  if (interchanges.size() != 1 || interchanges[0].groups.size() != 1 ||
      interchanges[0].groups[0].transactions.size() != 1)
    return fail(Errc::invalid_argument, "expected one transaction");
  const Interchange& interchange = interchanges[0];
  const Group& group = interchange.groups[0];
  const Transaction& transaction = group.transactions[0];
  if (!transaction.fault.message.empty())
    return fail(Errc::invalid_argument, transaction.fault.message);
  const Guide* guide = edi::find_guide(options_.guides, interchange.standard, transaction.set);
  if (guide == nullptr)
    return fail(Errc::invalid_argument,
                "there is no guide for " + transaction.set + ": see the setting guides");
  TRY_ASSIGN(const Value read, edi::read_document(*guide, transaction.segments));
  Value document = Value::object();
  document.set("envelope", envelope_of(interchange, group, transaction));
  for (const auto& [name, value] : read.members()) document.set(name, value);
  std::vector<Value> documents;
  documents.push_back(std::move(document));
  return documents;
}

// The 997s for what a file holds: under names and control numbers that follow from it, so that an
// acknowledgement that is repeated writes nothing new.
Result<void> EdiAdapter::answer(const std::string& content) {
  if (!options_.acknowledge) return {};
  TRY_ASSIGN(const std::vector<Interchange> interchanges, edi::read_interchanges(content));
  const Guide* guide = edi::find_guide(options_.guides, Standard::x12, acknowledgement_set);
  for (const Interchange& interchange : interchanges) {
    if (interchange.standard != Standard::x12) continue;
    for (const Group& group : interchange.groups) {
      if (group.id == guide->group) continue;  // nobody acknowledges acknowledgements
      const std::string about = interchange.sender.id + "/" + interchange.control + "/" +
                                group.control + "/" + content_hash(content).substr(0, 16);
      edi::Envelope envelope = envelope_now(control_of("997/" + about));
      envelope.standard = Standard::x12;
      envelope.delimiters = interchange.delimiters;
      envelope.sender = interchange.receiver;
      envelope.receiver = interchange.sender;
      envelope.group_sender = group.receiver;
      envelope.group_receiver = group.sender;
      envelope.version = group.version;
      envelope.test = interchange.test;
      envelope.wants_acknowledgement = false;
      TRY_ASSIGN(const auto segments,
                 edi::write_document(*guide, edi::acknowledgement_of(group, options_.guides)));
      TRY_ASSIGN(const std::string text,
                 edi::write_interchange(envelope, guide->set, guide->group, segments));
      TRY(folder_->make_directory(options_.acknowledgements.directory));
      const EffectResult put =
          options_.acknowledgements.put(*folder_, "997_" + file_name_part(about) + ".edi", text);
      if (put.verdict != Verdict::done) return fail(Errc::unavailable, put.detail);
    }
  }
  return {};
}

edi::Envelope EdiAdapter::envelope_now(const std::string& control) const {
  edi::Envelope envelope = options_.envelope;
  envelope.control = control;
  const auto now = std::chrono::floor<std::chrono::minutes>(clock_.wall());
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date{day};
  const auto minutes = static_cast<std::uint64_t>((now - day).count());
  envelope.date = digits(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4) +
                  digits(static_cast<unsigned>(date.month()), 2) +
                  digits(static_cast<unsigned>(date.day()), 2);
  envelope.time = digits(minutes / 60, 2) + digits(minutes % 60, 2);
  return envelope;
}

Result<void> EdiAdapter::prepare_source() {
  if (prepared_) return {};
  TRY(prepare(*folder_, options_.source));
  prepared_ = true;
  return {};
}

Result<Page> EdiAdapter::fetch(const std::string& position, std::size_t messages_max) {
  TRY(prepare_source());
  return source_.fetch(position, messages_max);
}

Result<void> EdiAdapter::acknowledge(const std::string& position) {
  TRY(prepare_source());
  return source_.acknowledge(position);
}

Result<Page> EdiAdapter::backfill(const integration::Range& range, const std::string& position,
                                  std::size_t messages_max) {
  TRY(prepare_source());
  return source_.backfill(range, position, messages_max);
}

EffectResult EdiAdapter::apply(const Effect& effect) {
  const EdiOut* out = out_of(effect.type);
  if (out == nullptr)
    return EffectResult::failed(Verdict::refused,
                                "no [[settings.out]] has the type '" + effect.type + "'");
  const auto refused = [](const Error& error) {
    return EffectResult::failed(Verdict::refused, error.message);
  };
  const auto name = fill_template(out->name, effect);
  if (!name) return refused(name.error());
  const auto control = control_number(*out, effect);
  if (!control) return refused(control.error());
  const edi::Envelope envelope = envelope_now(*control);
  const Guide* guide = edi::find_guide(options_.guides, envelope.standard, out->set);
  Value document = effect.document;
  if (!out->control.empty() && document.is(Type::object) &&
      std::count(out->control.begin(), out->control.end(), '/') == 1)
    document.erase(out->control.substr(1));  // it is the envelope's, not a member of the set
  const auto segments = edi::write_document(*guide, document);
  if (!segments) return refused(segments.error());
  const auto text = edi::write_interchange(envelope, guide->set, guide->group, *segments);
  if (!text) return refused(text.error());
  if (const auto made = folder_->make_directory(out->sink.directory); !made)
    return EffectResult::failed(Verdict::transient, made.error().message);
  EffectResult result = out->sink.put(*folder_, *name, *text);
  if (result.verdict == Verdict::done) add_controls(result.receipt, envelope, *out);
  return result;
}

Result<std::optional<Value>> EdiAdapter::lookup(const Effect& effect) {
  const EdiOut* out = out_of(effect.type);
  if (out == nullptr) return std::optional<Value>{};
  const auto name = fill_template(out->name, effect);
  const auto control = control_number(*out, effect);
  if (!name || !control) return std::optional<Value>{};  // apply refused it
  TRY_ASSIGN(std::optional<Value> receipt, out->sink.find(*folder_, *name));
  if (receipt) add_controls(*receipt, envelope_now(*control), *out);
  return receipt;
}

Result<void> EdiAdapter::probe() {
  for (const EdiOut& out : options_.out) TRY(folder_->exists(out.sink.directory));
  return {};
}

Result<std::unique_ptr<integration::Adapter>> make_edi_adapter(
    const integration::AdapterContext& context) {
  Settings settings{context.settings};
  std::unique_ptr<Folder> folder = take_folder(settings, context);
  TRY_ASSIGN(EdiAdapterOptions options, take_edi_options(settings, context.directory));
  return std::unique_ptr<integration::Adapter>{
      std::make_unique<EdiAdapter>(std::move(folder), sys::system_clock(), std::move(options))};
}

}  // namespace mainstay::adapters
