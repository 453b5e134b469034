// Calls of a Tryton server: POST /<database>/ with {"id", "method", "params"}, in a session that is
// opened when it is needed and again when the server has ended it. One thread; blocks up to the
// time-out of a call.
//
// The kinds of errors say what became of a call:
//   unavailable       it did not happen, later it may (transient)
//   outcome_unknown   it may have happened: no answer came, and it was no reading (unknown)
//   conflict          somebody else was faster (conflict)
//   unauthorized      login or rights (refused)
//   forbidden, not_found, invalid_argument   the ERP said no (refused)
//   corrupt           the answer makes no sense (unparsable)
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/adapters/tryton/values.hpp"
#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/config/values.hpp"
#include "runtime/http/client.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapters::tryton {

struct RpcOptions {
  config::Endpoint endpoint;
  std::string database;
  std::string user;
  std::string password;
  std::string language = "en";
  Millis timeout{10'000};
  bool acknowledge_warnings = false;  // say yes to what the ERP would ask a person
  std::shared_ptr<const tls::ClientContext> tls = nullptr;  // null: plain HTTP
};

// "https://erp.example.org:8000/production/": endpoint and database. Errors: invalid_argument.
struct Url {
  bool tls = false;
  config::Endpoint endpoint;
  std::string database;
};
Result<Url> parse_url(std::string_view url);

integration::Verdict verdict_of(Errc code);

class JsonRpc {
 public:
  // `clock` must outlive this.
  JsonRpc(RpcOptions options, const sys::Clock& clock);

  // The result as plain JSON. The user's context is added, changed by `context`.
  Result<json::Value> call(std::string_view model, std::string_view method, json::Array params,
                           const json::Object& context = {});

  // --- what every model has ---

  // Rows with `id`, ordered by it.
  Result<json::Array> search_read(std::string_view model, json::Value domain,
                                  const std::vector<std::string>& fields, std::size_t limit = 0,
                                  const json::Object& context = {});
  Result<Ids> search(std::string_view model, json::Value domain, std::size_t limit = 0);
  Result<json::Array> read(std::string_view model, const Ids& which,
                           const std::vector<std::string>& fields,
                           const json::Object& context = {});
  Result<Id> create(std::string_view model, json::Value values);
  Result<void> write(std::string_view model, const Ids& which, json::Value values,
                     const json::Object& context = {});
  // A button: may be pressed again, it leaves alone what is in that state already.
  Result<json::Value> press(std::string_view model, std::string_view button, const Ids& which);

  Result<Id> company();

 private:
  Result<void> login();
  Result<json::Value> attempt(std::string_view method, const json::Array& params, bool reading);
  Result<http::Reply> post(std::string_view method, const json::Array& params, bool reading);
  Result<json::Value> warned(std::string_view method, const json::Array& params, bool reading,
                             Error error);

  const RpcOptions options_;
  const sys::Clock& clock_;
  std::unique_ptr<http::Client> client_;
  std::string session_;  // of the header; "" none
  Id user_id_ = 0;
  json::Value context_ = json::Value::object();  // preferences as they came
  std::string warning_;                          // name of the last one
  std::uint64_t number_ = 0;
};

}  // namespace mainstay::adapters::tryton
