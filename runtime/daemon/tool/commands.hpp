// The subcommands and what they share; internal to the tool. Each registers its options and an
// action, in a file by topic.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "runtime/daemon/tool/document.hpp"
#include "runtime/daemon/tool/session.hpp"
#include "runtime/daemon/tool/tool.hpp"

namespace mainstay::tool {

// One run of the tool.
struct Run {
  const World& world;
  const std::string version;
  ContextFlags flags = {};
  std::string deadline_text = "10s";
  bool json = false;
  bool plan = false;  // of the subcommands that have it: tell, change nothing
  // Set by the subcommand that was chosen; returns the exit code.
  std::function<Result<int>()> action = nullptr;
  std::unique_ptr<Session> opened = nullptr;

  // The session with the cluster, opened when it is first asked for. Errors: those of the context.
  Result<Session*> session();
  Result<http::Reply> ask(const http::Call& call, Repeat repeat = Repeat::always,
                          Millis window_max = Millis{3000});
  // GET, and the JSON object that comes.
  Result<json::Value> get(const std::string& target);
};

void on(Run& run, CLI::App* command, std::function<Result<int>()> action);
void add_plan(Run& run, CLI::App* command);

// With --plan: prints what would happen, as {"plan":…} or "would …".
int tell_plan(const Run& run, const std::string& what);

// `document` with --json, else `text`; both end with a newline that is added here.
int print(const Run& run, const json::Value& document, const std::string& text);
// Rows of a table: names of members are the columns. With --json each document on a line of its
// own.
struct Column {
  std::string title;
  std::string member;
};
int print_rows(const Run& run, const json::Array& documents, const std::vector<Column>& columns);

std::string new_operation_id(const Run& run);

// A write under an operation id, whatever node takes it. An unknown outcome says how to ask for it.
struct Write {
  http::Method method = http::Method::put;
  std::string target;
  std::string body = {};
  std::string content_type = {};
  std::string operation = {};  // "": one is made
  std::vector<std::pair<std::string, std::string>> headers = {};
};
Result<http::Reply> send_write(Run& run, Write write);

// The pages of a list, one after the other: `take` gets each item of `member` and says whether to
// go on. Returns whether there are more.
Result<bool> each_item(Run& run, const std::string& target, const std::string& member,
                       const std::string& after,
                       const std::function<bool(const json::Value&)>& take);

// A value given as an argument, - for standard input, or --file. Errors: invalid_argument.
Result<std::string> value_of(const Run& run, const std::string& value, const std::string& file);

std::string header_of(const http::Reply& reply, std::string_view name);
std::string collection_target(const std::string& collection);
std::string record_target(const std::string& collection, const std::string& key);

void add_status_command(CLI::App& app, Run& run);
void add_collection_commands(CLI::App& app, Run& run);
void add_record_commands(CLI::App& app, Run& run);  // get put patch delete
void add_list_commands(CLI::App& app, Run& run);    // list history
void add_watch_command(CLI::App& app, Run& run);
void add_transaction_commands(CLI::App& app, Run& run);  // txn
void add_ledger_commands(CLI::App& app, Run& run);       // ledger post entries balances
void add_operation_commands(CLI::App& app, Run& run);    // op status fence
void add_cluster_commands(CLI::App& app, Run& run);      // member transfer drain
void add_import_command(CLI::App& app, Run& run);
void add_export_command(CLI::App& app, Run& run);
void add_token_commands(CLI::App& app, Run& run);  // token audit
void add_certs_commands(CLI::App& app, Run& run);
void add_bench_command(CLI::App& app, Run& run);
void add_torture_command(CLI::App& app, Run& run);
void add_doctor_command(CLI::App& app, Run& run);
void add_debug_commands(CLI::App& app, Run& run);
void add_flow_commands(CLI::App& app, Run& run);        // of the integration hub
void add_map_commands(CLI::App& app, Run& run);         // of the integration hub
void add_completion_commands(CLI::App& app, Run& run);  // completion, and the reference of docs

}  // namespace mainstay::tool
