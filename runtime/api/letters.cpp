// Dead letters: listed, shown, edited, replayed, discarded. A letter is named by its key behind the
// adapter: "in/order-17", "out/shipment%2FS-1".
#include "runtime/api/body.hpp"
#include "runtime/api/flows.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/times.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Request;
using http::Response;
using json::Type;
using json::Value;
namespace hub = integration::hub;

constexpr std::string_view letters_path = "/v1/adapters/{adapter}/letters";
constexpr std::string_view letter_path = "/v1/adapters/{adapter}/letters/{letter}";

// With its name, and without what only the hub needs.
Value shown(std::string_view letter, Value row, bool with_body) {
  Value value = Value::object({{"letter", Value::string(std::string{letter})}});
  const std::size_t body_bytes = text_member(row, "body").size();
  for (auto& [name, member] : row.members())
    if (name != "open" && (with_body || name != "body")) value.set(name, std::move(member));
  if (!with_body) value.set("body_bytes", Value::number(std::to_string(body_bytes)));
  return value;
}

struct ListRequest {
  std::string adapter, state, direction, kind;
  FlowPage page;
  ReadNeed need;
};

Result<std::string> choice(const Request& request, std::string_view name,
                           std::initializer_list<std::string_view> choices) {
  const std::string* value = request.parameter(name);
  if (value == nullptr) return std::string{};
  std::string list;
  for (const std::string_view each : choices) {
    if (each == *value) return *value;
    list += (list.empty() ? "" : ", ") + std::string{each};
  }
  return fail(Errc::invalid_argument, std::string{name} + " must be one of " + list);
}

Result<ListRequest> list_request_of(const Call& call) {
  const Request& request = call.request;
  TRY(check_query(request, {"state", "direction", "class", "after", "limit", "level"}));
  TRY(need_flows(call.principal, {hub::letters}));
  ListRequest list;
  TRY_ASSIGN(list.adapter, adapter_of(request));
  TRY_ASSIGN(list.state,
             choice(request, "state",
                    {"open", "parked", "replay", "released", "resolved", "discarded", "all"}));
  if (list.state.empty()) list.state = "open";
  TRY_ASSIGN(list.direction, choice(request, "direction", {"in", "out", "export"}));
  TRY_ASSIGN(list.kind,
             choice(request, "class",
                    {"transient", "conflict", "refused", "unparsable", "drift", "behind"}));
  list.page.prefix = list.adapter + "/";
  TRY_ASSIGN(list.page.after, key_parameter(request, "after"));
  TRY_ASSIGN(list.page.limit, limit_of(request));
  TRY_ASSIGN(list.need, need_of(request));
  return list;
}

bool wanted(const ListRequest& list, const Value& row) {
  const std::string state = text_member(row, "state");
  const bool fits =
      list.state == "all" || list.state == state ||
      (list.state == "open" && (state == "parked" || state == "replay" || state == "released"));
  return fits && (list.direction.empty() || list.direction == text_member(row, "direction")) &&
         (list.kind.empty() || list.kind == text_member(row, "class"));
}

void list_letters(const CallPtr& call) {
  const auto list = list_request_of(*call);
  if (!list) return call->refuse(list.error());
  read(call, list->need, [list = *list](const record::StateReader& view) -> Result<Response> {
    TRY(check_adapter(view, list.adapter));
    return row_page(view, "letters", hub::letters, list.page,
                    [&](std::string_view letter, Value row) {
                      return wanted(list, row) ? shown(letter, std::move(row), false) : Value{};
                    });
  });
}

struct LetterName {
  std::string adapter, letter;
  std::string key() const { return adapter + "/" + letter; }
};

Result<LetterName> letter_of(const Call& call) {
  TRY(need_flows(call.principal, {hub::letters}));
  LetterName name;
  TRY_ASSIGN(name.adapter, adapter_of(call.request));
  name.letter = call.request.captures.at(1);
  if (!name.letter.starts_with("in/") && !name.letter.starts_with("out/") &&
      !name.letter.starts_with("export/"))
    return fail(Errc::invalid_argument,
                "a letter is named in/…, out/… or export/…, as the list of letters has it");
  TRY(record::check_record_key(name.key()));
  return name;
}

Result<Value> find_letter(const record::StateReader& view, const LetterName& name) {
  auto row = integration::find_value(view, hub::letters, name.key());
  if (row && row->is(Type::object)) return *std::move(row);
  return fail(Errc::not_found,
              "adapter '" + name.adapter + "' has no dead letter '" + name.letter + "'");
}

void show_letter(const CallPtr& call) {
  LetterName name;
  const auto need = [&]() -> Result<ReadNeed> {
    TRY(check_query(call->request, {"level"}));
    TRY_ASSIGN(name, letter_of(*call));
    return need_of(call->request);
  }();
  if (!need) return call->refuse(need.error());
  read(call, *need, [name](const record::StateReader& view) -> Result<Response> {
    TRY_ASSIGN(Value row, find_letter(view, name));
    return http::json_response(200, json::to_text(shown(name.letter, std::move(row), true)));
  });
}

// Without a body, or with an empty object.
Result<LetterName> bare_change_of(const Call& call, std::string& wrong_at) {
  TRY(check_query(call.request, {}));
  if (!call.request.body.empty()) {
    TRY_ASSIGN(const Value body, body_of(call.request));
    TRY_ASSIGN(const Members members, Members::of(body, Place{wrong_at}));
    TRY(members.finish());
  }
  return letter_of(call);
}

void replay_letter(const CallPtr& call) {
  std::string wrong_at;
  const auto name = bare_change_of(*call, wrong_at);
  if (!name) return call->refuse(name.error(), {}, wrong_at);
  change_rows(call, "replay letter", name->key(),
              [name = *name](const record::StateReader& view, const std::string&) -> Result<Write> {
                TRY(find_letter(view, name));
                Write write;
                add_patch(write, hub::letters, name.key(),
                          Value::object({{"state", Value::string("replay")},
                                         {"open", Value::string(name.adapter)}}),
                          "parked");
                return write;
              });
}

// What is discarded goes on no more: of an effect, the effect is refused with it.
void discard_letter(const CallPtr& call) {
  std::string wrong_at;
  const auto name = bare_change_of(*call, wrong_at);
  if (!name) return call->refuse(name.error(), {}, wrong_at);
  const std::string now = time_text(sys::millis_of(call->context->clock.wall()));
  change_rows(
      call, "discard letter", name->key(),
      [name = *name, now, who = call->principal.name](const record::StateReader& view,
                                                      const std::string&) -> Result<Write> {
        TRY_ASSIGN(const Value row, find_letter(view, name));
        Write write;
        add_patch(write, hub::letters, name.key(),
                  Value::object({{"state", Value::string("discarded")},
                                 {"last", Value::string(now)},
                                 {"open", Value{}}}),
                  "parked");
        const std::string effect = integration::effect_key(name.adapter, text_member(row, "id"));
        if (name.letter.starts_with("out/") && integration::find_value(view, hub::effects, effect))
          add_patch(write, hub::effects, effect,
                    Value::object({{"state", Value::string("refused")},
                                   {"finished", Value::string(now)},
                                   {"detail", Value::string("discarded by " + who)},
                                   {"open", Value{}}}),
                    "parked");
        return write;
      });
}

struct Edit {
  LetterName name;
  std::string body;
  std::optional<std::string> content_type;
};

Result<Edit> edit_of(const Call& call, std::string& wrong_at) {
  TRY(check_query(call.request, {}));
  Edit edit;
  TRY_ASSIGN(edit.name, letter_of(call));
  TRY_ASSIGN(const Value body, body_of(call.request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  TRY_ASSIGN(edit.body, members.text("body"));
  TRY_ASSIGN(edit.content_type, members.optional_text("content_type"));
  TRY(members.finish());
  return edit;
}

void edit_letter(const CallPtr& call) {
  std::string wrong_at;
  const auto edit = edit_of(*call, wrong_at);
  if (!edit) return call->refuse(edit.error(), {}, wrong_at);
  change_rows(call, "edit letter", edit->name.key(),
              [edit = *edit](const record::StateReader& view, const std::string&) -> Result<Write> {
                TRY_ASSIGN(const Value row, find_letter(view, edit.name));
                const std::uint64_t revision = number_member(row, "revision");
                Value patch =
                    Value::object({{"body", Value::string(edit.body)},
                                   {"edited", Value::boolean(true)},
                                   {"revision", Value::number(std::to_string(revision + 1))}});
                if (edit.content_type) patch.set("content_type", Value::string(*edit.content_type));
                Write write;
                add_patch(write, hub::letters, edit.name.key(), patch, "parked");
                // Two people who edit at the same time: the second one sees it.
                write.command.checks.back().condition.fields.push_back(
                    {"/revision", Bytes{std::to_string(revision)}});
                return write;
              });
}

}  // namespace

void add_letter_routes(Routes& routes) {
  routes.add(Method::get, letters_path, list_letters);
  routes.add(Method::get, letter_path, show_letter);
  routes.add(Method::put, letter_path, edit_letter);
  routes.add(Method::post, "/v1/adapters/{adapter}/letters/{letter}/replay", replay_letter);
  routes.add(Method::post, "/v1/adapters/{adapter}/letters/{letter}/discard", discard_letter);
}

}  // namespace mainstay::api
