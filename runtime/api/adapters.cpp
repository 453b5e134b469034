// Adapters of the integration hub: what they do, and pause, resume, move, backfill, reconcile.
#include <map>

#include "runtime/api/body.hpp"
#include "runtime/api/flows.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/times.hpp"
#include "runtime/integration/heartbeat.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/release.hpp"
#include "runtime/integration/rows.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Request;
using http::Response;
using json::Type;
using json::Value;
namespace hub = integration::hub;

// Counting looks at every message that is still known: at most so many, then it says so.
constexpr std::size_t counted_rows_max = 50'000;

Value text(std::string_view value) {
  return Value::string(std::string{value});
}
Value number(std::uint64_t value) {
  return Value::number(std::to_string(value));
}

void each_row(const record::StateReader& view, const char* collection, const std::string& prefix,
              const std::function<bool(std::string_view key, const Value& row)>& visit) {
  view.scan_records(collection, prefix, "",
                    [&](std::string_view key, const record::Record& record) {
                      if (record.tombstone) return true;
                      const auto value = json::parse(record.value.view());
                      return !value || visit(key, *value);
                    });
}

// --- what an adapter does ---

// The nodes that could run it, by hub-nodes.
Value candidates(const record::StateReader& view, const std::string& adapter, std::string& kind) {
  json::Array nodes;
  each_row(view, hub::nodes, "", [&](std::string_view, const Value& row) {
    const Value* adapters = row.find("adapters");
    const Value* found =
        adapters != nullptr && adapters->is(Type::object) ? adapters->find(adapter) : nullptr;
    if (found == nullptr) return true;
    kind = text_member(*found, "kind");
    nodes.push_back(Value::object({{"node", number(number_member(row, "node"))},
                                   {"hash", text(text_member(*found, "hash"))},
                                   {"draining", Value::boolean(flag_member(row, "draining"))}}));
    return true;
  });
  return Value::array(std::move(nodes));
}

struct Direction {
  std::uint64_t acknowledged = 0, refused = 0, parked = 0, pending = 0;
  std::string oldest_pending, last_success;

  void wait(const std::string& since) {
    ++pending;
    if (!since.empty() && (oldest_pending.empty() || since < oldest_pending))
      oldest_pending = since;
  }
  void succeed(const std::string& at) { last_success = std::max(last_success, at); }
  Value value(bool counted) const {
    Value value = Value::object();
    if (counted) {
      value.set("total", number(acknowledged + refused + parked + pending));
      value.set("acknowledged", number(acknowledged));
      value.set("refused", number(refused));
    }
    value.set("parked", number(parked));
    value.set("pending", number(pending));
    if (!oldest_pending.empty()) value.set("oldest_pending", text(oldest_pending));
    if (!last_success.empty()) value.set("last_success", text(last_success));
    return value;
  }
};

// What is open, by its index: as many rows as wait, however many there were.
void count_open(const record::StateReader& view, const std::string& adapter, Direction& in,
                Direction& out) {
  integration::scan_open(view, hub::effects, adapter,
                         [&](std::string_view, const Value& row, const record::Record&) {
                           out.wait(text_member(row, "created"));
                           return true;
                         });
  integration::scan_open(
      view, hub::letters, adapter, [&](std::string_view, const Value& row, const record::Record&) {
        // Its effect is what is under way.
        if (text_member(row, "state") == "released") return true;
        Direction& direction = text_member(row, "direction") == "in" ? in : out;
        const bool tried =
            text_member(row, "state") == "replay" || text_member(row, "class") == "behind";
        if (tried && &direction == &in)
          in.wait(text_member(row, "first"));
        else
          ++direction.parked;
        return true;
      });
}

// Everything that is still known. False: there was more than is counted.
bool count_finished(const record::StateReader& view, const std::string& adapter, Direction& in,
                    Direction& out) {
  std::size_t rows = 0;
  each_row(view, hub::inbox, adapter + "/", [&](std::string_view, const Value& row) {
    if (++rows > counted_rows_max) return false;
    ++in.acknowledged;
    in.succeed(text_member(row, "at"));
    return true;
  });
  bool complete = rows <= counted_rows_max;
  each_row(view, hub::letters, adapter + "/in/", [&](std::string_view, const Value& row) {
    if (++rows > counted_rows_max) return false;
    in.refused += text_member(row, "state") == "discarded" ? 1 : 0;
    return true;
  });
  rows = 0;
  each_row(view, hub::effects, adapter + "/", [&](std::string_view, const Value& row) {
    if (++rows > counted_rows_max) return false;
    const std::string state = text_member(row, "state");
    out.acknowledged += state == "acknowledged" ? 1 : 0;
    out.refused += state == "refused" ? 1 : 0;
    if (state == "acknowledged") out.succeed(text_member(row, "finished"));
    return true;
  });
  return complete && rows <= counted_rows_max;
}

// How each of its paths lives, by its newest heartbeat.
Value paths_value(const record::StateReader& view, const std::string& adapter, WallTime now) {
  const auto millis = [](Millis time) {
    return number(static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count())));
  };
  json::Array paths;
  each_row(view, hub::paths, adapter + "/", [&](std::string_view, const Value& value) {
    const auto row = integration::path_row(value);
    if (!row) return true;
    Value path = Value::object({{"path", text(row->path)},
                                {"every_ms", number(row->every_ms)},
                                {"age_ms", millis(heartbeat_age(*row, now))},
                                {"overdue", Value::boolean(is_overdue(*row, now))}});
    if (!row->sent.empty()) {
      path.set("sent", text(row->sent));
      path.set("arrived", text(row->arrived));
      path.set("delay_ms", millis(heartbeat_delay(*row)));
    }
    if (!row->reached.empty()) path.set("reached", text(row->reached));
    if (!row->breaker.empty()) path.set("breaker", text(row->breaker));
    if (!row->trouble.empty()) path.set("trouble", text(row->trouble));
    paths.push_back(std::move(path));
    return true;
  });
  return Value::array(std::move(paths));
}

Value adapter_value(const record::StateReader& view, const std::string& adapter, bool counted,
                    WallTime now) {
  const Value row = integration::find_value(view, hub::adapters, adapter).value_or(Value::object());
  Value value = Value::object({{"adapter", text(adapter)}});
  std::string kind;
  Value nodes = candidates(view, adapter, kind);
  value.set("kind", text(kind));
  const std::uint64_t node = number_member(row, "node");
  value.set("node", node == 0 ? Value{} : number(node));
  value.set("epoch", number(number_member(row, "epoch")));
  value.set("paused", Value::boolean(flag_member(row, "paused")));
  if (number_member(row, "prefer") != 0) value.set("prefer", number(number_member(row, "prefer")));
  if (!text_member(row, "since").empty()) value.set("since", text(text_member(row, "since")));
  value.set("candidates", std::move(nodes));
  Value positions = Value::object();
  each_row(view, hub::positions, adapter + "/", [&](std::string_view key, const Value& position) {
    positions.set(std::string{key.substr(adapter.size() + 1)},
                  Value::object({{"position", text(text_member(position, "position"))},
                                 {"at", text(text_member(position, "at"))}}));
    return true;
  });
  value.set("positions", std::move(positions));
  value.set("paths", paths_value(view, adapter, now));
  Direction in, out;
  count_open(view, adapter, in, out);
  const bool complete = !counted || count_finished(view, adapter, in, out);
  value.set("in", in.value(counted));
  value.set("out", out.value(counted));
  if (counted) value.set("complete", Value::boolean(complete));
  return value;
}

std::map<std::string, bool> adapter_names(const record::StateReader& view) {
  std::map<std::string, bool> names;
  each_row(view, hub::adapters, "", [&](std::string_view key, const Value&) {
    names.emplace(key, true);
    return true;
  });
  each_row(view, hub::nodes, "", [&](std::string_view, const Value& row) {
    const Value* adapters = row.find("adapters");
    if (adapters != nullptr && adapters->is(Type::object))
      for (const auto& [name, one] : adapters->members()) names.emplace(name, true);
    return true;
  });
  return names;
}

struct ListRequest {
  std::string after;
  std::size_t limit = 0;
  ReadNeed need;
};

Result<ListRequest> list_request_of(const Call& call) {
  TRY(check_query(call.request, {"after", "limit", "level"}));
  TRY(need_flows(call.principal, {hub::adapters}));
  ListRequest list;
  TRY_ASSIGN(list.after, key_parameter(call.request, "after"));
  TRY_ASSIGN(list.limit, limit_of(call.request));
  TRY_ASSIGN(list.need, need_of(call.request));
  return list;
}

void list_adapters(const CallPtr& call) {
  const auto list = list_request_of(*call);
  if (!list) return call->refuse(list.error());
  const WallTime now = call->context->clock.wall();
  read(call, list->need, [list = *list, now](const record::StateReader& view) -> Result<Response> {
    Page page{"adapters", list.limit};
    std::string last;
    const auto names = adapter_names(view);
    for (auto at = names.upper_bound(list.after); at != names.end() && page.take_row(); ++at) {
      last = at->first;
      json::append_text(page.begin_item(), adapter_value(view, last, false, now));
    }
    return std::move(page).finish(json_string(last));
  });
}

void show_adapter(const CallPtr& call) {
  const auto need = [&]() -> Result<ReadNeed> {
    TRY(check_query(call->request, {"level"}));
    TRY(need_flows(call->principal, {hub::adapters}));
    TRY(adapter_of(call->request));
    return need_of(call->request);
  }();
  if (!need) return call->refuse(need.error());
  read(call, *need,
       [adapter = call->request.captures.at(0),
        now = call->context->clock.wall()](const record::StateReader& view) -> Result<Response> {
         TRY(check_adapter(view, adapter));
         return http::json_response(200, json::to_text(adapter_value(view, adapter, true, now)));
       });
}

// --- steering ---

// `patch` of the adapter's row, which is made for an adapter that has not been placed yet.
Result<Write> placement_write(const record::StateReader& view, const std::string& adapter,
                              const Value& patch) {
  TRY(check_adapter(view, adapter));
  Write write;
  if (integration::find_value(view, hub::adapters, adapter)) {
    add_patch(write, hub::adapters, adapter, patch);
    return write;
  }
  Value row = Value::object({{"adapter", text(adapter)},
                             {"node", number(0)},
                             {"epoch", number(0)},
                             {"paused", Value::boolean(false)}});
  json::merge(row, patch);
  add_put(write, hub::adapters, adapter, row);
  return write;
}

Result<void> check_empty(const Request& request, std::string& wrong_at) {
  if (request.body.empty()) return {};
  TRY_ASSIGN(const Value body, body_of(request));
  TRY_ASSIGN(const Members members, Members::of(body, Place{wrong_at}));
  return members.finish();
}

template <bool paused>
void set_paused(const CallPtr& call) {
  std::string wrong_at;
  const auto adapter = [&]() -> Result<std::string> {
    TRY(check_query(call->request, {}));
    TRY(check_empty(call->request, wrong_at));
    TRY(need_flows(call->principal, {hub::adapters}));
    return adapter_of(call->request);
  }();
  if (!adapter) return call->refuse(adapter.error(), {}, wrong_at);
  change_rows(
      call, paused ? "pause adapter" : "resume adapter", *adapter,
      [adapter = *adapter](const record::StateReader& view, const std::string&) {
        return placement_write(view, adapter, Value::object({{"paused", Value::boolean(paused)}}));
      });
}

struct MoveRequest {
  std::string adapter;
  std::uint64_t to = 0;
};

Result<MoveRequest> move_request_of(const Call& call, std::string& wrong_at) {
  TRY(check_query(call.request, {}));
  TRY(need_flows(call.principal, {hub::adapters}));
  MoveRequest move;
  TRY_ASSIGN(move.adapter, adapter_of(call.request));
  TRY_ASSIGN(const Value body, body_of(call.request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  TRY_ASSIGN(const auto to, members.optional_number("to", 0, 65535));
  if (!to) return members.place().wrong("needs the member \"to\": a node id, or 0 for any");
  move.to = *to;
  TRY(members.finish());
  return move;
}

void move_adapter(const CallPtr& call) {
  std::string wrong_at;
  const auto move = move_request_of(*call, wrong_at);
  if (!move) return call->refuse(move.error(), {}, wrong_at);
  change_rows(
      call, "move adapter",
      move->adapter + (move->to == 0 ? " to any node" : " to node " + std::to_string(move->to)),
      [move = *move](const record::StateReader& view, const std::string&) -> Result<Write> {
        const auto node = integration::find_value(view, hub::nodes, std::to_string(move.to));
        const Value* adapters = node && node->is(Type::object) ? node->find("adapters") : nullptr;
        const bool can = adapters != nullptr && adapters->is(Type::object) &&
                         adapters->find(move.adapter) != nullptr;
        TRY(check_adapter(view, move.adapter));
        if (move.to != 0 && !can)
          return fail(Errc::conflict, "node " + std::to_string(move.to) +
                                          " does not have adapter '" + move.adapter +
                                          "': its definition is missing there, or the node is");
        return placement_write(
            view, move.adapter,
            Value::object({{"prefer", move.to == 0 ? Value{} : number(move.to)}}));
      });
}

// --- commands ---

struct Asked {
  std::string adapter, command, what;
  Value arguments = Value::object();
};

Result<void> take_text(Members& members, const char* name, Value& arguments) {
  TRY_ASSIGN(const auto given, members.optional_text(name));
  if (given) arguments.set(name, text(*given));
  return {};
}

Result<Asked> backfill_of(const Call& call, std::string& wrong_at) {
  Asked asked{"", "backfill", "backfill"};
  TRY_ASSIGN(asked.adapter, adapter_of(call.request));
  TRY_ASSIGN(const Value body, body_of(call.request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  for (const char* name : {"type", "from", "to"}) TRY(take_text(members, name, asked.arguments));
  TRY(members.finish());
  return asked;
}

Result<Asked> sweep_of(const Call& call, std::string& wrong_at) {
  Asked asked{"", "sweep", "sweep"};
  TRY_ASSIGN(asked.adapter, adapter_of(call.request));
  if (call.request.body.empty()) return asked;
  TRY_ASSIGN(const Value body, body_of(call.request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  TRY(take_text(members, "type", asked.arguments));
  TRY(members.finish());
  return asked;
}

Result<Asked> reconcile_of(const Call& call, std::string& wrong_at) {
  Asked asked{"", "reconcile", "reconcile"};
  TRY_ASSIGN(asked.adapter, adapter_of(call.request));
  if (call.request.body.empty()) return asked;
  TRY_ASSIGN(const Value body, body_of(call.request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  TRY(take_text(members, "name", asked.arguments));
  TRY_ASSIGN(const bool repair, members.flag("repair"));
  if (repair) asked.command = asked.what = "repair";
  if (members.has("key") && !repair)
    return members.at("key").wrong("is for repairs: give \"repair\": true");
  TRY(take_text(members, "key", asked.arguments));
  TRY(members.finish());
  return asked;
}

Result<Asked> replay_of(const Call& call, std::string& wrong_at) {
  Asked asked{"", "replay", "replay letters"};
  TRY_ASSIGN(asked.adapter, adapter_of(call.request));
  if (call.request.body.empty()) return asked;
  TRY_ASSIGN(const Value body, body_of(call.request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  for (const char* name : {"direction", "class", "type", "subject", "trace"})
    TRY(take_text(members, name, asked.arguments));
  TRY(members.finish());
  return asked;
}

using AskedOf = Result<Asked> (*)(const Call& call, std::string& wrong_at);

template <AskedOf asked_of>
void ask_command(const CallPtr& call) {
  std::string wrong_at;
  const auto asked = [&]() -> Result<Asked> {
    TRY(check_query(call->request, {}));
    TRY(need_flows(call->principal, {hub::commands}));
    return asked_of(*call, wrong_at);
  }();
  if (!asked) return call->refuse(asked.error(), {}, wrong_at);
  const std::uint64_t now = sys::millis_of(call->context->clock.wall());
  change_rows(
      call, asked->what, asked->adapter + " " + json::to_text(asked->arguments),
      [asked = *asked, now, who = call->principal.name](
          const record::StateReader& view, const std::string& operation) -> Result<Write> {
        TRY(check_adapter(view, asked.adapter));
        if (integration::open_commands(view, asked.adapter, integration::commands_open_max) >=
            integration::commands_open_max)
          return fail(Errc::busy, "adapter '" + asked.adapter + "' has " +
                                      std::to_string(integration::commands_open_max) +
                                      " commands to carry out: wait until some are done");
        integration::CommandRow row;
        row.adapter = asked.adapter;
        row.id = integration::key_part(operation);
        row.command = asked.command;
        row.arguments = asked.arguments;
        row.asked_by = who;
        row.at = time_text(now);
        Write write;
        add_put(write, hub::commands, asked.adapter + "/" + row.id, integration::to_value(row));
        return write;
      },
      [adapter = asked->adapter](const record::Outcome& outcome, const std::string& operation) {
        return http::json_response(
            201, json::to_text(Value::object({{"adapter", text(adapter)},
                                              {"command", text(integration::key_part(operation))},
                                              {"operation", text(operation)},
                                              {"revision", number(outcome.revision)}})));
      });
}

}  // namespace

void add_adapter_routes(Routes& routes) {
  routes.add(Method::get, "/v1/adapters", list_adapters);
  routes.add(Method::get, "/v1/adapters/{adapter}", show_adapter);
  routes.add(Method::post, "/v1/adapters/{adapter}/pause", set_paused<true>);
  routes.add(Method::post, "/v1/adapters/{adapter}/resume", set_paused<false>);
  routes.add(Method::post, "/v1/adapters/{adapter}/move", move_adapter);
  routes.add(Method::post, "/v1/adapters/{adapter}/backfill", ask_command<backfill_of>);
  routes.add(Method::post, "/v1/adapters/{adapter}/sweep", ask_command<sweep_of>);
  routes.add(Method::post, "/v1/adapters/{adapter}/reconcile", ask_command<reconcile_of>);
  routes.add(Method::post, "/v1/adapters/{adapter}/replay", ask_command<replay_of>);
}

}  // namespace mainstay::api
