#include "actors/adapters/tryton/json_rpc.hpp"

#include <algorithm>
#include <array>

namespace mainstay::adapters::tryton {

using integration::Verdict;
using json::Type;
using json::Value;

namespace {

constexpr std::size_t warnings_max = 5;  // in one call
constexpr std::size_t detail_bytes_max = 500;

std::string base64(std::string_view bytes) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group =
          group << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += at + i <= bytes.size() ? letters[group >> (18U - 6U * i) & 63U] : '=';
  }
  return out;
}

bool only_reads(std::string_view method) {
  constexpr std::array reading{"search",     "search_read", "search_count",    "read",
                               "fields_get", "on_change",   "get_preferences", "login",
                               "default_get"};
  const auto dot = method.rfind('.');
  return std::find(reading.begin(), reading.end(), method.substr(dot + 1)) != reading.end();
}

// What a person would say of an error: its first lines.
std::string words_of(const Value& value) {
  if (value.is(Type::string)) return value.text().substr(0, detail_bytes_max);
  if (!value.is(Type::array)) return json::to_text(value).substr(0, detail_bytes_max);
  std::string words;
  for (const Value& item : value.items()) {
    if (!item.is(Type::string) || item.text().empty()) continue;
    words += (words.empty() ? "" : ": ") + item.text();
  }
  return words.substr(0, detail_bytes_max);
}

bool mentions(std::string_view text, std::initializer_list<std::string_view> any) {
  return std::any_of(any.begin(), any.end(), [text](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

// The ERP has rolled back whatever it answers with an error.
Errc code_of_exception(std::string_view name, std::string_view words) {
  if (name == "UserError" || name == "UserWarning") return Errc::forbidden;
  if (name == "ConcurrencyException") return Errc::conflict;
  if (name == "LoginException") return Errc::unauthorized;
  if (name == "RateLimitException") return Errc::unavailable;
  if (mentions(words, {"duplicate key value", "UNIQUE constraint failed"})) return Errc::conflict;
  if (mentions(words,
               {"could not serialize", "deadlock detected", "could not obtain lock",
                "database is locked", "statement timeout", "lock timeout", "terminating connection",
                "connection already closed", "server closed the connection", "could not connect"}))
    return Errc::unavailable;
  return Errc::invalid_argument;
}

Error error_of(const Value& error) {
  if (!error.is(Type::array) || error.items().empty() || !error.items()[0].is(Type::string))
    return {Errc::corrupt, "an error in an unknown form: " + words_of(error)};
  const std::string& name = error.items()[0].text();
  const bool known = name == "UserError" || name == "UserWarning" ||
                     name == "ConcurrencyException" || name == "LoginException";
  std::string words;
  if (!known) words = name.substr(0, detail_bytes_max);
  for (std::size_t i = 1; known && i < error.items().size(); ++i)
    words += (words.empty() ? "" : ": ") + words_of(error.items()[i]);
  return {code_of_exception(name, words), words};
}

// An answer that is not 200. What is sent again after 401 was not carried out.
Error error_of_status(int status, bool reading) {
  const std::string said = "the ERP answered " + std::to_string(status);
  switch (status) {
    case 401:
      return {Errc::unauthorized, said + ": the session is over, or user or password are wrong"};
    case 403:
      return {Errc::forbidden, said + ": this user may not call it"};
    case 404:
      return {Errc::not_found, said + ": there is no such database"};
    case 429:
      return {Errc::unavailable, said + ": too many wrong logins"};
    case 400:
      return {Errc::invalid_argument, said};
    case 503:
      return {Errc::unavailable, said};
    default:
      return {reading ? Errc::unavailable : Errc::outcome_unknown, said};
  }
}

Value names(const std::vector<std::string>& fields) {
  Value all = Value::array();
  for (const std::string& field : fields) all.items().push_back(text(field));
  return all;
}

}  // namespace

Result<Url> parse_url(std::string_view url) {
  Url parsed;
  const Failure wrong = fail(Errc::invalid_argument,
                             "expected http://host:port/database/ or https://host:port/database/");
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme)) continue;
    parsed.tls = scheme == "https://";
    url.remove_prefix(scheme.size());
    const auto slash = url.find('/');
    if (slash == std::string_view::npos) return wrong;
    std::string host{url.substr(0, slash)};
    if (host.rfind(':') == std::string::npos || host.back() == ']')
      host += parsed.tls ? ":443" : ":80";
    TRY_ASSIGN(parsed.endpoint, config::parse_endpoint(host));
    parsed.database = url.substr(slash + 1);
    if (parsed.database.ends_with('/')) parsed.database.pop_back();
    if (parsed.database.empty() || parsed.database.find('/') != std::string::npos) return wrong;
    return parsed;
  }
  return wrong;
}

Verdict verdict_of(Errc code) {
  switch (code) {
    case Errc::unavailable:
    case Errc::busy:
    case Errc::deadline_exceeded:
      return Verdict::transient;
    case Errc::outcome_unknown:
      return Verdict::unknown;
    case Errc::conflict:
      return Verdict::conflict;
    case Errc::corrupt:
      return Verdict::unparsable;
    default:
      return Verdict::refused;
  }
}

JsonRpc::JsonRpc(RpcOptions options, const sys::Clock& clock)
    : options_{std::move(options)},
      clock_{clock},
      client_{std::make_unique<http::Client>(http::ClientOptions{.tls = options_.tls})} {}

Result<http::Reply> JsonRpc::post(std::string_view method, const json::Array& params,
                                  bool reading) {
  Value body = object({{"id", integer(static_cast<std::int64_t>(++number_))},
                       {"method", text(method)},
                       {"params", Value::array(params)}});
  http::Call call{.method = http::Method::post,
                  .target = "/" + options_.database + "/",
                  .headers = {{"Content-Type", "application/json"}},
                  .body = Bytes{json::to_text(body)}};
  if (!session_.empty()) call.headers.emplace_back("Authorization", "Session " + session_);
  auto reply =
      client_->call(options_.endpoint, std::move(call), clock_.monotonic() + options_.timeout);
  if (reply) return reply;
  Error error = std::move(reply).error();
  const bool sent = error.code == Errc::deadline_exceeded || error.code == Errc::io_error;
  error.code = sent && !reading ? Errc::outcome_unknown : Errc::unavailable;
  return Failure{std::move(error)};
}

Result<Value> JsonRpc::attempt(std::string_view method, const json::Array& params, bool reading) {
  TRY_ASSIGN(http::Reply reply, post(method, params, reading));
  if (reply.status != 200) return Failure{error_of_status(reply.status, reading)};
  const auto body = json::parse(reply.body);
  const Value* error = body && body->is(Type::object) ? body->find("error") : nullptr;
  if (error != nullptr && !error->is(Type::null)) {
    const bool warning = text_at(*error, "/0") == "UserWarning";
    warning_ = warning ? text_at(*error, "/1/0") : "";
    return Failure{error_of(*error)};
  }
  const Value* result = body && body->is(Type::object) ? body->find("result") : nullptr;
  if (result != nullptr) return decode(*result);
  return fail(Errc::corrupt, "an answer without result and error: " + reply.body.substr(0, 200));
}

Result<void> JsonRpc::login() {
  session_.clear();
  const json::Array params{text(options_.user), object({{"password", text(options_.password)}}),
                           text(options_.language)};
  TRY_ASSIGN(const Value session, attempt("common.db.login", params, true));
  const std::string key = text_at(session, "/1");
  const std::string user_id = text_at(session, "/0");
  if (key.empty() || user_id.empty())
    return fail(Errc::corrupt, "the login was answered without a session");
  user_id_ = std::stoll(user_id);
  session_ = base64(options_.user + ":" + user_id + ":" + key);
  TRY_ASSIGN(context_, attempt("model.res.user.get_preferences",
                               {Value::boolean(true), Value::object()}, true));
  if (!context_.is(Type::object)) return fail(Errc::corrupt, "the user has no preferences");
  return {};
}

// Says yes to a warning and repeats, for every warning of the call.
Result<Value> JsonRpc::warned(std::string_view method, const json::Array& params, bool reading,
                              Error error) {
  for (std::size_t i = 0; i < warnings_max && !warning_.empty(); ++i) {
    const Value yes = object(
        {{"user", integer(user_id_)}, {"name", text(warning_)}, {"always", Value::boolean(false)}});
    const auto told = attempt("model.res.user.warning.create", {list({yes}), context_}, false);
    if (!told) return told;
    auto result = attempt(method, params, reading);
    if (result) return result;
    error = std::move(result).error();
  }
  return Failure{std::move(error)};
}

Result<Value> JsonRpc::call(std::string_view model, std::string_view method, json::Array params,
                            const json::Object& context) {
  const std::string full = "model." + std::string{model} + "." + std::string{method};
  const bool reading = only_reads(full);
  const bool fresh = session_.empty();
  if (fresh) TRY(login());
  params.push_back(context_);
  for (const auto& [name, value] : context) params.back().set(name, value);
  auto result = attempt(full, params, reading);
  if (!result && result.error().code == Errc::unauthorized && !fresh) {
    TRY(login());
    result = attempt(full, params, reading);
  }
  if (!result && !warning_.empty() && options_.acknowledge_warnings)
    result = warned(full, params, reading, std::move(result).error());
  warning_.clear();
  if (result) return result;
  Error error = std::move(result).error();
  error.message = full + ": " + error.message;
  if (error.code == Errc::unauthorized) session_.clear();
  return Failure{std::move(error)};
}

Result<json::Array> JsonRpc::search_read(std::string_view model, Value domain,
                                         const std::vector<std::string>& fields, std::size_t limit,
                                         const json::Object& context) {
  TRY_ASSIGN(Value rows, call(model, "search_read",
                              {std::move(domain), integer(0),
                               limit == 0 ? Value{} : integer(static_cast<std::int64_t>(limit)),
                               list({list({text("id"), text("ASC")})}), names(fields)},
                              context));
  if (!rows.is(Type::array)) return fail(Errc::corrupt, "search_read gave no rows");
  return std::move(rows.items());
}

Result<Ids> JsonRpc::search(std::string_view model, Value domain, std::size_t limit) {
  TRY_ASSIGN(const Value found,
             call(model, "search",
                  {std::move(domain), integer(0),
                   limit == 0 ? Value{} : integer(static_cast<std::int64_t>(limit)),
                   list({list({text("id"), text("ASC")})})}));
  return ids_at(object({{"ids", found}}), "ids");
}

Result<json::Array> JsonRpc::read(std::string_view model, const Ids& which,
                                  const std::vector<std::string>& fields,
                                  const json::Object& context) {
  if (which.empty()) return json::Array{};
  TRY_ASSIGN(Value rows, call(model, "read", {ids(which), names(fields)}, context));
  if (!rows.is(Type::array)) return fail(Errc::corrupt, "read gave no rows");
  return std::move(rows.items());
}

Result<Id> JsonRpc::create(std::string_view model, Value values) {
  TRY_ASSIGN(const Value made, call(model, "create", {list({std::move(values)})}));
  const Ids all = ids_at(object({{"ids", made}}), "ids");
  if (all.size() != 1) return fail(Errc::corrupt, "create gave no id");
  return all[0];
}

Result<void> JsonRpc::write(std::string_view model, const Ids& which, Value values,
                            const json::Object& context) {
  const auto written = call(model, "write", {ids(which), std::move(values)}, context);
  if (!written) return Failure{written.error()};
  return {};
}

Result<Value> JsonRpc::press(std::string_view model, std::string_view button, const Ids& which) {
  if (which.empty()) return Value{};
  return call(model, button, {ids(which)});
}

Result<Id> JsonRpc::company() {
  if (session_.empty()) TRY(login());
  const Id company = id_at(context_, "company");
  if (company == 0)
    return fail(Errc::invalid_argument, "the user of the hub belongs to no company in the ERP");
  return company;
}

}  // namespace mainstay::adapters::tryton
