// Tokens: made, listed, taken back. Only their hashes are kept.
#include "runtime/api/audit.hpp"
#include "runtime/api/body.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/times.hpp"
#include "runtime/record/state_machine.hpp"
#include "runtime/sys/random.hpp"

namespace mainstay::api {

namespace {

using http::Method;
using http::Request;
using http::Response;
using record::system_collection::tokens;

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t grants_max = 64;

// `count` letters of the alphabet, each drawn alike.
std::string drawn(std::size_t count, std::string_view alphabet) {
  std::string text;
  while (text.size() < count) {
    const std::uint64_t word = sys::system_random().next();
    for (int shift = 0; shift < 64 && text.size() < count; shift += 8)
      // A byte beyond the last whole run of the alphabet would prefer its first letters.
      if (const std::size_t byte = word >> shift & 0xff;
          byte < 256 / alphabet.size() * alphabet.size())
        text += alphabet[byte % alphabet.size()];
  }
  return text;
}

// 43 characters of 64 letters: 258 bits.
std::string make_secret() {
  return drawn(token_secret_size,
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

Result<void> take_grants(TokenRecord& token, Members& members) {
  if (!members.has("collections")) return {};
  TRY_ASSIGN(const json::Array* grants, members.array("collections", grants_max));
  token.collections.emplace();
  for (std::size_t i = 0; i < grants->size(); ++i) {
    const json::Value& grant = (*grants)[i];
    const Place place = members.at("collections").at(i);
    const std::string text = grant.is(json::Type::string) ? grant.text() : "";
    const bool open = text.ends_with('*');
    const std::string name = open ? text.substr(0, text.size() - 1) : text;
    if (text.empty() || (!name.empty() && !record::check_collection_name(name)))
      return place.wrong("must be the name of a collection, or a beginning of names such as wms-*");
    token.collections->push_back(text);
  }
  return {};
}

Result<void> take_expiry(TokenRecord& token, Members& members, std::uint64_t now) {
  const json::Value* expires = members.take("expires");
  if (expires == nullptr || expires->is(json::Type::null)) return {};
  const Place place = members.at("expires");
  if (!expires->is(json::Type::string)) return place.wrong("must be a time in UTC, or null");
  TRY_ASSIGN(const std::uint64_t millis, place.check(millis_of_time(expires->text())));
  if (millis <= now) return place.wrong("lies in the past");
  token.expires = time_text(millis);
  return {};
}

Result<TokenRecord> token_of(const Request& request, std::uint64_t now, std::string& wrong_at) {
  TRY_ASSIGN(const json::Value body, body_of(request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  TokenRecord token;
  TRY_ASSIGN(token.name, members.text("name"));
  if (token.name.empty() || token.name.size() > name_bytes_max)
    return members.at("name").wrong("must have 1 to 64 bytes");
  TRY_ASSIGN(const std::string role, members.text("role"));
  if (!role_of(role)) return members.at("role").wrong("must be reader, writer, operator or admin");
  token.role = *role_of(role);
  TRY(take_grants(token, members));
  TRY(take_expiry(token, members, now));
  TRY(members.finish());
  token.created = time_text(now);
  return token;
}

struct NewToken {
  std::string id, text;
  TokenRecord record;
  Write write;
};

Result<NewToken> new_token_of(const Call& call, std::string& wrong_at) {
  TRY(check_query(call.request, {}));
  NewToken made;
  TRY_ASSIGN(made.record,
             token_of(call.request, sys::millis_of(call.context->clock.wall()), wrong_at));
  made.id = drawn(token_id_size, "abcdefghijklmnopqrstuvwxyz0123456789");
  made.text = "mst_" + made.id + "_" + make_secret();
  made.record.hash = hash_of_token(made.text);
  record::Action action;
  action.collection = tokens;
  action.key = made.id;
  action.value = Bytes{to_json(made.record)};
  record::Condition condition;
  condition.must_be_absent = true;
  made.write.command = record::single(std::move(action), std::move(condition));
  made.write.command.request_hash = request_hash({"token", call.request.body.view()});
  TRY_ASSIGN(made.write.command.operation, operation_for(call));
  return made;
}

Response made_response(const NewToken& made, const record::Outcome& outcome,
                       const std::string& operation, const std::string& instance) {
  // The secret went with the first answer and is kept nowhere.
  if (outcome.replayed)
    return failure_response(Error{Errc::conflict,
                                  "this request made a token before, and its answer showed it; "
                                  "take that one back and make another with another key"},
                            operation, instance);
  Response response = http::json_response(
      201, "{\"id\":\"" + made.id + "\",\"token\":\"" + made.text + "\"," +
               token_members(made.record) + ",\"operation\":" + json_string(operation) +
               ",\"revision\":" + std::to_string(outcome.revision) + "}");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

void make_token(const CallPtr& call) {
  std::string wrong_at;
  auto made = new_token_of(*call, wrong_at);
  if (!made) return call->refuse(made.error(), {}, wrong_at);
  Write write = std::move(made->write);
  const std::string target =
      made->id + " (" + made->record.name + ", " + std::string{to_string(made->record.role)} + ")";
  submit(
      call, std::move(write),
      [made = std::move(*made), call](const record::Outcome& outcome,
                                      const std::string& operation) {
        return made_response(made, outcome, operation, call->instance());
      },
      audited(call, "make token", target));
}

Result<Write> removal_of(const Call& call) {
  TRY(check_query(call.request, {}));
  TRY(check_no_body(call.request));
  record::Action action;
  action.kind = record::ActionKind::remove;
  action.collection = tokens;
  action.key = call.request.captures.at(0);
  const Hash128 hash = request_hash({"token", "DELETE", action.key});
  Write write;
  write.command = record::single(std::move(action));
  write.command.request_hash = hash;
  TRY_ASSIGN(write.command.operation, operation_for(call));
  return write;
}

void delete_token(const CallPtr& call) {
  auto write = removal_of(*call);
  if (!write) return call->refuse(write.error());
  submit(call, std::move(*write), written_response,
         audited(call, "delete token", call->request.captures.at(0)));
}

Result<Response> list_response(const record::StateReader& view, const std::string& after,
                               std::size_t limit) {
  Page page{"tokens", limit};
  std::string last;
  Result<void> failed;
  view.scan_records(tokens, "", after, [&](std::string_view key, const record::Record& record) {
    if (!page.take_row()) return false;
    last = key;
    if (record.tombstone) return true;
    const auto token = parse_token_record(record.value.view());
    if (!token) {
      failed = Failure{token.error()};
      return false;
    }
    page.begin_item() += "{\"id\":" + json_string(key) + "," + token_members(*token) + "}";
    return true;
  });
  TRY(failed);
  return std::move(page).finish(json_string(last));
}

void list_tokens(const CallPtr& call) {
  struct Asked {
    std::string after;
    std::size_t limit;
    ReadNeed need;
  };
  const auto asked = [&]() -> Result<Asked> {
    TRY(check_query(call->request, {"after", "limit", "level"}));
    TRY_ASSIGN(std::string after, key_parameter(call->request, "after"));
    TRY_ASSIGN(const std::size_t limit, limit_of(call->request));
    TRY_ASSIGN(const ReadNeed need, need_of(call->request));
    return Asked{std::move(after), limit, need};
  }();
  if (!asked) return call->refuse(asked.error());
  read(call, asked->need, [asked = *asked](const record::StateReader& view) {
    return list_response(view, asked.after, asked.limit);
  });
}

}  // namespace

void add_token_routes(Routes& routes) {
  routes.add(Method::get, "/v1/tokens", list_tokens);
  routes.add(Method::post, "/v1/tokens", make_token);
  routes.add(Method::remove, "/v1/tokens/{token}", delete_token);
}

}  // namespace mainstay::api
