#include "actors/adapters/file/file_adapter.hpp"

#include <algorithm>
#include <set>

#include "actors/adapters/folder/folder_place.hpp"
#include "actors/adapters/folder/names.hpp"
#include "runtime/config/values.hpp"

namespace mainstay::adapters {

namespace {

using integration::Adapter;
using integration::Effect;
using integration::EffectResult;
using integration::ObservedPage;
using integration::Page;
using integration::RawMessage;
using integration::Verdict;
using json::Type;
using json::Value;

constexpr std::size_t observed_max = 1'000;  // in one page

std::string_view content_type_of(FileFormat format) {
  switch (format) {
    case FileFormat::csv:
      return "text/csv";
    case FileFormat::xml:
      return "application/xml";
    case FileFormat::ndjson:
    case FileFormat::json:
      break;
  }
  return "application/json";
}

Result<std::string> text_at(const Value& document, const std::string& pointer) {
  const Value* found = json::find(document, pointer);
  if (found == nullptr || (!found->is(Type::string) && !found->is(Type::number)))
    return fail(Errc::invalid_argument, "the document has no text or number at " + pointer);
  return found->text();
}

void take_pointer(Settings& settings, std::string_view name, std::string& pointer) {
  pointer = settings.text(name, "");
  if (!pointer.empty() && !json::check_pointer(pointer))
    settings.wrong(name, "expected a JSON pointer, such as /number");
}

void take_split(Settings& settings, FileForm& form, std::string_view otherwise) {
  form.whole = settings.choice("split", otherwise, {"file", "row"}) == "file";
  if (form.format == FileFormat::csv && !form.csv.header && form.csv.columns.empty())
    settings.wrong("columns", "must be given where header = false");
  if (form.whole && !form.group_by.empty()) settings.wrong("group_by", "needs split = \"row\"");
  if (form.format == FileFormat::xml && !form.whole && form.rows.empty())
    settings.wrong("rows", "must be given with split = \"row\": a path such as orders/order");
}

FileIn take_in(Settings settings) {
  FileIn in;
  in.type = settings.required_text("type");
  in.pattern = settings.required_text("pattern");
  in.form = take_form(settings);
  take_split(settings, in.form, "file");
  take_pointer(settings, "subject", in.subject);
  return in;
}

FileOut take_out(Settings settings, const std::string& done) {
  FileOut out;
  out.type = settings.required_text("type");
  out.name = settings.required_text("name");
  if (const auto checked = check_template(out.name); !checked)
    settings.wrong("name", checked.error().message);
  out.form = take_form(settings);
  if (out.form.format == FileFormat::csv && out.form.csv.columns.empty())
    settings.wrong("columns", "must be given: names or pointers of what is written");
  if (out.form.encoding != FileEncoding::utf8)
    settings.wrong("encoding", "files are written in utf-8 only");
  if (out.form.format == FileFormat::json && !out.form.rows.empty())
    settings.wrong("rows", "has no meaning for format = \"json\" written");
  out.sink.directory = settings.text("directory", "out");
  out.sink.done = settings.text("done_directory", done);
  return out;
}

FileObserve take_observe(Settings settings) {
  FileObserve observe;
  observe.kind = settings.required_text("kind");
  observe.directory = settings.required_text("directory");
  observe.pattern = settings.text("pattern", "*");
  observe.last = settings.choice("files", "last", {"last", "all"}) == "last";
  observe.form = take_form(settings);
  take_split(settings, observe.form, "row");
  take_pointer(settings, "id", observe.id);
  return observe;
}

}  // namespace

FileAdapter::FileAdapter(std::unique_ptr<Folder> folder, const sys::Clock& clock,
                         FileAdapterOptions options)
    : folder_{std::move(folder)},
      options_{std::move(options)},
      source_{*folder_, clock, options_.source,
              [this](std::string_view name) -> std::optional<std::string> {
                const FileIn* in = in_of_name(name);
                return in == nullptr ? std::nullopt : std::optional{in->type};
              },
              [this](const std::string& name, std::string content, const std::string& version) {
                return split(name, std::move(content), version);
              }} {}

integration::AdapterTraits FileAdapter::traits() const {
  return {
      .has_source = !options_.in.empty(), .has_effects = !options_.out.empty(), .idempotent = true};
}

const FileIn* FileAdapter::in_of_name(std::string_view name) const {
  const auto at = std::find_if(options_.in.begin(), options_.in.end(),
                               [name](const FileIn& in) { return matches(in.pattern, name); });
  return at == options_.in.end() ? nullptr : &*at;
}

const FileOut* FileAdapter::out_of(std::string_view type) const {
  const auto at = std::find_if(options_.out.begin(), options_.out.end(),
                               [type](const FileOut& out) { return out.type == type; });
  return at == options_.out.end() ? nullptr : &*at;
}

Result<std::vector<RawMessage>> FileAdapter::split(const std::string& name, std::string content,
                                                   const std::string& version) const {
  const FileIn& in = *in_of_name(name);
  TRY_ASSIGN(std::string text, to_utf8(std::move(content), in.form.encoding));
  TRY_ASSIGN(std::vector<FilePart> parts, cut(std::move(text), in.form));
  std::vector<RawMessage> messages;
  messages.reserve(parts.size());
  for (FilePart& part : parts) {
    RawMessage message;
    message.id = in.form.whole ? name : name + "#" + std::to_string(part.number);
    message.version = version;
    message.type = in.type;
    message.content_type = content_type_of(in.form.format);
    message.body = std::move(part.body);
    if (!in.subject.empty()) {
      // One without a subject is decoded again, where its error belongs to it alone.
      const auto document = read_part(message.body, in.form);
      const auto subject = document ? text_at(*document, in.subject) : Result<std::string>{};
      if (subject) message.subject = *subject;
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

Result<void> FileAdapter::prepare_source() {
  if (prepared_) return {};
  TRY(prepare(*folder_, options_.source));
  prepared_ = true;
  return {};
}

Result<Page> FileAdapter::fetch(const std::string& position, std::size_t messages_max) {
  TRY(prepare_source());
  return source_.fetch(position, messages_max);
}

Result<void> FileAdapter::acknowledge(const std::string& position) {
  TRY(prepare_source());
  return source_.acknowledge(position);
}

Result<Page> FileAdapter::backfill(const integration::Range& range, const std::string& position,
                                   std::size_t messages_max) {
  TRY(prepare_source());
  return source_.backfill(range, position, messages_max);
}

Result<std::vector<Value>> FileAdapter::decode(const RawMessage& message) {
  if (message.content_type == unreadable_content)
    return fail(Errc::invalid_argument, message.body.substr(0, message.body.find('\n')));
  const auto in =
      std::find_if(options_.in.begin(), options_.in.end(), [&message](const FileIn& each) {
        return each.type == message.type &&
               matches(each.pattern, message.id.substr(0, each.form.whole ? std::string::npos
                                                                          : message.id.rfind('#')));
      });
  if (in == options_.in.end())
    return fail(Errc::invalid_argument, "no [[settings.in]] has the type '" + message.type +
                                            "' and a pattern for '" + message.id + "'");
  TRY_ASSIGN(Value document, read_part(message.body, in->form));
  std::vector<Value> documents;
  documents.push_back(std::move(document));
  return documents;
}

EffectResult FileAdapter::apply(const Effect& effect) {
  const FileOut* out = out_of(effect.type);
  if (out == nullptr)
    return EffectResult::failed(Verdict::refused,
                                "no [[settings.out]] has the type '" + effect.type + "'");
  const auto name = fill_template(out->name, effect);
  if (!name) return EffectResult::failed(Verdict::refused, name.error().message);
  const auto content = write_file(effect.document, out->form);
  if (!content) return EffectResult::failed(Verdict::refused, content.error().message);
  if (const auto made = folder_->make_directory(out->sink.directory); !made)
    return EffectResult::failed(Verdict::transient, made.error().message);
  return out->sink.put(*folder_, *name, *content);
}

Result<std::optional<Value>> FileAdapter::lookup(const Effect& effect) {
  const FileOut* out = out_of(effect.type);
  if (out == nullptr) return std::optional<Value>{};
  const auto name = fill_template(out->name, effect);
  if (!name) return std::optional<Value>{};  // apply refused it
  return out->sink.find(*folder_, *name);
}

Result<void> FileAdapter::probe() {
  for (const FileOut& out : options_.out) TRY(folder_->exists(out.sink.directory));
  return {};
}

Result<ObservedPage> FileAdapter::observe(const std::string& kind, const std::string& after) {
  const auto at = std::find_if(options_.observe.begin(), options_.observe.end(),
                               [&kind](const FileObserve& each) { return each.kind == kind; });
  if (at == options_.observe.end())
    return fail(Errc::invalid_argument, "no [[settings.observe]] has the kind '" + kind + "'");
  TRY_ASSIGN(std::vector<FolderEntry> files, folder_->list(at->directory));
  std::erase_if(files, [&at](const FolderEntry& entry) {
    return entry.name.ends_with(".tmp") || entry.name.ends_with(".part") ||
           !matches(at->pattern, entry.name);
  });
  // `after`: how many parts of a file were given, and its name.
  std::uint64_t given = 0;
  std::string file;
  if (const std::size_t colon = after.find(':'); colon != std::string::npos) {
    TRY_ASSIGN(given, config::parse_integer(after.substr(0, colon)));
    file = after.substr(colon + 1);
  }
  if (at->last && files.size() > 1) files.erase(files.begin(), files.end() - 1);
  if (at->last && !file.empty() && (files.empty() || files[0].name != file))
    return fail(Errc::unavailable, "a newer file than '" + file + "' came meanwhile: once more");
  ObservedPage page;
  for (const FolderEntry& entry : files) {
    if (entry.name < file) continue;
    TRY_ASSIGN(std::string content,
               folder_->read(at->directory + "/" + entry.name, options_.source.file_bytes_max));
    TRY_ASSIGN(std::string text, to_utf8(std::move(content), at->form.encoding));
    TRY_ASSIGN(const std::vector<FilePart> parts, cut(std::move(text), at->form));
    for (std::size_t i = entry.name == file ? given : 0; i < parts.size(); ++i) {
      if (page.items.size() == observed_max) {
        page.next = std::to_string(i) + ":" + entry.name;
        return page;
      }
      TRY_ASSIGN(Value document, read_part(parts[i].body, at->form));
      std::string id = entry.name + "#" + std::to_string(parts[i].number);
      if (!at->id.empty()) {
        TRY_ASSIGN(id, text_at(document, at->id));
      }
      page.items.push_back({std::move(id), std::move(document)});
    }
  }
  return page;
}

Result<std::unique_ptr<Adapter>> make_file_adapter(const integration::AdapterContext& context) {
  Settings settings{context.settings};
  FileAdapterOptions options;
  std::unique_ptr<Folder> folder = take_folder(settings, context);
  options.source = take_source(settings);
  const std::string done = settings.text("done_directory", "");
  for (Settings& in : settings.tables("in")) options.in.push_back(take_in(in));
  for (Settings& out : settings.tables("out")) options.out.push_back(take_out(out, done));
  for (Settings& each : settings.tables("observe")) options.observe.push_back(take_observe(each));
  std::set<std::string> types;
  for (const FileOut& out : options.out)
    if (!types.insert(out.type).second)
      settings.wrong("out", "the type '" + out.type + "' has two tables");
  if (options.in.empty() && options.out.empty() && options.observe.empty())
    settings.wrong("in", "expected at least one of [[settings.in]], out, observe");
  TRY(settings.done());
  return std::unique_ptr<Adapter>{
      std::make_unique<FileAdapter>(std::move(folder), sys::system_clock(), std::move(options))};
}

}  // namespace mainstay::adapters
