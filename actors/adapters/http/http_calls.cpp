#include "actors/adapters/http/http_calls.hpp"

#include "runtime/http/target.hpp"
#include "runtime/sys/clock.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::adapters {

namespace {

using integration::EffectResult;
using integration::Verdict;

constexpr std::size_t secret_bytes_max = 64U << 10;
constexpr std::size_t quoted_bytes_max = 500;  // of an answer in a detail

http::ClientOptions options_of(const HttpPlace& place) {
  http::ClientOptions options;
  options.connections_max = 4;
  options.tls = place.tls;
  return options;
}

template <class Place>
Result<std::string> walk(std::string_view text, const Place& place) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('{'), text.size());
    out.append(text.substr(0, open));
    text.remove_prefix(open);
    if (text.empty()) break;
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos)
      return fail(Errc::invalid_argument, "expected a '}' behind every '{'");
    TRY_ASSIGN(const std::string part, place(text.substr(1, close - 1)));
    out += part;
    text.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

Result<HttpUrl> parse_url(std::string_view text) {
  HttpUrl url;
  url.tls = text.starts_with("https://");
  if (!url.tls && !text.starts_with("http://"))
    return fail(Errc::invalid_argument, "expected http://host[:port][/path] or https://...");
  text.remove_prefix(url.tls ? 8 : 7);
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string host{text.substr(0, slash)};
  if (host.find('@') != std::string::npos)
    return fail(Errc::invalid_argument, "credentials do not belong into the url");
  if (host.find(':') == std::string::npos || host.ends_with(']')) host += url.tls ? ":443" : ":80";
  TRY_ASSIGN(url.endpoint, config::parse_endpoint(host));
  url.path = std::string{text.substr(slash)};
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

HttpCalls::HttpCalls(HttpPlace place)
    : place_{std::move(place)}, url_{parse_url(place_.url).value()}, client_{options_of(place_)} {}

Result<std::string> HttpCalls::authorization() const {
  const bool bearer = !place_.token_file.empty();
  const std::string& file = bearer ? place_.token_file : place_.password_file;
  if (file.empty()) return std::string{};
  TRY_ASSIGN(std::string secret, sys::read_file(file, secret_bytes_max));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return bearer ? "Bearer " + secret : "Basic " + base64(place_.user + ":" + secret);
}

Result<http::Reply> HttpCalls::call(http::Call call, bool* sent) {
  if (sent != nullptr) *sent = false;
  TRY_ASSIGN(std::string authorization, this->authorization());
  if (!authorization.empty()) call.headers.emplace_back("Authorization", std::move(authorization));
  call.target = url_.path + call.target;
  auto reply = client_.call(url_.endpoint, std::move(call),
                            sys::system_clock().monotonic() + place_.call_timeout);
  if (sent != nullptr)
    *sent = reply || (reply.error().code != Errc::unavailable && reply.error().code != Errc::busy);
  return reply;
}

Result<std::string> HttpCalls::path_of_link(std::string_view link) const {
  std::string path{link};
  if (link.starts_with("http://") || link.starts_with("https://")) {
    TRY_ASSIGN(const HttpUrl other, parse_url(link));
    if (other.tls != url_.tls || !(other.endpoint == url_.endpoint))
      return fail(Errc::invalid_argument, "the next page is at another host: " + std::string{link});
    path = std::string{link.substr(link.find('/', link.find("//") + 2))};
  } else if (!link.starts_with('/')) {
    return "/" + path;  // relative to the url
  }
  if (!path.starts_with(url_.path + "/") && !url_.path.empty())
    return fail(Errc::invalid_argument, "the next page is outside the url: " + std::string{link});
  return path.substr(url_.path.size());
}

EffectResult judge(const Result<http::Reply>& reply, bool sent) {
  if (!reply)
    return EffectResult::failed(sent ? Verdict::unknown : Verdict::transient,
                                to_string(reply.error()));
  const int status = reply->status;
  if (status >= 200 && status < 300) return EffectResult::done();
  std::string detail = "status " + std::to_string(status);
  const auto later = reply->headers.find("Retry-After");
  if (later) detail += ", to be repeated after " + std::string{*later};
  if (!reply->body.empty()) detail += ": " + reply->body.substr(0, quoted_bytes_max);
  const auto verdict = [&] {
    // The request was not taken; nothing happened. 401: somebody has to renew the credentials.
    if (status == 401 || status == 408 || status == 425 || status == 429 || status == 503)
      return Verdict::transient;
    if (status >= 500) return later ? Verdict::transient : Verdict::unknown;
    if (status == 409 || status == 412) return Verdict::conflict;
    return status >= 400 ? Verdict::refused : Verdict::unparsable;
  };
  return EffectResult::failed(verdict(), std::move(detail));
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t word = 0;
    const std::size_t size = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i)
      word = word << 8 | (i < size ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += i <= size ? digits[(word >> (18 - 6 * i)) & 63U] : '=';
  }
  return out;
}

Result<void> check_path_template(std::string_view text) {
  if (!text.starts_with('/')) return fail(Errc::invalid_argument, "expected a path: /...");
  TRY_ASSIGN(const std::string unused, walk(text, [](std::string_view name) -> Result<std::string> {
               if (name == "key" || name == "type" || name == "subject") return std::string{"x"};
               if (name.starts_with('/') && json::check_pointer(name)) return std::string{"x"};
               return fail(
                   Errc::invalid_argument,
                   "{" + std::string{name} + "}: expected {key}, {type}, {subject} or {/pointer}");
             }));
  static_cast<void>(unused);
  return {};
}

Result<std::string> fill_path(std::string_view text, const integration::Effect& effect) {
  return walk(text, [&effect](std::string_view name) -> Result<std::string> {
    if (name == "key") return http::percent_encode(effect.key);
    if (name == "type") return http::percent_encode(effect.type);
    if (name == "subject") return http::percent_encode(effect.subject);
    const json::Value* found = json::find(effect.document, name);
    if (found == nullptr || (!found->is(json::Type::string) && !found->is(json::Type::number)))
      return fail(Errc::invalid_argument,
                  "the document has no text or number at " + std::string{name});
    return http::percent_encode(found->text());
  });
}

}  // namespace mainstay::adapters
