// A Tryton server on loopback that is a script: tables that answer search and read as the real one
// does, buttons that the test gives, and answers in its wire form. Nothing waits.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/adapters/tryton/tryton_adapter.hpp"
#include "runtime/http/server.hpp"

namespace mainstay::adapters::tryton {

using json::Value;

inline Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value{};
}

class ManualClock final : public sys::Clock {
 public:
  MonotonicTime monotonic() const override { return sys::system_clock().monotonic(); }
  WallTime wall() const override { return WallTime{} + Millis{millis}; }
  std::int64_t millis = 1'700'000'000'000;
};

class FakeTryton {
 public:
  // Gets the parameters without the context; answers a result or {"error": …}, as JSON text.
  using Method = std::function<std::string(const json::Array& params, const Value& context)>;

  FakeTryton() {
    http::ServerOptions options;
    options.listen = {.host = "127.0.0.1", .port = 0};
    options.threads = 1;
    auto server =
        http::Server::start(options, sys::system_clock(),
                            [this](http::Request request, const http::Responder& responder) {
                              responder.answer(answer(request));
                            });
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }
  ~FakeTryton() { server_->stop(Millis{0}); }

  RpcOptions options() const {
    return {.endpoint = server_->endpoint(),
            .database = "erp",
            .user = "hub",
            .password = "secret",
            .language = "en",
            .timeout = Millis{20'000},
            .acknowledge_warnings = false,
            .tls = nullptr};
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->endpoint().port) + "/erp/";
  }

  // A row as the ERP sends it; with an id.
  void put(const std::string& model, std::string_view row) {
    const std::lock_guard lock{mutex_};
    Value value = json_of(row);
    tables_[model][id_of(value)] = std::move(value);
  }
  void set(const std::string& model, Id id, const std::string& field, Value value) {
    const std::lock_guard lock{mutex_};
    tables_[model][id].set(field, std::move(value));
  }
  // For methods, which run under the lock.
  void set_unlocked(const std::string& model, Id id, const std::string& field, Value value) {
    tables_[model][id].set(field, std::move(value));
  }
  void put_unlocked(const std::string& model, Value row) {
    const Id id = id_of(row);
    tables_[model][id] = std::move(row);
  }
  void remove(const std::string& model, Id id) {
    const std::lock_guard lock{mutex_};
    tables_[model].erase(id);
  }
  std::size_t rows(const std::string& model) {
    const std::lock_guard lock{mutex_};
    return tables_[model].size();
  }
  std::string text(const std::string& model, Id id, const std::string& field) {
    const std::lock_guard lock{mutex_};
    return text_at(tables_[model][id], "/" + field);
  }
  // "model.sale.sale.quote"
  void on(const std::string& method, Method does) { methods_[method] = std::move(does); }
  // The next request gets this instead: a status and a body.
  void next(int status, std::string body) {
    const std::lock_guard lock{mutex_};
    scripted_.emplace_back(status, std::move(body));
  }
  // Carries out the call, but breaks the connection instead of answering.
  void lose_answer_to(const std::string& method) { lost_.insert(method); }
  void end_session() { session_ = "gone"; }

  std::vector<std::string> calls;  // methods, in order
  std::vector<Value> params;       // of the calls

 private:
  static http::Response json(std::string body) { return http::json_response(200, std::move(body)); }

  http::Response answer(const http::Request& request) {
    const std::lock_guard lock{mutex_};
    const Value body = json_of(request.body.view());
    const std::string method = text_at(body, "/method");
    calls.push_back(method);
    params.push_back(*body.find("params"));
    if (!scripted_.empty()) {
      auto [status, text] = std::move(scripted_.front());
      scripted_.pop_front();
      return http::json_response(status, std::move(text));
    }
    if (method == "common.db.login") {
      if (text_at(body, "/params/1/password") != "secret") return http::json_response(401, "");
      session_ = "Session aHViOjI6a2V5";  // hub:2:key
      return json(R"({"id":1,"result":[2,"key"]})");
    }
    if (request.headers.find("Authorization").value_or("") != session_)
      return http::json_response(401, "");
    const std::string result = result_of(method, body.find("params")->items());
    if (lost_.erase(method) != 0) return http::json_response(502, "");
    if (result.starts_with(R"({"error")")) return json(R"({"id":1,)" + result.substr(1));
    return json(R"({"id":1,"result":)" + result + "}");
  }

  std::string result_of(const std::string& full, json::Array given) {
    if (full == "model.res.user.get_preferences") return R"({"company":1,"language":"en"})";
    Value context = std::move(given.back());
    given.pop_back();
    if (const auto at = methods_.find(full); at != methods_.end())
      return at->second(given, context);
    const auto dot = full.rfind('.');
    auto& table = tables_[full.substr(6, dot - 6)];
    const std::string method = full.substr(dot + 1);
    if (method == "read") return json::to_text(read(table, given));
    if (method == "search_read" || method == "search")
      return json::to_text(search(table, given, method == "search"));
    if (method == "fields_get") return json::to_text(fields(table));
    if (method == "create") return json::to_text(create(table, given[0].items()[0]));
    if (method == "write") return write(table, given);
    return R"({"error":["'no.such'",""]})";
  }

  using Table = std::map<Id, Value>;

  static Value read(Table& table, const json::Array& given) {
    Value rows = Value::array();
    for (const Value& id : given[0].items())
      if (const auto at = table.find(std::stoll(id.text())); at != table.end())
        rows.items().push_back(at->second);
    return rows;
  }

  static Value search(Table& table, const json::Array& given, bool only_ids) {
    Value found = Value::array();
    const auto limit = given[2].is(json::Type::number) ? std::stoul(given[2].text()) : 1'000'000;
    for (const auto& [id, row] : table)
      if (matches(given[0], row)) found.items().push_back(only_ids ? integer(id) : row);
    if (text_at(given[3], "/0/1") == "DESC") {
      const std::string field = text_at(given[3], "/0/0");
      const auto key = [&field](const Value& row) { return decode(*row.find(field)).text(); };
      std::sort(found.items().begin(), found.items().end(),
                [&key](const Value& a, const Value& b) { return key(a) > key(b); });
    }
    if (found.items().size() > limit) found.items().resize(limit);
    return found;
  }

  static Value fields(const Table& table) {
    Value names = Value::object();
    for (const auto& [id, row] : table)
      for (const auto& [name, value] : row.members())
        names.set(name.back() == '.' ? name.substr(0, name.size() - 1) : name, Value::object());
    return names;
  }

  static Value create(Table& table, Value row) {
    const Id id = table.empty() ? 1 : table.rbegin()->first + 1;
    row.set("id", integer(id));
    if (row.find("state") == nullptr) row.set("state", Value::string("draft"));
    table[id] = std::move(row);
    return ids({id});
  }

  static std::string write(Table& table, const json::Array& given) {
    for (const Value& id : given[0].items())
      for (const auto& [name, value] : given[1].members())
        table[std::stoll(id.text())].set(name, value);
    return "null";
  }

  static bool matches(const Value& domain, const Value& row) {
    const auto& items = domain.items();
    if (items.size() == 3 && items[0].is(json::Type::string) && items[0].text() != "OR")
      return holds(items, row);
    const bool any = !items.empty() && items[0].is(json::Type::string);
    for (std::size_t i = any ? 1 : 0; i < items.size(); ++i)
      if (matches(items[i], row) == any) return any;
    return !any;
  }

  static bool holds(const json::Array& clause, const Value& row) {
    const Value* found = row.find(clause[0].text());
    const Value value = found == nullptr ? Value{} : decode(*found);
    const Value wanted = decode(clause[2]);
    const std::string& comparison = clause[1].text();
    if (comparison == "=") return value == wanted;
    if (comparison == "!=") return !(value == wanted);
    if (comparison == "in") {
      for (const Value& one : wanted.items())
        if (one == value) return true;
      return false;
    }
    if (value.type() != wanted.type()) return false;
    const bool numbers = value.is(json::Type::number);
    const bool less = numbers ? std::stoll(value.text()) < std::stoll(wanted.text())
                              : value.text() < wanted.text();
    if (comparison == ">=") return !less;
    if (comparison == "<=") return less || value == wanted;
    if (comparison == "<") return less;
    return comparison == ">" && !less && !(value == wanted);
  }

  std::mutex mutex_;
  std::map<std::string, Table> tables_;
  std::map<std::string, Method> methods_;
  std::deque<std::pair<int, std::string>> scripted_;
  std::set<std::string> lost_;
  std::string session_ = "none";
  std::unique_ptr<http::Server> server_;
};

}  // namespace mainstay::adapters::tryton
