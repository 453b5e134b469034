#include "actors/adapters/http/webhook.hpp"

#include <algorithm>

#include "actors/adapters/folder/names.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/tls/digest.hpp"

namespace mainstay::adapters {

namespace {

using integration::RawMessage;
using json::Type;
using json::Value;

constexpr Millis expire_interval{100};

http::Response refusal(int status, const std::string& detail) {
  Value body = Value::object();
  body.set("title", Value::string(std::string{http::reason_of(status)}));
  body.set("detail", Value::string(detail));
  http::Response response = http::json_response(status, json::to_text(body));
  response.content_type = "application/problem+json";
  if (status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

std::string header(const http::Request& request, std::string_view name) {
  return std::string{request.headers.find(name).value_or("")};
}

std::string text_at(const Value& value, std::string_view pointer) {
  const Value* found = pointer.empty() ? nullptr : json::find(value, pointer);
  if (found == nullptr || (!found->is(Type::string) && !found->is(Type::number))) return {};
  return found->text();
}

// CloudEvents 1.0 in binary mode, as the structured mode has it.
Value structured(const http::Request& request, Value data) {
  Value event = Value::object();
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    auto [name, value] = request.headers.at(i);
    std::string lower{name};
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (lower.starts_with("ce-")) event.set(lower.substr(3), Value::string(std::string{value}));
  }
  event.set("data", std::move(data));
  return event;
}

}  // namespace

Result<std::unique_ptr<Webhook>> Webhook::start(const WebhookOptions& options,
                                                const sys::Clock& clock) {
  std::unique_ptr<Webhook> made{new Webhook{options, clock}};
  http::ServerOptions server;
  server.listen = options.listen;
  server.threads = 1;
  server.body_bytes_max = options.body_bytes_max;
  server.tls_certificate = options.tls_certificate;
  server.tls_key = options.tls_key;
  Webhook* self = made.get();
  TRY_ASSIGN(made->server_,
             http::Server::start(server, clock,
                                 [self](http::Request request, const http::Responder& responder) {
                                   self->handle(std::move(request), responder);
                                 }));
  made->expirer_ = std::thread{[self] { self->expire(); }};
  return made;
}

Webhook::~Webhook() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    for (Waiting& each : waiting_)
      if (each.responder) each.responder->answer(refusal(503, "this node hands over: come again"));
    waiting_.clear();
  }
  changed_.notify_all();
  if (expirer_.joinable()) expirer_.join();
  if (server_) server_->stop(Millis{1'000});
}

bool Webhook::is_signed(const http::Request& request) const {
  std::string signature = header(request, options_.signature_header);
  if (!signature.starts_with(options_.signature_prefix)) return false;
  signature.erase(0, options_.signature_prefix.size());
  std::string text{request.body.view()};
  if (!options_.timestamp_header.empty())
    text = header(request, options_.timestamp_header) + "." + text;
  return tls::same_secret(signature, tls::hmac_sha256_hex(options_.secret, text));
}

std::optional<http::Response> Webhook::check(const http::Request& request) const {
  if (request.path() != options_.path) return refusal(404, "there is nothing here");
  if (request.method != http::Method::post) return refusal(405, "only POST is taken");
  if (options_.secret.empty()) return std::nullopt;
  if (!is_signed(request))
    return refusal(401, options_.signature_header + " is not the signature of this request");
  if (options_.timestamp_header.empty()) return std::nullopt;
  const auto seconds = config::parse_integer(header(request, options_.timestamp_header));
  const std::uint64_t now = sys::millis_of(clock_.wall());
  const auto window = static_cast<std::uint64_t>(options_.window.count());
  if (!seconds || *seconds > now || *seconds * 1000 + window < now ||
      *seconds * 1000 > now + window)
    return refusal(401, options_.timestamp_header + " is too old or too new: a replay?");
  return std::nullopt;
}

RawMessage Webhook::message_of(const http::Request& request) const {
  RawMessage message;
  message.body = std::string{request.body.view()};
  message.version = content_hash(message.body);
  message.type = options_.type;
  auto body = json::parse(message.body);  // what is no JSON is a dead letter later
  if (body && request.headers.find("ce-id")) {
    *body = structured(request, std::move(*body));
    message.body = json::to_text(*body);
  }
  const bool event = body && body->is(Type::object) && body->find("specversion") != nullptr;
  if (event) {
    message.id = text_at(*body, "/source") + "/" + text_at(*body, "/id");
    message.version.clear();  // source and id are unique: CloudEvents 1.0
    if (message.type.empty()) message.type = text_at(*body, "/type");
    message.subject = text_at(*body, "/subject");
  }
  if (!options_.id_header.empty() && !header(request, options_.id_header).empty())
    message.id = header(request, options_.id_header);
  if (body && !text_at(*body, options_.id).empty()) message.id = text_at(*body, options_.id);
  if (message.id.empty()) message.id = content_hash(message.body);
  if (body && !options_.subject.empty()) message.subject = text_at(*body, options_.subject);
  if (message.type.empty()) message.type = "webhook";
  return message;
}

void Webhook::handle(http::Request request, const http::Responder& responder) {
  if (auto refused = check(request)) {
    responder.answer(std::move(*refused));
    return;
  }
  RawMessage message = message_of(request);
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || waiting_.size() >= options_.waiting_max) {
      responder.answer(refusal(503, "too many requests wait already"));
      return;
    }
    waiting_.push_back(
        {{++last_, std::move(message)}, responder, clock_.monotonic() + options_.answer_within});
  }
  changed_.notify_all();
}

void Webhook::expire() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    changed_.wait_for(lock, expire_interval);
    const MonotonicTime now = clock_.monotonic();
    for (Waiting& each : waiting_) {
      if (!each.responder || each.until > now) continue;
      each.responder->answer(refusal(503, "it is not committed yet: come again"));
      each.responder.reset();
    }
    // Those that were given out are still going to be committed; the others come again.
    const auto gone = [this](const Waiting& each) {
      return !each.responder && each.taken.number > given_;
    };
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), gone), waiting_.end());
  }
}

std::vector<Webhook::Taken> Webhook::take(std::uint64_t number, std::size_t messages_max,
                                          Millis wait) {
  std::vector<Taken> taken;
  std::unique_lock lock{mutex_};
  const auto news = [this, number] {
    return stopping_ || (!waiting_.empty() && waiting_.back().taken.number > number);
  };
  changed_.wait_for(lock, wait, news);
  for (const Waiting& each : waiting_) {
    if (taken.size() == messages_max) break;
    if (each.taken.number <= number) continue;
    taken.push_back(each.taken);
    given_ = std::max(given_, each.taken.number);
  }
  return taken;
}

void Webhook::acknowledge(std::uint64_t number) {
  const std::lock_guard lock{mutex_};
  while (!waiting_.empty() && waiting_.front().taken.number <= number) {
    if (waiting_.front().responder) waiting_.front().responder->answer({.status = 202});
    waiting_.pop_front();
  }
}

}  // namespace mainstay::adapters
