// map test: what a mapping makes of a document. Needs no cluster.
#include <fstream>
#include <istream>
#include <iterator>
#include <ostream>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/integration/canonical.hpp"
#include "runtime/integration/mapping.hpp"

namespace mainstay::tool {

namespace {

using integration::Mapped;
using integration::MappedEffect;
using integration::MappedRecord;
using integration::Mapping;

// A document that a rule or a schema refuses, and one with fields that no rule read.
constexpr int refused_code = 7;
constexpr int unmapped_code = 1;

struct MapOptions {
  std::string mapping, document;
  std::string adapter = "test", id = "1", version, time = "1970-01-01T00:00:00Z";
  bool strict = false;
};

Result<json::Value> read_json(const Run& run, const std::string& file) {
  std::string content;
  if (file == "-") {
    content.assign(std::istreambuf_iterator<char>{run.world.in}, {});
  } else {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) return fail(Errc::not_found, "there is no file '" + file + "' that can be read");
    content.assign(std::istreambuf_iterator<char>{stream}, {});
  }
  auto value = json::parse(content);
  if (!value) return fail(Errc::invalid_argument, file + ": " + value.error().message);
  return value;
}

std::string_view name_of(MappedRecord::Operation operation) {
  using Operation = MappedRecord::Operation;
  switch (operation) {
    case Operation::put:
      return "put";
    case Operation::merge:
      return "merge";
    case Operation::remove:
      return "remove";
    case Operation::post:
      return "post";
  }
  UNREACHABLE();
}

json::Value document_of(const MappedRecord& record) {
  json::Value value = json::Value::object({{"operation", text(name_of(record.operation))},
                                           {"collection", text(record.collection)},
                                           {"key", text(record.key)}});
  if (!record.sequence.empty()) value.set("sequence", text(record.sequence));
  if (record.operation != MappedRecord::Operation::remove) value.set("value", record.value);
  if (const auto violation = integration::canonical_violation(record))
    value.set("violation", text(*violation));
  return value;
}

json::Value document_of(const Mapped& mapped, const Mapping& mapping) {
  json::Value records = json::Value::array();
  for (const MappedRecord& record : mapped.records) records.items().push_back(document_of(record));
  json::Value effects = json::Value::array();
  for (const MappedEffect& effect : mapped.effects)
    effects.items().push_back(json::Value::object({{"type", text(effect.type)},
                                                   {"key", text(effect.key)},
                                                   {"subject", text(effect.subject)},
                                                   {"document", effect.document}}));
  json::Value unmapped = json::Value::array();
  for (const std::string& pointer : mapped.unmapped) unmapped.items().push_back(text(pointer));
  json::Value value = json::Value::object({{"mapping", text(mapping.name())},
                                           {"version", number(mapping.version())},
                                           {"records", std::move(records)},
                                           {"effects", std::move(effects)},
                                           {"unmapped", std::move(unmapped)}});
  if (!mapped.trace.empty()) value.set("trace", text(mapped.trace));
  return value;
}

// The same for people: a line each, and the values as JSON below.
std::string lines_of(const json::Value& document) {
  std::string lines;
  for (const json::Value& record : items_at(document, "records")) {
    lines += text_at(record, "operation") + " " + text_at(record, "collection") + "/" +
             text_at(record, "key");
    if (record.find("sequence") != nullptr) lines += ", sequence " + text_at(record, "sequence");
    lines += "\n";
    if (const json::Value* value = record.find("value"); value != nullptr)
      lines += "  " + json::to_text(*value) + "\n";
    if (record.find("violation") != nullptr)
      lines += "  violation: " + text_at(record, "violation") + "\n";
  }
  for (const json::Value& effect : items_at(document, "effects"))
    lines += "effect " + text_at(effect, "type") + " " + text_at(effect, "key") + ", subject " +
             text_at(effect, "subject") + "\n  " + json::to_text(*effect.find("document")) + "\n";
  if (document.find("trace") != nullptr) lines += "trace " + text_at(document, "trace") + "\n";
  for (const json::Value& pointer : items_at(document, "unmapped"))
    lines += "unmapped " + pointer.text() + "\n";
  if (lines.empty()) return "nothing: the mapping does not want this document";
  lines.pop_back();
  return lines;
}

Result<int> test_mapping(const Run& run, const MapOptions& options) {
  TRY_ASSIGN(const json::Value rules, read_json(run, options.mapping));
  auto mapping = Mapping::parse(rules);
  if (!mapping)
    return fail(Errc::invalid_argument, options.mapping + ": " + mapping.error().message);
  TRY_ASSIGN(const json::Value input, read_json(run, options.document));
  const auto mapped =
      (*mapping)->apply(input, {options.adapter, options.id, options.version, options.time});
  if (!mapped) {
    const json::Value refusal = json::Value::object({{"refused", text(mapped.error().message)}});
    print(run, refusal, "refused: " + mapped.error().message);
    return refused_code;
  }
  const json::Value document = document_of(*mapped, **mapping);
  print(run, document, lines_of(document));
  for (const json::Value& record : items_at(document, "records"))
    if (record.find("violation") != nullptr) return refused_code;
  return options.strict && !mapped->unmapped.empty() ? unmapped_code : 0;
}

}  // namespace

void add_map_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<MapOptions>();
  CLI::App* map = app.add_subcommand("map", "Try mappings of the integration hub");
  map->require_subcommand(1);
  map->fallthrough();
  CLI::App* test = map->add_subcommand(
      "test",
      "What a mapping makes of a document, without a cluster: records, effects, fields that no "
      "rule "
      "read, and what the canonical schemas say; exit code 2 for a wrong mapping, 7 for a document "
      "that a rule or a schema refuses");
  test->add_option("mapping", options->mapping, "The mapping's file")->required();
  test->add_option("document", options->document, "The document's file; - reads standard input")
      ->required();
  test->add_option("--adapter", options->adapter, "The adapter's name, for $context.")
      ->capture_default_str();
  test->add_option("--id", options->id, "The message's id, for $context.")->capture_default_str();
  test->add_option("--message-version", options->version, "The message's version, for $context.");
  test->add_option("--time", options->time, "The message's time, for $context.")
      ->capture_default_str();
  test->add_flag("--strict", options->strict,
                 "Fields that no rule read are a failure: exit code 1.");
  on(run, test, [&run, options] { return test_mapping(run, *options); });
}

}  // namespace mainstay::tool
