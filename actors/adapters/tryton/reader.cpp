#include "actors/adapters/tryton/reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/checksum.hpp"

namespace mainstay::adapters::tryton {

using integration::ObservedPage;
using integration::Page;
using integration::Range;
using integration::RawMessage;
using json::Type;
using json::Value;

namespace {

constexpr Id block_ids = 200;                  // of one step of the sweep
constexpr std::size_t locations_in_page = 20;  // of observed stock
constexpr std::string_view end_of_time = "9999-12-31";

// Archived rows too.
json::Object everything() {
  return {{"active_test", Value::boolean(false)}};
}

std::string modified_of(const Value& row) {
  return std::max(text_at(row, "/create_date"), text_at(row, "/write_date"));
}

void add_states(const ReadModel& model, Value& domain) {
  if (model.states.empty()) return;
  Value states = Value::array();
  for (const std::string& state : model.states) states.items().push_back(text(state));
  domain.items().push_back(clause("state", "in", std::move(states)));
}

// Changed at or behind a time: the row itself or one that belongs to it.
Value changed_since(const ReadModel& model, const std::string& time) {
  Value any = list({text("OR")});
  std::vector<std::string> prefixes{""};
  for (const ChildModel& child : model.children)
    if (!child.changed.empty()) prefixes.push_back(child.changed + ".");
  for (const std::string& prefix : prefixes)
    for (const std::string_view field : {"write_date", "create_date"})
      any.items().push_back(clause(prefix + std::string{field}, ">=", moment(time)));
  return any;
}

RawMessage message_of(const ReadModel& model, Id id, std::string version, const Value& document) {
  RawMessage message;
  message.id = model.model + "," + std::to_string(id);
  message.version = std::move(version);
  message.type = model.type;
  message.body = json::to_text(document);
  return message;
}

// With a sum of the content in its version: a document also shows what belongs to other rows (the
// customer's name), and one version must mean one content.
RawMessage document_message(const ReadModel& model, Id id, const std::string& version,
                            const Value& document) {
  RawMessage message = message_of(model, id, version, document);
  message.version += fmt::format("-{:08x}", crc32c(message.body));
  return message;
}

RawMessage deleted(const ReadModel& model, Id id) {
  return message_of(
      model, id, "deleted",
      object(
          {{"model", text(model.model)}, {"id", integer(id)}, {"deleted", Value::boolean(true)}}));
}

// What was seen behind the overlap is never asked for again.
void forget_old(ModelPosition& at, Millis overlap, std::size_t seen_max) {
  const std::string border = at.watermark.empty() ? "" : earlier(at.watermark, overlap);
  std::erase_if(at.seen, [&](const auto& seen) { return seen.second.modified < border; });
  while (at.seen.size() > seen_max) {
    const auto oldest = std::min_element(
        at.seen.begin(), at.seen.end(),
        [](const auto& a, const auto& b) { return a.second.modified < b.second.modified; });
    at.seen.erase(oldest);
  }
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "1000": an id; "2026-01-01": when it was made.
Result<void> add_bound(Value& domain, std::string_view bound, std::string_view comparison) {
  if (bound.empty()) return {};
  if (all_digits(bound)) {
    domain.items().push_back(
        clause("id", comparison, Value::number(std::to_string(std::stoll(std::string{bound})))));
    return {};
  }
  if (!is_date(bound.substr(0, 10)))
    return fail(Errc::invalid_argument,
                "a bound is a date (2026-01-01) or an id, not '" + std::string{bound} + "'");
  domain.items().push_back(clause("create_date", comparison, moment(bound)));
  return {};
}

}  // namespace

Reader::Reader(JsonRpc& rpc, const sys::Clock& clock, ReaderOptions options)
    : rpc_{rpc}, clock_{clock}, options_{std::move(options)} {}

const ReadModel* Reader::model_of_type(std::string_view type) const {
  const auto at = std::find_if(options_.models.begin(), options_.models.end(),
                               [type](const ReadModel& model) { return model.type == type; });
  return at == options_.models.end() ? nullptr : &*at;
}

const ReadModel* Reader::model_of_kind(std::string_view kind) const {
  const auto& all = known_models();
  const auto is_it = [kind](const ReadModel& model) {
    return model.kind == kind || model.type == kind;
  };
  const auto own = std::find_if(options_.models.begin(), options_.models.end(), is_it);
  if (own != options_.models.end()) return &*own;
  const auto known = std::find_if(all.begin(), all.end(), is_it);
  return known == all.end() ? nullptr : &*known;
}

// --- what is new ---

Result<Page> Reader::fetch(const std::string& text, std::size_t messages_max) {
  TRY_ASSIGN(Position position, parse_position(text));
  Page page;
  const std::size_t count = options_.models.size();
  if (position.turn >= count) position.turn = 0;
  for (std::size_t visited = 0; visited < count && !page.more; ++visited) {
    const ReadModel& model = options_.models[position.turn];
    ModelPosition& at = position.models[model.model];
    if (page.messages.size() >= messages_max) {
      page.more = true;
      break;
    }
    TRY(read_changes(model, at, messages_max - page.messages.size(), page));
    if (at.after != 0) page.more = true;  // the same again
    if (at.after == 0) position.turn = (position.turn + 1) % count;
  }
  if (!page.more && page.messages.size() < messages_max)
    TRY(sweep(position, messages_max - page.messages.size(), page));
  page.position = tryton::to_text(position);
  return page;
}

Result<void> Reader::read_changes(const ReadModel& model, ModelPosition& at, std::size_t room,
                                  Page& page) {
  Value domain = Value::array();
  add_states(model, domain);
  if (!at.watermark.empty())
    domain.items().push_back(changed_since(model, earlier(at.watermark, options_.overlap)));
  if (at.after != 0) domain.items().push_back(clause("id", ">", integer(at.after)));
  const std::size_t limit = std::min(room, options_.page_rows);
  TRY_ASSIGN(const std::vector<Stamp> rows, stamps(model, std::move(domain), limit));
  const bool last = rows.size() < limit;
  // A pass over several pages must not move the watermark behind what changed since it began.
  if (!last && at.after == 0) {
    TRY_ASSIGN(at.high, newest(model));
  }
  Ids unseen;
  std::string modified = at.watermark;
  for (const Stamp& row : rows) {
    modified = std::max(modified, row.modified);
    const auto seen = at.seen.find(row.id);
    if (seen == at.seen.end() || seen->second.version != row.version) unseen.push_back(row.id);
  }
  TRY_ASSIGN(std::vector<Document> news, documents(model, unseen));
  for (Document& document : news) {
    at.seen[document.stamp.id] = {document.stamp.version, document.stamp.modified};
    page.messages.push_back(
        document_message(model, document.stamp.id, document.stamp.version, document.value));
  }
  if (!last) {
    at.after = rows.back().id;
    return {};
  }
  at.watermark = at.after == 0 ? modified : std::max(at.watermark, at.high);
  at.after = 0;
  at.high.clear();
  forget_old(at, options_.overlap, options_.seen_max);
  return {};
}

// The latest time of any change, by the ERP's clock.
Result<std::string> Reader::newest(const ReadModel& model) {
  std::string time;
  for (const std::string_view field : {"write_date", "create_date"}) {
    TRY_ASSIGN(const Value rows,
               rpc_.call(model.model, "search_read",
                         {list({clause(field, "!=", Value{})}), integer(0), integer(1),
                          list({list({text(field), text("DESC")})}), list({text(field)})},
                         everything()));
    time = std::max(time, text_at(rows, "/0/" + std::string{field}));
  }
  return time;
}

// --- rows ---

// Fields that the ERP's set of modules does not have are left out.
Result<std::vector<std::string>> Reader::existing(const std::string& model,
                                                  const std::vector<std::string>& fields) {
  auto at = fields_.find(model);
  if (at == fields_.end()) {
    TRY_ASSIGN(const Value all, rpc_.call(model, "fields_get", {Value::array()}));
    std::set<std::string> names;
    if (all.is(Type::object))
      for (const auto& [name, about] : all.members()) names.insert(name);
    at = fields_.emplace(model, std::move(names)).first;
  }
  std::vector<std::string> those;
  for (const std::string& field : fields)
    if (at->second.count(field.substr(0, field.find('.'))) != 0) those.push_back(field);
  return those;
}

Result<std::map<Id, Value>> Reader::children(const ChildModel& child, const Ids& which) {
  std::vector<std::string> fields{"_timestamp", "create_date", "write_date"};
  TRY_ASSIGN(const std::vector<std::string> more, existing(child.model, child.fields));
  fields.insert(fields.end(), more.begin(), more.end());
  TRY_ASSIGN(json::Array rows, rpc_.read(child.model, which, fields, everything()));
  std::map<Id, Value> all;
  for (Value& row : rows) {
    TRY(round_quantities(row));
    all.emplace(id_of(row), std::move(row));
  }
  return all;
}

namespace {

// One version of a row and its children: whichever of them changes, it is another one.
struct Version {
  std::string own;
  std::size_t count = 0;
  std::string latest;
  std::string modified;

  void add(const Value& row) {
    ++count;
    latest = std::max(latest, text_at(row, "/_timestamp"));
    modified = std::max(modified, modified_of(row));
  }
  std::string text() const {
    return count == 0 ? own : fmt::format("{}/{}/{}", own, count, latest);
  }
};

std::vector<std::string> stamp_fields(const ReadModel& model) {
  std::vector<std::string> fields{"_timestamp", "create_date", "write_date"};
  for (const ChildModel& child : model.children)
    fields.insert(fields.end(), child.links.begin(), child.links.end());
  return fields;
}

Ids linked(const ChildModel& child, const Value& row) {
  Ids all;
  for (const std::string& link : child.links) {
    const Ids some = ids_at(row, link);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace

Result<std::vector<Reader::Stamp>> Reader::stamps(const ReadModel& model, Value domain,
                                                  std::size_t limit) {
  TRY_ASSIGN(const json::Array rows, rpc_.search_read(model.model, std::move(domain),
                                                      stamp_fields(model), limit, everything()));
  std::map<std::string, std::map<Id, Value>> belonging;  // by model
  for (const ChildModel& child : model.children) {
    Ids which;
    for (const Value& row : rows) {
      const Ids some = linked(child, row);
      which.insert(which.end(), some.begin(), some.end());
    }
    TRY_ASSIGN(
        json::Array found,
        rpc_.read(child.model, which, {"_timestamp", "create_date", "write_date"}, everything()));
    for (Value& row : found) belonging[child.model].insert_or_assign(id_of(row), std::move(row));
  }
  std::vector<Stamp> all;
  for (const Value& row : rows) {
    Version version{.own = text_at(row, "/_timestamp"), .latest = {}, .modified = modified_of(row)};
    for (const ChildModel& child : model.children)
      for (const Id id : linked(child, row))
        if (const auto at = belonging[child.model].find(id); at != belonging[child.model].end())
          version.add(at->second);
    all.push_back({id_of(row), version.text(), version.modified});
  }
  return all;
}

Result<std::vector<Reader::Document>> Reader::documents(const ReadModel& model, const Ids& which) {
  if (which.empty()) return std::vector<Document>{};
  std::vector<std::string> fields = stamp_fields(model);
  TRY_ASSIGN(const std::vector<std::string> more, existing(model.model, model.fields));
  fields.insert(fields.end(), more.begin(), more.end());
  TRY_ASSIGN(json::Array rows, rpc_.read(model.model, which, fields, everything()));
  std::vector<std::map<Id, Value>> belonging;
  for (const ChildModel& child : model.children) {
    Ids of_all;
    for (const Value& row : rows) {
      const Ids some = linked(child, row);
      of_all.insert(of_all.end(), some.begin(), some.end());
    }
    TRY_ASSIGN(auto found, children(child, of_all));
    belonging.push_back(std::move(found));
  }
  std::vector<Document> all;
  for (Value& row : rows) {
    TRY(round_quantities(row));
    Version version{.own = text_at(row, "/_timestamp"), .latest = {}, .modified = modified_of(row)};
    Value document = object({{"model", text(model.model)}});
    for (auto& [name, member] : row.members())
      if (name != "_timestamp") document.set(name, member);
    for (std::size_t i = 0; i < model.children.size(); ++i) {
      Value items = Value::array();
      for (const Id id : linked(model.children[i], row)) {
        const auto at = belonging[i].find(id);
        if (at == belonging[i].end()) continue;
        version.add(at->second);
        items.items().push_back(at->second);
        items.items().back().erase("_timestamp");
      }
      document.set(model.children[i].member, std::move(items));
    }
    document.set("modified", text(version.modified));
    document.set("version", text(version.text()));
    all.push_back({{id_of(row), version.text(), version.modified}, std::move(document)});
  }
  std::sort(all.begin(), all.end(),
            [](const Document& a, const Document& b) { return a.stamp.id < b.stamp.id; });
  return all;
}

// --- the sweep ---

Result<void> Reader::sweep(Position& position, std::size_t room, Page& page) {
  if (options_.sweep.count() == 0 || options_.models.empty()) return {};
  SweepPosition& at = position.sweep;
  const std::uint64_t now = sys::millis_of(clock_.wall());
  if (at.model.empty()) {
    // The first one waits: what was just read is known.
    if (at.due_ms == 0) at.due_ms = now + static_cast<std::uint64_t>(options_.sweep.count());
    if (now < at.due_ms) return {};
    at = SweepPosition{};
    at.model = options_.models.front().model;
  }
  const auto model =
      std::find_if(options_.models.begin(), options_.models.end(),
                   [&](const ReadModel& candidate) { return candidate.model == at.model; });
  if (model == options_.models.end()) {
    at = SweepPosition{};
    at.due_ms = now + static_cast<std::uint64_t>(options_.sweep.count());
    return {};
  }
  TRY(sweep_block(*model, position, room, page));
  if (at.skip != 0) return {};
  TRY(next_block(*model, position));
  if (at.block >= 0) return {};
  const auto next = std::next(model);
  at.block = 0;
  at.model = next == options_.models.end() ? "" : next->model;
  if (at.model.empty()) at.due_ms = now + static_cast<std::uint64_t>(options_.sweep.count());
  return {};
}

Result<void> Reader::sweep_block(const ReadModel& model, Position& position, std::size_t room,
                                 Page& page) {
  SweepPosition& at = position.sweep;
  ModelPosition& known = position.models[model.model];
  Value domain = list({clause("id", ">=", integer(at.block * block_ids)),
                       clause("id", "<", integer((at.block + 1) * block_ids))});
  add_states(model, domain);
  TRY_ASSIGN(const std::vector<Stamp> rows, stamps(model, std::move(domain), 0));
  std::string all;
  Ids present;
  for (const Stamp& row : rows) {
    all += fmt::format("{} {}\n", row.id, row.version);
    present.push_back(row.id);
  }
  const std::string hash = fmt::format("{:08x}", crc32c(all));
  const auto before = known.swept.find(at.block);
  if (before != known.swept.end() && before->second.hash == hash) return {};
  if (at.hash != hash) at.skip = 0;

  std::vector<RawMessage> gone;
  const Ids known_ids = before == known.swept.end() ? Ids{} : from_ranges(before->second.ranges);
  for (const Id id : known_ids)
    if (!std::binary_search(present.begin(), present.end(), id)) gone.push_back(deleted(model, id));
  if (at.skip == 0 && gone.size() <= room) {
    page.messages.insert(page.messages.end(), gone.begin(), gone.end());
    room -= gone.size();
    for (const RawMessage& message : gone)
      known.seen.erase(std::stoll(message.id.substr(model.model.size() + 1)));
  }
  Ids told;
  for (std::size_t i = at.skip; i < rows.size() && told.size() < room; ++i)
    told.push_back(rows[i].id);
  TRY_ASSIGN(std::vector<Document> found, documents(model, told));
  for (Document& document : found)
    page.messages.push_back(
        document_message(model, document.stamp.id, document.stamp.version, document.value));
  if (at.skip + told.size() < rows.size()) {
    at.skip += told.size();
    at.hash = hash;
    return {};
  }
  at.skip = 0;
  at.hash.clear();
  if (rows.empty())
    known.swept.erase(at.block);
  else
    known.swept[at.block] = {hash, to_ranges(present)};
  return {};
}

// The next block with rows, now or when it was seen last; -1: there is none.
Result<void> Reader::next_block(const ReadModel& model, Position& position) {
  SweepPosition& at = position.sweep;
  Value domain = list({clause("id", ">=", integer((at.block + 1) * block_ids))});
  add_states(model, domain);
  TRY_ASSIGN(const json::Array rows,
             rpc_.search_read(model.model, std::move(domain), {"id"}, 1, everything()));
  Id next = rows.empty() ? -1 : id_of(rows[0]) / block_ids;
  const auto& swept = position.models[model.model].swept;
  if (const auto known = swept.upper_bound(at.block); known != swept.end())
    next = next < 0 ? known->first : std::min(next, known->first);
  at.block = next;
  return {};
}

// --- the past, and now ---

Result<Page> Reader::backfill(const Range& range, const std::string& position,
                              std::size_t messages_max) {
  const ReadModel* model = model_of_type(range.type);
  if (model == nullptr)
    return fail(Errc::invalid_argument, "no model with the type '" + range.type + "' is read");
  Value domain = Value::array();
  add_states(*model, domain);
  TRY(add_bound(domain, range.from, ">="));
  TRY(add_bound(domain, range.to, all_digits(range.to) ? "<=" : "<"));
  if (!position.empty()) TRY(add_bound(domain, position, ">"));
  const std::size_t limit = std::min(messages_max, options_.page_rows);
  TRY_ASSIGN(const json::Array rows,
             rpc_.search_read(model->model, std::move(domain), {"id"}, limit, everything()));
  Ids which;
  for (const Value& row : rows) which.push_back(id_of(row));
  TRY_ASSIGN(std::vector<Document> found, documents(*model, which));
  Page page;
  for (Document& document : found)
    page.messages.push_back(
        document_message(*model, document.stamp.id, document.stamp.version, document.value));
  page.position = which.empty() ? position : std::to_string(which.back());
  page.more = rows.size() == limit;
  return page;
}

Result<ObservedPage> Reader::observe(const std::string& kind, const std::string& after) {
  if (kind == "stock") return observe_stock(after);
  const ReadModel* model = model_of_kind(kind);
  if (model == nullptr)
    return fail(Errc::invalid_argument, "there is no kind '" + kind + "' to observe");
  Value domain = Value::array();
  add_states(*model, domain);
  TRY(add_bound(domain, after, ">"));
  TRY_ASSIGN(const json::Array rows, rpc_.search_read(model->model, std::move(domain), {"id"},
                                                      options_.page_rows, everything()));
  Ids which;
  for (const Value& row : rows) which.push_back(id_of(row));
  TRY_ASSIGN(std::vector<Document> found, documents(*model, which));
  ObservedPage page;
  for (Document& document : found)
    page.items.push_back(
        {model->model + "," + std::to_string(document.stamp.id), std::move(document.value)});
  if (rows.size() == options_.page_rows) page.next = std::to_string(which.back());
  return page;
}

// The levels of some bins, as the ERP computes them itself.
Result<ObservedPage> Reader::observe_stock(const std::string& after) {
  Value types = Value::array();
  for (const std::string& type : options_.stock_types) types.items().push_back(text(type));
  Value domain = list({clause("type", "in", std::move(types))});
  TRY(add_bound(domain, after, ">"));
  TRY_ASSIGN(const json::Array bins,
             rpc_.search_read("stock.location", std::move(domain), {"code", "name"},
                              locations_in_page, everything()));
  ObservedPage page;
  for (const Value& bin : bins) {
    const json::Object context{{"locations", ids({id_of(bin)})},
                               {"with_childs", Value::boolean(false)},
                               {"stock_date_end", date(end_of_time)}};
    TRY_ASSIGN(json::Array levels,
               rpc_.search_read(
                   "product.product", list({clause("quantity", "!=", Value::number("0"))}),
                   {"code", "quantity", "default_uom.symbol", "default_uom.digits"}, 0, context));
    const std::string code = text_at(bin, "/code");
    for (Value& level : levels) {
      TRY(round_quantities(level));
      Value document = object({{"item", text(text_at(level, "/code"))},
                               {"location", text(code.empty() ? text_at(bin, "/name") : code)},
                               {"quantity", Value::number(text_at(level, "/quantity"))},
                               {"unit", text(text_at(level, "/default_uom/symbol"))}});
      page.items.push_back(
          {fmt::format("stock.location,{}/product.product,{}", id_of(bin), id_of(level)),
           std::move(document)});
    }
  }
  if (bins.size() == locations_in_page) page.next = std::to_string(id_of(bins.back()));
  return page;
}

}  // namespace mainstay::adapters::tryton
