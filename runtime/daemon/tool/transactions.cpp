// txn: several writes, all or nothing.
#include "runtime/daemon/tool/commands.hpp"

namespace mainstay::tool {

namespace {

struct TransactionOptions {
  std::string value, file, operation;
};

Result<int> transact(Run& run, const TransactionOptions& options) {
  TRY_ASSIGN(std::string body, value_of(run, options.value, options.file));
  if (run.plan) {
    TRY_ASSIGN(const json::Value transaction, json::parse(body));
    return tell_plan(run, "run " + std::to_string(items_at(transaction, "operations").size()) +
                              " operations under " +
                              std::to_string(items_at(transaction, "conditions").size()) +
                              " conditions, all or nothing");
  }
  TRY_ASSIGN(const http::Reply reply,
             send_write(run, {http::Method::post, "/v1/transactions", std::move(body),
                              "application/json", options.operation}));
  TRY_ASSIGN(json::Value result, object_of(reply));
  const bool replayed = !header_of(reply, "Mainstay-Replayed").empty();
  result.set("replayed", json::Value::boolean(replayed));
  return print(run, result,
               "committed " + std::to_string(items_at(result, "results").size()) +
                   " operations: revision " + cell_of(result.find("revision")) +
                   (replayed ? " (done before under this operation id)" : ""));
}

}  // namespace

void add_transaction_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<TransactionOptions>();
  CLI::App* command = app.add_subcommand(
      "txn", "Run a transaction: {\"conditions\":[…],\"operations\":[…]}, all or nothing");
  command->add_option("transaction", options->value, "JSON text; - reads standard input");
  command->add_option("--file", options->file, "Read it from a file");
  command->add_option("--operation", options->operation,
                      "Operation id: repeating a command with it never does it twice.");
  add_plan(run, command);
  on(run, command, [&run, options] { return transact(run, *options); });
}

}  // namespace mainstay::tool
