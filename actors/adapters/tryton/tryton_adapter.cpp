#include "actors/adapters/tryton/tryton_adapter.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "actors/adapters/common/settings.hpp"
#include "runtime/tls/api_context.hpp"

namespace mainstay::adapters {

using integration::AdapterContext;
using json::Value;
using tryton::ReadModel;

namespace {

constexpr std::size_t password_bytes_max = 1'024;

// The first line of a file. Errors: not_found.
Result<std::string> read_password(const std::filesystem::path& path) {
  std::ifstream file{path};
  std::string line;
  if (!file || !std::getline(file, line) || line.size() > password_bytes_max)
    return fail(Errc::not_found, "no password can be read from " + path.string());
  return line;
}

void take_connection(Settings& settings, const AdapterContext& context, TrytonOptions& options) {
  const std::filesystem::path directory = context.directory;
  if (const auto url = tryton::parse_url(settings.required_text("url")); url) {
    options.rpc.endpoint = url->endpoint;
    options.rpc.database = url->database;
    if (url->tls) {
      auto tls = tls::ClientContext::load(directory / settings.required_text("authority_file"));
      if (tls)
        options.rpc.tls = std::move(*tls);
      else
        settings.wrong("authority_file", tls.error().message);
    }
  } else {
    settings.wrong("url", url.error().message);
  }
  options.rpc.user = settings.required_text("user");
  options.rpc.password = settings.text("password", "");
  if (const std::string file = settings.text("password_file", ""); !file.empty()) {
    const auto password = read_password(directory / file);
    if (password)
      options.rpc.password = *password;
    else
      settings.wrong("password_file", password.error().message);
  }
  if (options.rpc.password.empty())
    settings.wrong("password_file", "must be given: a file whose first line is the password");
  options.rpc.language = settings.text("language", "en");
  options.rpc.timeout = context.call_timeout;
  options.rpc.acknowledge_warnings = settings.boolean("acknowledge_warnings", false);
}

ReadModel take_model(Settings settings) {
  const std::string name = settings.required_text("model");
  const ReadModel* known = tryton::known_model(name);
  ReadModel model = known == nullptr ? ReadModel{} : *known;
  if (known == nullptr) {
    // A model of the ERP's own: its fields say what is read.
    model.model = name;
    model.kind = name;
  }
  model.type = settings.text("type", model.type.empty() ? name : model.type);
  const std::vector<std::string> more = settings.texts("fields");
  model.fields.insert(model.fields.end(), more.begin(), more.end());
  if (settings.has("states")) model.states = settings.texts("states");
  return model;
}

void take_reader(Settings& settings, TrytonOptions& options) {
  const auto names = settings.texts("models");
  for (const std::string& name : names) {
    const ReadModel* known = tryton::known_model(name);
    if (known == nullptr)
      settings.wrong("models",
                     "'" + name + "' is none that is known: describe it in [[settings.in]]");
    else
      options.reader.models.push_back(*known);
  }
  for (Settings& table : settings.tables("in")) {
    ReadModel model = take_model(std::move(table));
    const auto same = [&](const ReadModel& other) { return other.model == model.model; };
    auto& all = options.reader.models;
    const auto at = std::find_if(all.begin(), all.end(), same);
    if (at == all.end())
      all.push_back(std::move(model));
    else
      *at = std::move(model);
  }
  options.reader.overlap = settings.duration("overlap", "60s");
  options.reader.sweep = settings.duration("sweep", "10m");
  options.reader.page_rows = settings.integer("page_rows", 200, 1, 1'000);
  if (settings.has("stock_locations"))
    options.reader.stock_types = settings.texts("stock_locations");
}

}  // namespace

TrytonAdapter::TrytonAdapter(const sys::Clock& clock, TrytonOptions options)
    : has_source_{!options.reader.models.empty()},
      unique_references_{options.unique_references},
      rpc_{std::move(options.rpc), clock},
      reader_{rpc_, clock, std::move(options.reader)},
      effects_{rpc_, std::move(options.effects)} {}

integration::AdapterTraits TrytonAdapter::traits() const {
  return {.has_source = has_source_, .has_effects = true, .idempotent = unique_references_};
}

Result<integration::Page> TrytonAdapter::fetch(const std::string& position,
                                               std::size_t messages_max) {
  return reader_.fetch(position, messages_max);
}

Result<std::vector<Value>> TrytonAdapter::decode(const integration::RawMessage& message) {
  TRY_ASSIGN(Value document, json::parse(message.body));
  if (!document.is(json::Type::object))
    return fail(Errc::invalid_argument, "the message is no object");
  return std::vector<Value>{std::move(document)};
}

integration::EffectResult TrytonAdapter::apply(const integration::Effect& effect) {
  return effects_.apply(effect);
}

Result<std::optional<Value>> TrytonAdapter::lookup(const integration::Effect& effect) {
  return effects_.lookup(effect);
}

Result<void> TrytonAdapter::probe() {
  TRY(rpc_.search("res.user", Value::array(), 1));
  return {};
}

Result<integration::Page> TrytonAdapter::backfill(const integration::Range& range,
                                                  const std::string& position,
                                                  std::size_t messages_max) {
  return reader_.backfill(range, position, messages_max);
}

Result<integration::ObservedPage> TrytonAdapter::observe(const std::string& kind,
                                                         const std::string& after) {
  return reader_.observe(kind, after);
}

Result<std::unique_ptr<integration::Adapter>> make_tryton_adapter(const AdapterContext& context) {
  Settings settings{context.settings};
  TrytonOptions options;
  take_connection(settings, context, options);
  take_reader(settings, options);
  options.effects.reference_prefix = settings.text("reference_prefix", "HUB:");
  options.effects.moves_max = settings.integer("moves_max", 20, 1, 1'000);
  options.unique_references = settings.boolean("unique_references", false);
  TRY(settings.done());
  return std::make_unique<TrytonAdapter>(sys::system_clock(), std::move(options));
}

}  // namespace mainstay::adapters
