// ledger post, entries, balances.
#include <algorithm>
#include <ostream>
#include <set>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/print.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

namespace {

struct LedgerOptions {
  std::string collection, value, file, operation, prefix, after, by;
  std::vector<std::string> where;
  std::uint64_t limit = 100;
  bool all = false;
};
using OptionsPtr = std::shared_ptr<LedgerOptions>;

Result<int> post(Run& run, const LedgerOptions& options) {
  TRY_ASSIGN(std::string body, value_of(run, options.value, options.file));
  if (run.plan) {
    TRY_ASSIGN(const json::Value value, json::parse(body));
    const std::size_t many = items_at(value, "entries").size();
    return tell_plan(
        run, "post " +
                 (many == 0 ? "entry " + text_at(value, "id") : std::to_string(many) + " entries") +
                 " to " + options.collection);
  }
  TRY_ASSIGN(
      const http::Reply reply,
      send_write(run, {http::Method::post, collection_target(options.collection) + "/entries",
                       std::move(body), "application/json", options.operation}));
  TRY_ASSIGN(const json::Value result, object_of(reply));
  std::string text;
  for (const json::Value& entry : items_at(result, "results"))
    text += (flag_at(entry, "created") ? "posted " : "was there already: ") + options.collection +
            "/" + text_at(entry, "id") + "\n";
  return print(run, result, text + "revision " + cell_of(result.find("revision")));
}

// Items of a list up to --limit; tells on `err` when there are more.
Result<json::Array> collect(Run& run, const std::string& target, const std::string& member,
                            const LedgerOptions& options) {
  json::Array items;
  TRY_ASSIGN(const bool more,
             each_item(run, target, member, options.after, [&](const json::Value& item) {
               items.push_back(item);
               return options.all || items.size() < options.limit;
             }));
  if (more && !run.json) run.world.err << "there are more: a larger --limit, or --all\n";
  return items;
}

std::string page_of(const LedgerOptions& options) {
  return "limit=" +
         std::to_string(options.all ? 1000 : std::min<std::uint64_t>(options.limit, 1000));
}

Result<int> entries(Run& run, const LedgerOptions& options) {
  std::string target = collection_target(options.collection) + "/entries?" + page_of(options);
  if (!options.prefix.empty()) target += "&prefix=" + http::percent_encode(options.prefix);
  TRY_ASSIGN(const json::Array items, collect(run, target, "entries", options));
  return print_rows(run, items,
                    {{"ID", "id"}, {"REVISION", "revision"}, {"TIME", "time"}, {"ENTRY", "entry"}});
}

// "item=A" as a query; the dimensions become columns in the order in which the node names them.
Result<int> balances(Run& run, const LedgerOptions& options) {
  std::string target = collection_target(options.collection) + "/balances?" + page_of(options);
  for (const std::string& condition : options.where) {
    const std::size_t equals = condition.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(Errc::invalid_argument,
                  "'" + condition + "' is not DIMENSION=VALUE, such as item=A");
    target += "&" + http::percent_encode(condition.substr(0, equals)) + "=" +
              http::percent_encode(condition.substr(equals + 1));
  }
  if (!options.by.empty()) target += "&by=" + http::percent_encode(options.by);
  TRY_ASSIGN(const json::Array items, collect(run, target, "balances", options));
  std::vector<Column> columns;
  if (!items.empty())
    for (const auto& [name, value] : items.front().members())
      if (name != "quantity" && name != "revision") columns.push_back({name, name});
  columns.push_back({"QUANTITY", "quantity"});
  columns.push_back({"REVISION", "revision"});
  return print_rows(run, items, columns);
}

void add_paging(CLI::App* command, const OptionsPtr& options) {
  command->add_option("--after", options->after, "From behind this place on.");
  command->add_option("--limit", options->limit, "At most this many.")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t(-1)))
      ->capture_default_str();
  command->add_flag("--all", options->all, "Without a limit.");
}

}  // namespace

void add_ledger_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<LedgerOptions>();
  CLI::App* ledger = app.add_subcommand("ledger", "Post to ledgers, list entries and balances");
  ledger->require_subcommand(1);
  ledger->fallthrough();
  const auto named = [&](const char* name, const char* text) {
    CLI::App* command = ledger->add_subcommand(name, text);
    command->add_option("ledger", options->collection, "The ledger's collection")->required();
    return command;
  };

  CLI::App* post_command =
      named("post", "Post an entry, or {\"entries\":[…]} as one transaction; ids make it once");
  post_command->add_option("entry", options->value, "JSON text; - reads standard input");
  post_command->add_option("--file", options->file, "Read it from a file");
  post_command->add_option("--operation", options->operation,
                           "Operation id: repeating a command with it never does it twice.");
  add_plan(run, post_command);
  on(run, post_command, [&run, options] { return post(run, *options); });

  CLI::App* entries_command = named("entries", "List entries in the order of their ids");
  entries_command->add_option("--prefix", options->prefix, "Only ids that start with this.");
  add_paging(entries_command, options);
  on(run, entries_command, [&run, options] { return entries(run, *options); });

  CLI::App* balances_command = named("balances", "Show balances, one by one or summed");
  balances_command->add_option("where", options->where,
                               "DIMENSION=VALUE: only these balances; may be repeated");
  balances_command->add_option("--by", options->by,
                               "Keep these dimensions (item,unit) and sum over the others.");
  add_paging(balances_command, options);
  on(run, balances_command, [&run, options] { return balances(run, *options); });
}

}  // namespace mainstay::tool
