#include "actors/adapters/edi/edi_settings.hpp"

#include <filesystem>
#include <set>

#include "actors/adapters/folder/folder_place.hpp"
#include "actors/adapters/folder/names.hpp"
#include "runtime/integration/edi/acknowledgement.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::adapters {

namespace {

constexpr std::size_t guide_bytes_max = 1U << 20;

void take_delimiters(Settings& settings, edi::Envelope& envelope) {
  envelope.delimiters = edi::usual_delimiters(envelope.standard);
  const std::string text = settings.text("delimiters", "");
  if (text.empty()) return;
  const auto one = [](char c) { return c == ' ' ? '\0' : c; };
  if (text.size() != 5 || text[0] == ' ' || text[1] == ' ' || text[4] == ' ')
    return settings.wrong("delimiters",
                          "expected five characters: of elements, components, repetitions, "
                          "release, segments; a space for none; such as \"*>^ ~\"");
  envelope.delimiters = {text[0], text[1], one(text[2]), one(text[3]), text[4]};
}

edi::Envelope take_envelope(Settings settings) {
  edi::Envelope envelope;
  const bool x12 = settings.choice("standard", "x12", {"x12", "edifact"}) == "x12";
  envelope.standard = x12 ? edi::Standard::x12 : edi::Standard::edifact;
  envelope.sender = {settings.text("own_qualifier", x12 ? "ZZ" : ""),
                     settings.required_text("own_id")};
  envelope.receiver = {settings.text("partner_qualifier", x12 ? "ZZ" : ""),
                       settings.required_text("partner_id")};
  if (x12 && (envelope.sender.id.size() > 15 || envelope.receiver.id.size() > 15))
    settings.wrong("own_id", "own_id and partner_id have at most 15 characters");
  if (x12 && (envelope.sender.qualifier.size() != 2 || envelope.receiver.qualifier.size() != 2))
    settings.wrong("own_qualifier", "own_qualifier and partner_qualifier have two characters");
  envelope.group_sender = settings.text("own_group_id", "");
  envelope.group_receiver = settings.text("partner_group_id", "");
  envelope.version = settings.text("version", x12 ? "004010" : "D:96A:UN");
  envelope.charset = settings.text("charset", "UNOC");
  envelope.test = settings.boolean("test", false);
  envelope.wants_acknowledgement = settings.boolean("wants_acknowledgement", false);
  envelope.line_breaks = settings.boolean("line_breaks", true);
  take_delimiters(settings, envelope);
  return envelope;
}

EdiOut take_out(Settings settings, const std::string& done, const EdiAdapterOptions& options) {
  EdiOut out;
  out.type = settings.required_text("type");
  out.set = settings.required_text("set");
  out.name = settings.text("name", "{key}.edi");
  out.control = settings.text("control", "");
  out.sink.directory = settings.text("directory", "out");
  out.sink.done = settings.text("done_directory", done);
  if (const auto checked = check_template(out.name); !checked)
    settings.wrong("name", checked.error().message);
  if (!json::check_pointer(out.control))
    settings.wrong("control", "expected a JSON pointer, such as /control");
  if (options.envelope.sender.id.empty())
    settings.wrong("set", "needs [settings.envelope]: who sends it to whom");
  std::string sets;
  for (const edi::Guide& guide : options.guides)
    if (guide.standard == options.envelope.standard) sets += " " + guide.set;
  if (edi::find_guide(options.guides, options.envelope.standard, out.set) == nullptr)
    settings.wrong("set", "there is no guide for it; expected one of" + sets);
  return out;
}

}  // namespace

Result<EdiAdapterOptions> take_edi_options(Settings& settings, const std::string& directory) {
  EdiAdapterOptions options;
  options.source = take_source(settings);
  options.pattern = settings.text("pattern", "*");
  options.has_source = settings.boolean("source", true);
  options.acknowledge = settings.boolean("acknowledge", true);
  const std::string done = settings.text("done_directory", "");
  options.acknowledgements = {settings.text("acknowledge_directory", "out"), done};
  options.guides = edi::usual_guides();
  for (const std::string& name : settings.texts("guides")) {
    const auto text = sys::read_file(std::filesystem::path{directory} / name, guide_bytes_max);
    const auto guides = text ? edi::parse_guides(*text) : Failure{text.error()};
    if (!guides)
      settings.wrong("guides", name + ": " + guides.error().message);
    else
      options.guides.insert(options.guides.end(), guides->begin(), guides->end());
  }
  if (auto envelope = settings.table("envelope")) options.envelope = take_envelope(*envelope);
  std::set<std::string> types;
  for (Settings& table : settings.tables("out")) {
    options.out.push_back(take_out(table, done, options));
    if (!types.insert(options.out.back().type).second)
      settings.wrong("out", "the type '" + options.out.back().type + "' has two tables");
  }
  TRY(settings.done());
  return options;
}

}  // namespace mainstay::adapters
