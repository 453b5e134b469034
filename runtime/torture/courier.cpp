#include "runtime/torture/courier.hpp"

#include <algorithm>
#include <charconv>

#include <poll.h>

#include "runtime/sys/clock.hpp"

namespace mainstay::torture {

namespace {

// A node that takes longer is not waited for any more: the next one is asked.
constexpr Millis attempt_max{350};
constexpr Millis between_rounds{10};
constexpr Millis away_max{1500};  // then its own node is tried again

std::uint64_t nanos(MonotonicTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto first = text.find_first_of("0123456789");
  if (first != std::string_view::npos)
    std::from_chars(text.data() + first, text.data() + text.size(), value);
  return value;
}

// Of the kind that asking again, or another node, cannot change.
bool is_definite(int status) {
  return status >= 200 && status < 500 && status != 429 && status != 408;
}

}  // namespace

Courier::Courier(std::vector<config::Endpoint> endpoints, std::size_t home, Timeline& timeline)
    : endpoints_{std::move(endpoints)}, home_{home}, timeline_{timeline}, place_{home} {}

std::size_t Courier::first_place() {
  const std::int64_t now = sys::system_clock().monotonic().time_since_epoch().count();
  if (place_ != home_ && MonotonicTime::duration{now - away_since_ns_} > away_max) place_ = home_;
  return place_;
}

void Courier::stay_at(std::size_t place) {
  if (place_ == place) return;
  away_since_ns_ = sys::system_clock().monotonic().time_since_epoch().count();
  place_ = place;
}

Answer Courier::try_node(std::size_t place, const Ask& ask, Millis wait) {
  http::Call call{ask.method, ask.target, ask.headers, Bytes{ask.body}};
  if (!ask.operation.empty()) call.headers.emplace_back("Idempotency-Key", ask.operation);
  call.headers.emplace_back("Mainstay-Deadline-Ms",
                            std::to_string(std::max<std::int64_t>(1, wait.count())));
  const MonotonicTime deadline = sys::system_clock().monotonic() + wait;
  auto reply = client_.call(endpoints_.at(place), std::move(call), deadline);
  Answer answer;
  if (!reply) return answer;
  answer.status = reply->status;
  answer.version = number_in(reply->headers.find("ETag").value_or(""));
  answer.revision = number_in(reply->headers.find("Mainstay-Revision").value_or(""));
  answer.body = std::move(reply->body);
  answer.node = static_cast<std::uint32_t>(place + 1);
  return answer;
}

Answer Courier::ask_quietly(const Ask& ask, Millis patience) {
  const MonotonicTime began = sys::system_clock().monotonic();
  const std::size_t first = first_place();
  Answer answer;
  for (std::size_t attempt = 0;; ++attempt) {
    const auto left =
        std::chrono::duration_cast<Millis>(began + patience - sys::system_clock().monotonic());
    if (left <= Millis{0}) break;
    const std::size_t place = (first + attempt) % endpoints_.size();
    answer = try_node(place, ask, std::min(attempt_max, left));
    if (is_definite(answer.status)) {
      stay_at(place);
      break;
    }
    answer = {};
    if ((attempt + 1) % endpoints_.size() == 0)
      ::poll(nullptr, 0, static_cast<int>(between_rounds.count()));
  }
  answer.began = nanos(began);
  answer.ended = nanos(sys::system_clock().monotonic());
  return answer;
}

Answer Courier::ask(const Ask& ask, Millis patience) {
  Answer answer = ask_quietly(ask, patience);
  timeline_.ended(MonotonicTime{std::chrono::nanoseconds{answer.began}},
                  MonotonicTime{std::chrono::nanoseconds{answer.ended}}, answer.status != 0,
                  answer.good() && !ask.operation.empty());
  return answer;
}

Answer Courier::ask_node(std::uint32_t node, const Ask& ask, Millis wait) {
  return try_node(node - 1, ask, wait);
}

Courier::Fate Courier::settle(const std::string& operation, Millis patience) {
  const Answer answer =
      ask_quietly({http::Method::post, "/v1/operations/" + operation + "/fence"}, patience);
  if (!answer.good()) return Fate::unknown;
  const std::string state = text_of(object_in(answer.body), "state");
  if (state == "committed") return Fate::committed;
  if (state == "refused") return Fate::refused;
  return state == "fenced" ? Fate::never : Fate::unknown;
}

std::uint64_t number_of(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find(name);
  return value != nullptr && (value->is(json::Type::number) || value->is(json::Type::string))
             ? number_in(value->text())
             : 0;
}

std::string text_of(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find(name);
  return value != nullptr && value->is(json::Type::string) ? value->text() : std::string{};
}

bool flag_of(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find(name);
  return value != nullptr && value->is(json::Type::boolean) && value->as_boolean();
}

std::int64_t signed_in(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

json::Value object_in(const std::string& body) {
  auto value = json::parse(body);
  return value && value->is(json::Type::object) ? *std::move(value) : json::Value::object();
}

}  // namespace mainstay::torture
