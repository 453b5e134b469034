#include "runtime/api/reading.hpp"

#include <charconv>

#include "runtime/api/render.hpp"

namespace mainstay::api {

namespace {

http::Response answer_of(const Call& call, const record::StateReader& view,
                         const Reading& reading) {
  auto response = reading(view);
  if (!response) return failure_response(response.error(), {}, call.instance());
  return std::move(*response);
}

void read_view(const CallPtr& call, const Reading& reading) {
  const auto view = call->backend().view();
  if (!view) {
    call->refuse(view.error());
    return;
  }
  http::Response response = answer_of(*call, **view, reading);
  response.headers.emplace_back(session_header, session_of((*view)->counters().revision));
  call->answer(std::move(response));
}

std::string text_or(const json::Value* value, const char* standard) {
  return value != nullptr && value->is(json::Type::string) ? value->text() : standard;
}

}  // namespace

void read(const CallPtr& call, ReadNeed need, Reading reading) {
  call->backend().read_barrier(
      need, call->deadline, [call, reading = std::move(reading)](const Result<void>& ready) {
        if (!ready) {
          call->refuse(ready.error());
          return;
        }
        call->responder.post([call, reading] { read_view(call, reading); });
      });
}

Result<std::optional<record::Collection>> collection_in(const record::StateReader& view,
                                                        const std::string& name) {
  auto row = view.find_collection(name);
  if (row || record::system_declaration(name) != nullptr) return row;
  return fail(Errc::not_found,
              "there is no collection '" + name + "'; declare it with PUT /v1/collections/" + name);
}

Result<record::LedgerDeclaration> ledger_in(const record::StateReader& view,
                                            const std::string& name) {
  TRY(collection_in(view, name));
  const auto record = view.find_record(record::system_collection::collections, name);
  record::LedgerDeclaration ledger;
  json::Value declared;
  if (record && !record->tombstone) {
    TRY_ASSIGN(declared, json::parse(record->value.view()));
  }
  const json::Value* dimensions = json::find(declared, "/ledger/dimensions");
  if (text_or(declared.is(json::Type::object) ? declared.find("kind") : nullptr, "") != "ledger" ||
      dimensions == nullptr)
    return fail(Errc::conflict,
                "collection '" + name + "' is not a ledger; it has records, not entries");
  for (const json::Value& dimension : dimensions->items())
    ledger.dimensions.push_back(dimension.text());
  if (const json::Value* scale = json::find(declared, "/ledger/scale"); scale != nullptr)
    std::from_chars(scale->text().data(), scale->text().data() + scale->text().size(),
                    ledger.scale);
  return ledger;
}

Page::Page(std::string_view name, std::size_t limit)
    : body_{"{\"" + std::string{name} + "\":["}, limit_{limit} {}

bool Page::take_row() {
  full_ = items_ == limit_ || rows_ == page_scanned_max || body_.size() >= page_bytes_max;
  if (!full_) ++rows_;
  return !full_;
}

std::string& Page::begin_item() {
  if (items_++ != 0) body_ += ',';
  return body_;
}

http::Response Page::finish(const std::string& next) && {
  body_ += "],\"next\":" + (full_ ? next : "null") + "}";
  return http::json_response(200, std::move(body_));
}

}  // namespace mainstay::api
