// token create, list, delete, bootstrap; audit.
#include <ostream>

#include "runtime/base/limits.hpp"
#include "runtime/daemon/tool/commands.hpp"
#include "runtime/http/target.hpp"
#include "runtime/tls/digest.hpp"

namespace mainstay::tool {

namespace {

constexpr std::size_t id_size = 8;       // of mst_<id>_<secret>
constexpr std::size_t secret_size = 43;  // base64url of 32 bytes

struct TokenOptions {
  std::string name, role = "reader", expires, id, operation, after;
  std::vector<std::string> collections;
  std::uint64_t limit = 50;
};
using OptionsPtr = std::shared_ptr<TokenOptions>;

Result<int> create(Run& run, const TokenOptions& options) {
  json::Value body =
      json::Value::object({{"name", text(options.name)}, {"role", text(options.role)}});
  json::Array grants;
  for (const std::string& collection : options.collections) grants.push_back(text(collection));
  if (!grants.empty()) body.set("collections", json::Value::array(std::move(grants)));
  if (!options.expires.empty()) body.set("expires", text(options.expires));
  if (run.plan) return tell_plan(run, "make a token: " + json::to_text(body));
  TRY_ASSIGN(const http::Reply reply,
             send_write(run, {http::Method::post, "/v1/tokens", json::to_text(body),
                              "application/json", options.operation}));
  TRY_ASSIGN(const json::Value made, object_of(reply));
  if (!run.json)
    run.world.err << "token " << text_at(made, "id") << ", " << text_at(made, "role")
                  << "; it is shown this once:\n";
  return print(run, made, text_at(made, "token"));
}

Result<int> list(Run& run) {
  json::Array tokens;
  TRY(each_item(run, "/v1/tokens?limit=1000", "tokens", "", [&](const json::Value& token) {
    tokens.push_back(token);
    return true;
  }));
  return print_rows(run, tokens,
                    {{"ID", "id"},
                     {"NAME", "name"},
                     {"ROLE", "role"},
                     {"COLLECTIONS", "collections"},
                     {"CREATED", "created"},
                     {"EXPIRES", "expires"}});
}

Result<int> remove(Run& run, const TokenOptions& options) {
  if (run.plan) return tell_plan(run, "delete token " + options.id + ": its holder is refused");
  TRY_ASSIGN(
      const http::Reply reply,
      send_write(run, {http::Method::remove, "/v1/tokens/" + http::percent_encode(options.id), "",
                       "", options.operation}));
  TRY_ASSIGN(const json::Value result, object_of(reply));
  return print(run, result, "deleted token " + options.id);
}

// `size` random characters of `alphabet`, whose own size is a power of two, so that none is
// favoured.
std::string draw(Random& random, std::string_view alphabet, std::size_t size) {
  std::string drawn;
  while (drawn.size() < size) drawn += alphabet[random.next() % alphabet.size()];
  return drawn;
}

Result<int> bootstrap(Run& run) {
  const std::string token =
      "mst_" + draw(run.world.random, "abcdefghijklmnopqrstuvwxyz234567", id_size) + "_" +
      draw(run.world.random, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
           secret_size);
  const std::string hash = "sha256:" + tls::sha256_hex(token);
  const json::Value document =
      json::Value::object({{"token", text(token)}, {"bootstrap_token_hash", text(hash)}});
  return print(run, document,
               "token (role admin; keep it, it is shown this once):\n  " + token +
                   "\nfor the configuration of every node:\n  [auth]\n  bootstrap_token_hash = \"" +
                   hash + "\"");
}

// Newest first: the trail is kept in the order of time, so its end is read.
Result<int> audit(Run& run, const TokenOptions& options) {
  std::vector<json::Value> entries;
  const std::string target =
      "/v1/collections/_audit/records?limit=" + std::to_string(limits::list_records_max);
  TRY(each_item(run, target, "records", options.after, [&](const json::Value& record) {
    json::Value entry = json::Value::object({{"key", text(text_at(record, "key"))}});
    const json::Value* value = record.find("value");
    if (value != nullptr && value->is(json::Type::object))
      for (const auto& [name, member] : value->members()) entry.set(name, member);
    entries.push_back(std::move(entry));
    return true;
  }));
  if (entries.size() > options.limit)
    entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(options.limit));
  return print_rows(run, json::Array{entries.rbegin(), entries.rend()},
                    {{"WHEN", "key"},
                     {"WHO", "who"},
                     {"WHAT", "what"},
                     {"TARGET", "target"},
                     {"OUTCOME", "outcome"},
                     {"FROM", "from"}});
}

void add_operation(CLI::App* command, const OptionsPtr& options) {
  command->add_option("--operation", options->operation,
                      "Operation id: repeating a command with it never does it twice.");
}

}  // namespace

void add_token_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<TokenOptions>();
  CLI::App* token = app.add_subcommand("token", "Make, list and take back tokens");
  token->require_subcommand(1);
  token->fallthrough();

  CLI::App* create_command = token->add_subcommand("create", "Make a token, shown this once");
  create_command->add_option("name", options->name, "Whose it is; in the audit trail")->required();
  create_command->add_option("--role", options->role, "What it may do.")
      ->check(CLI::IsMember({"reader", "writer", "operator", "admin"}))
      ->capture_default_str();
  create_command
      ->add_option("--collection", options->collections,
                   "Only this collection, or wms-* for names that start so; may be repeated.")
      ->allow_extra_args(false);
  create_command->add_option("--expires", options->expires,
                             "Until then: 2036-01-01T00:00:00Z. Without it: for ever.");
  add_operation(create_command, options);
  add_plan(run, create_command);
  on(run, create_command, [&run, options] { return create(run, *options); });

  on(run, token->add_subcommand("list", "List tokens, without their secrets"),
     [&run] { return list(run); });

  CLI::App* delete_command = token->add_subcommand("delete", "Take a token back");
  delete_command->add_option("id", options->id, "The token's id")->required();
  add_operation(delete_command, options);
  add_plan(run, delete_command);
  on(run, delete_command, [&run, options] { return remove(run, *options); });

  on(run,
     token->add_subcommand("bootstrap",
                           "Draw the first token, and its hash for auth.bootstrap_token_hash"),
     [&run] { return bootstrap(run); });

  CLI::App* audit_command =
      app.add_subcommand("audit", "Show administrative calls, the newest first");
  audit_command->add_option("--limit", options->limit, "At most this many.")->capture_default_str();
  on(run, audit_command, [&run, options] { return audit(run, *options); });
}

}  // namespace mainstay::tool
