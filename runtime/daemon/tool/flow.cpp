// flow: the integration hub's adapters, their dead letters and reconciliations, one order's story.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

namespace {

struct FlowOptions {
  std::string adapter, letter, key, name, type, from, to, body, file, content_type, operation;
  std::string state, direction, kind, subject, trace, reason;
  std::uint64_t node = 0;
  std::uint64_t limit = 1000;
  bool repair = false;
};
using OptionsPtr = std::shared_ptr<FlowOptions>;

constexpr const char* json_type = "application/json";

std::string adapter_target(const FlowOptions& options, const std::string& more = {}) {
  return "/v1/adapters/" + http::percent_encode(options.adapter) + more;
}
std::string letter_target(const FlowOptions& options, const std::string& more = {}) {
  return adapter_target(options, "/letters/" + http::percent_encode(options.letter) + more);
}

// Adds name=value to a query; nothing for an empty value.
void add(std::string& target, const char* name, const std::string& value) {
  if (value.empty()) return;
  target += (target.find('?') == std::string::npos ? '?' : '&');
  target += std::string{name} + "=" + http::percent_encode(value);
}
void add(json::Value& object, const char* name, const std::string& value) {
  if (!value.empty()) object.set(name, text(value));
}

// All items of a list, at most `limit`.
Result<json::Array> items_of(Run& run, const std::string& target, const std::string& member,
                             std::uint64_t limit) {
  json::Array items;
  TRY(each_item(run, target, member, "", [&](const json::Value& item) {
    if (items.size() >= limit) return false;
    items.push_back(item);
    return true;
  }));
  return items;
}

// A change: told with --plan, else sent under an operation id.
Result<int> change(Run& run, const FlowOptions& options, http::Method method,
                   const std::string& target, const json::Value& body, const std::string& plan,
                   const std::string& done) {
  if (run.plan) return tell_plan(run, plan);
  Write write{method, target};
  if (!body.is(json::Type::null)) {
    write.body = json::to_text(body);
    write.content_type = json_type;
  }
  write.operation = options.operation;
  TRY_ASSIGN(const http::Reply reply, send_write(run, std::move(write)));
  TRY_ASSIGN(const json::Value answer, object_of(reply));
  return print(run, answer, done);
}

// --- looking ---

json::Value member_of(const json::Value& object, const char* outer, const char* inner) {
  const json::Value* part = object.find(outer);
  const json::Value* found =
      part != nullptr && part->is(json::Type::object) ? part->find(inner) : nullptr;
  return found == nullptr ? json::Value{} : *found;
}

std::string seconds_text(std::uint64_t millis) {
  return fmt::format("{:.1f} s", static_cast<double>(millis) / 1000);
}

// The age of the oldest of its paths' newest heartbeats.
std::string worst_heartbeat(const json::Value& adapter) {
  std::uint64_t age = 0;
  bool overdue = false;
  for (const json::Value& path : items_at(adapter, "paths")) {
    age = std::max(age, number_at(path, "age_ms"));
    overdue = overdue || flag_at(path, "overdue");
  }
  if (items_at(adapter, "paths").empty()) return "";
  return seconds_text(age) + (overdue ? " overdue" : "");
}

bool any_open_breaker(const json::Value& adapter) {
  const json::Array& paths = items_at(adapter, "paths");
  return std::any_of(paths.begin(), paths.end(),
                     [](const json::Value& path) { return text_at(path, "breaker") == "open"; });
}

// The columns of a table are members: what is nested gets a name of its own.
json::Value flat(const json::Value& adapter) {
  json::Value row = adapter;
  row.set("state", text(adapter.find("paused")->as_boolean() ? "paused" : "placed"));
  for (const char* side : {"in", "out"})
    for (const char* what : {"pending", "parked"})
      row.set(std::string{side} + "_" + what, member_of(adapter, side, what));
  row.set("oldest", member_of(adapter, "out", "oldest_pending"));
  row.set("heartbeat", text(worst_heartbeat(adapter)));
  row.set("breaker", text(any_open_breaker(adapter) ? "open" : ""));
  return row;
}

std::string path_line(const json::Value& path) {
  std::string line = "path " + text_at(path, "path") + ": heartbeat ";
  line += seconds_text(number_at(path, "age_ms")) + " ago";
  if (path.find("delay_ms") != nullptr)
    line += ", took " + seconds_text(number_at(path, "delay_ms"));
  else
    line = "path " + text_at(path, "path") + ": no heartbeat yet";
  if (flag_at(path, "overdue")) line += ", overdue";
  if (text_at(path, "reached") == "lane") line += ", as far as the lane";
  if (text_at(path, "breaker") == "open") line += ", breaker open";
  if (!text_at(path, "trouble").empty()) line += ": " + text_at(path, "trouble");
  return line + "\n";
}

Result<int> status(Run& run, const FlowOptions& options) {
  if (!options.adapter.empty()) {
    TRY_ASSIGN(const json::Value adapter, run.get(adapter_target(options)));
    std::string words;
    for (const char* name : {"adapter", "kind", "node", "epoch", "paused", "since"})
      words += std::string{name} + ": " + cell_of(adapter.find(name)) + "\n";
    for (const char* side : {"in", "out"})
      for (const char* what : {"total", "acknowledged", "refused", "parked", "pending",
                               "oldest_pending", "last_success"}) {
        const json::Value value = member_of(adapter, side, what);
        if (!value.is(json::Type::null))
          words += std::string{side} + " " + what + ": " + cell_of(&value) + "\n";
      }
    for (const json::Value& path : items_at(adapter, "paths")) words += path_line(path);
    words.pop_back();
    return print(run, adapter, words);
  }
  TRY_ASSIGN(json::Array adapters, items_of(run, "/v1/adapters", "adapters", options.limit));
  if (!run.json)
    for (json::Value& adapter : adapters) adapter = flat(adapter);
  return print_rows(run, adapters,
                    {{"ADAPTER", "adapter"},
                     {"KIND", "kind"},
                     {"NODE", "node"},
                     {"EPOCH", "epoch"},
                     {"STATE", "state"},
                     {"IN PARKED", "in_parked"},
                     {"OUT PENDING", "out_pending"},
                     {"OUT PARKED", "out_parked"},
                     {"OLDEST", "oldest"},
                     {"HEARTBEAT", "heartbeat"},
                     {"BREAKER", "breaker"}});
}

Result<int> trace(Run& run, const FlowOptions& options) {
  TRY_ASSIGN(const json::Value story, run.get("/v1/trace/" + http::percent_encode(options.key)));
  const json::Array& events = items_at(story, "events");
  if (events.empty()) return fail(Errc::not_found, "nothing is known of '" + options.key + "'");
  return print_rows(run, events,
                    {{"TIME", "time"},
                     {"WHAT", "what"},
                     {"ADAPTER", "adapter"},
                     {"TYPE", "type"},
                     {"COLLECTION", "collection"},
                     {"KEY", "key"},
                     {"EFFECT", "effect"},
                     {"DETAIL", "detail"}});
}

Result<int> letters(Run& run, const FlowOptions& options) {
  if (!options.letter.empty()) {
    TRY_ASSIGN(const json::Value letter, run.get(letter_target(options)));
    return print(run, letter,
                 text_at(letter, "class") + ": " + text_at(letter, "reason") + "\n" +
                     text_at(letter, "body"));
  }
  std::string target = adapter_target(options, "/letters");
  add(target, "state", options.state);
  add(target, "direction", options.direction);
  add(target, "class", options.kind);
  TRY_ASSIGN(const json::Array found, items_of(run, target, "letters", options.limit));
  return print_rows(run, found,
                    {{"LETTER", "letter"},
                     {"CLASS", "class"},
                     {"STATE", "state"},
                     {"ATTEMPTS", "attempts"},
                     {"LAST", "last"},
                     {"REASON", "reason"}});
}

Result<int> discrepancies(Run& run, const FlowOptions& options) {
  std::string target = adapter_target(options, "/discrepancies");
  add(target, "name", options.name);
  add(target, "state", options.state);
  TRY_ASSIGN(const json::Array found, items_of(run, target, "discrepancies", options.limit));
  return print_rows(run, found,
                    {{"NAME", "name"},
                     {"KEY", "key"},
                     {"KIND", "kind"},
                     {"STATE", "state"},
                     {"FIRST", "first"},
                     {"FIELDS", "fields"},
                     {"EXPLANATION", "explanation"}});
}

Result<int> reconciliations(Run& run, const FlowOptions& options) {
  TRY_ASSIGN(const json::Array found, items_of(run, adapter_target(options, "/reconciliations"),
                                               "reconciliations", options.limit));
  return print_rows(run, found,
                    {{"NAME", "name"},
                     {"PASSED", "passed"},
                     {"COMPARED", "compared"},
                     {"EQUAL", "equal"},
                     {"PENDING", "pending"},
                     {"OPEN", "open"},
                     {"ACCURACY", "accuracy"},
                     {"VERIFIED THROUGH", "verified_through"},
                     {"LAST RUN", "last_run"}});
}

// --- steering ---

Result<int> pause(Run& run, const FlowOptions& options) {
  return change(run, options, http::Method::post, adapter_target(options, "/pause"), {},
                "let adapter " + options.adapter + " rest: what waits goes on waiting",
                "adapter " + options.adapter + " is paused");
}

Result<int> resume(Run& run, const FlowOptions& options) {
  return change(run, options, http::Method::post, adapter_target(options, "/resume"), {},
                "let adapter " + options.adapter + " go on",
                "adapter " + options.adapter + " goes on");
}

Result<int> move(Run& run, const FlowOptions& options) {
  const std::string node = std::to_string(options.node);
  const std::string where = options.node == 0 ? "any node" : "node " + node;
  return change(run, options, http::Method::post, adapter_target(options, "/move"),
                json::Value::object({{"to", json::Value::number(node)}}),
                "move adapter " + options.adapter + " to " + where,
                "adapter " + options.adapter + " goes to " + where);
}

Result<int> backfill(Run& run, const FlowOptions& options) {
  json::Value body = json::Value::object();
  add(body, "type", options.type);
  add(body, "from", options.from);
  add(body, "to", options.to);
  return change(run, options, http::Method::post, adapter_target(options, "/backfill"), body,
                "read again with adapter " + options.adapter + ": " + json::to_text(body),
                "asked; the record hub-commands/" + options.adapter + "/… shows how far it is");
}

Result<int> sweep(Run& run, const FlowOptions& options) {
  json::Value body = json::Value::object();
  add(body, "type", options.type);
  return change(
      run, options, http::Method::post, adapter_target(options, "/sweep"), body,
      "read everything again with adapter " + options.adapter + ": " + json::to_text(body),
      "asked; the record hub-commands/" + options.adapter + "/… shows how far it is");
}

Result<int> reconcile(Run& run, const FlowOptions& options) {
  json::Value body = json::Value::object();
  add(body, "name", options.name);
  if (options.repair) body.set("repair", json::Value::boolean(true));
  add(body, "key", options.key);
  return change(run, options, http::Method::post, adapter_target(options, "/reconcile"), body,
                std::string{options.repair ? "repair" : "compare"} + " with adapter " +
                    options.adapter + ": " + json::to_text(body),
                "asked; flow reconciliations " + options.adapter + " shows the result");
}

Result<int> explain(Run& run, const FlowOptions& options) {
  const json::Value body = json::Value::object(
      {{"name", text(options.name)}, {"key", text(options.key)}, {"reason", text(options.reason)}});
  return change(run, options, http::Method::post, adapter_target(options, "/discrepancies/explain"),
                body, "accept difference " + options.key + " of " + options.name,
                "explained; it is open again when it changes");
}

Result<int> replay(Run& run, const FlowOptions& options) {
  if (!options.letter.empty())
    return change(run, options, http::Method::post, letter_target(options, "/replay"), {},
                  "try letter " + options.letter + " again",
                  "letter " + options.letter + " is tried again");
  json::Value body = json::Value::object();
  add(body, "direction", options.direction);
  add(body, "class", options.kind);
  add(body, "type", options.type);
  add(body, "subject", options.subject);
  add(body, "trace", options.trace);
  return change(run, options, http::Method::post, adapter_target(options, "/replay"), body,
                "try all parked letters of adapter " + options.adapter +
                    " again that fit: " + json::to_text(body),
                "asked; flow dead-letters " + options.adapter + " shows what is left");
}

Result<int> edit(Run& run, const FlowOptions& options) {
  TRY_ASSIGN(const std::string content, value_of(run, options.body, options.file));
  json::Value body = json::Value::object({{"body", text(content)}});
  add(body, "content_type", options.content_type);
  return change(run, options, http::Method::put, letter_target(options), body,
                "change the body of letter " + options.letter,
                "letter " + options.letter + " has a new body; flow replay tries it");
}

Result<int> discard(Run& run, const FlowOptions& options) {
  return change(run, options, http::Method::post, letter_target(options, "/discard"), {},
                "give letter " + options.letter + " up: it is never tried again",
                "letter " + options.letter + " is given up");
}

// --- the commands ---

class Commands {
 public:
  Commands(CLI::App& flow, Run& run) : flow_{flow}, run_{run} {}

  using Action = Result<int> (*)(Run&, const FlowOptions&);
  CLI::App* command(const char* name, const char* what, Action action) {
    CLI::App* made = flow_.add_subcommand(name, what);
    on(run_, made, [run = &run_, options = options_, action] { return action(*run, *options); });
    return made;
  }
  CLI::App* of_adapter(const char* name, const char* what, Action action) {
    CLI::App* made = command(name, what, action);
    made->add_option("adapter", options_->adapter, "The adapter")->required();
    return made;
  }
  CLI::App* changing(CLI::App* command) {
    command->add_option("--operation", options_->operation,
                        "Operation id: repeating a command with it never does it twice.");
    add_plan(run_, command);
    return command;
  }
  void text(CLI::App* command, const char* name, std::string FlowOptions::*member,
            const char* what) {
    command->add_option(name, options_.get()->*member, what);
  }
  void letter(CLI::App* command, bool must) {
    command
        ->add_option("letter", options_->letter, "The letter's name, as flow dead-letters shows it")
        ->required(must);
  }
  FlowOptions& options() { return *options_; }

 private:
  CLI::App& flow_;
  Run& run_;
  const OptionsPtr options_ = std::make_shared<FlowOptions>();
};

void add_looking(Commands& commands) {
  CLI::App* shown = commands.command("status", "Show the adapters, or one of them", status);
  commands.text(shown, "adapter", &FlowOptions::adapter, "Only this one, with its counts");
  CLI::App* traced = commands.command("trace", "Tell the whole story of one order or thing", trace);
  traced->add_option("key", commands.options().key, "Its trace, subject or key")->required();
  CLI::App* parked = commands.of_adapter("dead-letters",
                                         "List what is parked, or show one with its body", letters);
  commands.letter(parked, false);
  commands.text(parked, "--state", &FlowOptions::state,
                "open, parked, replay, released, resolved, discarded or all; open without it.");
  commands.text(parked, "--direction", &FlowOptions::direction, "in, out or export.");
  commands.text(parked, "--class", &FlowOptions::kind, "Only of this class.");
  commands.of_adapter("reconciliations", "Show how far records and counterpart agree",
                      reconciliations);
  CLI::App* differing =
      commands.of_adapter("discrepancies", "List every difference by name", discrepancies);
  commands.text(differing, "--name", &FlowOptions::name, "Only of this reconciliation.");
  commands.text(differing, "--state", &FlowOptions::state,
                "open, explained, resolved or all; open without it.");
}

void add_steering(Commands& commands) {
  commands.changing(commands.of_adapter("pause", "Let an adapter rest", pause));
  commands.changing(commands.of_adapter("resume", "Let a paused adapter go on", resume));
  CLI::App* moved =
      commands.changing(commands.of_adapter("move", "Prefer a node for an adapter", move));
  moved->add_option("node", commands.options().node, "The node; 0: any")->required();
  CLI::App* filled = commands.changing(commands.of_adapter(
      "backfill", "Read a part of the past again, while the source goes on", backfill));
  commands.text(filled, "--type", &FlowOptions::type, "Only messages of this type.");
  commands.text(filled, "--from", &FlowOptions::from, "From here on, in the adapter's own words.");
  commands.text(filled, "--to", &FlowOptions::to, "Up to here.");
  CLI::App* swept = commands.changing(commands.of_adapter(
      "sweep", "Read the whole past again, type by type, while the source goes on", sweep));
  commands.text(swept, "--type", &FlowOptions::type, "Only messages of this type.");
  CLI::App* compared = commands.changing(
      commands.of_adapter("reconcile", "Compare with the counterpart now, or repair", reconcile));
  commands.text(compared, "--name", &FlowOptions::name, "Only this reconciliation.");
  compared->add_flag("--repair", commands.options().repair, "Mend what can be mended.");
  commands.text(compared, "--key", &FlowOptions::key, "With --repair: only this difference.");
  CLI::App* explained = commands.changing(commands.of_adapter(
      "explain", "Accept an open difference that is known: it holds no mark up any more", explain));
  explained->add_option("name", commands.options().name, "The reconciliation")->required();
  explained->add_option("key", commands.options().key, "The difference's key")->required();
  explained->add_option("reason", commands.options().reason, "Why, for all who look later")
      ->required();
  CLI::App* replayed = commands.changing(
      commands.of_adapter("replay", "Try a parked letter again, or all that fit", replay));
  commands.letter(replayed, false);
  commands.text(replayed, "--direction", &FlowOptions::direction, "in, out or export.");
  commands.text(replayed, "--class", &FlowOptions::kind, "Only of this class.");
  commands.text(replayed, "--type", &FlowOptions::type, "Only of this type.");
  commands.text(replayed, "--subject", &FlowOptions::subject, "Only of this subject.");
  commands.text(replayed, "--trace", &FlowOptions::trace, "Only with this trace.");
  CLI::App* edited =
      commands.changing(commands.of_adapter("edit", "Change a parked letter's body", edit));
  commands.letter(edited, true);
  commands.text(edited, "body", &FlowOptions::body, "The new body, or - for standard input");
  commands.text(edited, "--file", &FlowOptions::file, "The new body is in this file.");
  commands.text(edited, "--content-type", &FlowOptions::content_type, "If it is another one.");
  CLI::App* given_up =
      commands.changing(commands.of_adapter("discard", "Give a parked letter up", discard));
  commands.letter(given_up, true);
}

}  // namespace

void add_flow_commands(CLI::App& app, Run& run) {
  CLI::App* flow = app.add_subcommand("flow", "The integration hub: adapters and what they carry");
  flow->require_subcommand(1);
  flow->fallthrough();
  Commands commands{*flow, run};
  add_looking(commands);
  add_steering(commands);
}

}  // namespace mainstay::tool
