#include "runtime/api/flows.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/api/audit.hpp"
#include "runtime/api/render.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

using json::Type;
using json::Value;

std::string text_member(const Value& object, std::string_view name) {
  const Value* member = object.is(Type::object) ? object.find(name) : nullptr;
  return member != nullptr && member->is(Type::string) ? member->text() : std::string{};
}

std::uint64_t number_member(const Value& object, std::string_view name) {
  const Value* member = object.is(Type::object) ? object.find(name) : nullptr;
  std::uint64_t number = 0;
  if (member != nullptr && member->is(Type::number))
    std::from_chars(member->text().data(), member->text().data() + member->text().size(), number);
  return number;
}

bool flag_member(const Value& object, std::string_view name) {
  const Value* member = object.is(Type::object) ? object.find(name) : nullptr;
  return member != nullptr && member->is(Type::boolean) && member->as_boolean();
}

Result<void> need_flows(const Principal& principal, std::initializer_list<const char*> rows) {
  for (const char* collection : rows) TRY(principal.need_collection(collection));
  return {};
}

Result<std::string> adapter_of(const http::Request& request) {
  std::string name = request.captures.at(0);
  const bool formed =
      !name.empty() && name.size() <= limits::key_part_bytes_max &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  if (!formed)
    return fail(Errc::invalid_argument,
                "'" + name + "' is no name of an adapter: a-z, 0-9, '-' and '_'");
  return name;
}

Result<void> check_adapter(const record::StateReader& view, const std::string& adapter) {
  if (integration::find_value(view, integration::hub::adapters, adapter)) return {};
  bool defined = false;
  view.scan_records(
      integration::hub::nodes, "", "", [&](std::string_view, const record::Record& record) {
        const auto value =
            record.tombstone ? Result<Value>{Value{}} : json::parse(record.value.view());
        const Value* adapters =
            value && value->is(Type::object) ? value->find("adapters") : nullptr;
        defined =
            adapters != nullptr && adapters->is(Type::object) && adapters->find(adapter) != nullptr;
        return !defined;
      });
  if (defined) return {};
  return fail(Errc::not_found, "no node has an adapter '" + adapter +
                                   "': its definition belongs into the directory of adapters");
}

http::Response row_page(const record::StateReader& view, std::string_view name,
                        const char* collection, const FlowPage& page,
                        const std::function<Value(std::string_view key, Value row)>& show) {
  Page rows{name, page.limit};
  std::string last;
  view.scan_records(collection, page.prefix, page.after.empty() ? "" : page.prefix + page.after,
                    [&](std::string_view key, const record::Record& record) {
                      if (!rows.take_row()) return false;
                      last = key.substr(page.prefix.size());
                      if (record.tombstone) return true;
                      auto value = json::parse(record.value.view());
                      if (!value || !value->is(Type::object)) return true;
                      const Value shown = show(last, *std::move(value));
                      if (!shown.is(Type::null)) json::append_text(rows.begin_item(), shown);
                      return true;
                    });
  http::Response response = std::move(rows).finish(json_string(last));
  response.headers.emplace_back(revision_header, std::to_string(view.counters().revision));
  return response;
}

void add_patch(Write& write, const char* collection, const std::string& key, const Value& patch,
               std::string_view state) {
  record::RecordCheck check;
  check.collection = collection;
  check.key = key;
  check.condition.must_exist = true;
  if (!state.empty()) check.condition.fields.push_back({"/state", Bytes{json_string(state)}});
  write.command.checks.push_back(std::move(check));
  write.command.actions.push_back(
      {record::ActionKind::patch, collection, key, Bytes{json::to_text(patch)}});
}

void add_put(Write& write, const char* collection, const std::string& key, const Value& value) {
  record::RecordCheck check;
  check.collection = collection;
  check.key = key;
  check.condition.must_be_absent = true;
  write.command.checks.push_back(std::move(check));
  write.command.actions.push_back(
      {record::ActionKind::put, collection, key, Bytes{json::to_text(value)}});
}

void change_rows(const CallPtr& call, std::string what, std::string target, PlanChange plan,
                 Render render) {
  auto operation = operation_for(*call);
  if (!operation) return call->refuse(operation.error());
  const auto go_on = [call, what = std::move(what), target = std::move(target),
                      plan = std::move(plan), render = std::move(render),
                      operation = *operation]() {
    const auto view = call->backend().view();
    if (!view) return call->refuse(view.error());
    auto write = plan(**view, operation);
    if (!write) return call->refuse(write.error(), operation);
    write->command.operation = operation;
    // The same for a repetition, whatever the rows say by then.
    write->command.request_hash =
        request_hash({"flow", what, call->request.target, call->request.body.view()});
    submit(call, std::move(*write), render ? render : written_response,
           audited(call, what, target));
  };
  call->backend().read_barrier({ReadLevel::linearizable, 0}, call->deadline,
                               [call, go_on](const Result<void>& ready) {
                                 if (!ready) return call->refuse(ready.error());
                                 call->responder.post(go_on);
                               });
}

}  // namespace mainstay::api
