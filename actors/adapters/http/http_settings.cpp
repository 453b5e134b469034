// The settings of the adapter `http`.
#include <filesystem>
#include <set>

#include "actors/adapters/common/settings.hpp"
#include "actors/adapters/http/http_adapter.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::adapters {

namespace {

constexpr std::size_t secret_bytes_max = 64U << 10;

class Reader {
 public:
  Reader(const integration::AdapterContext& context) : context_{context} {}

  Result<HttpAdapterOptions> read() {
    Settings settings{context_.settings};
    HttpAdapterOptions options;
    if (settings.has("url")) options.place = take_place(settings);
    for (Settings& table : settings.tables("poll")) options.polls.push_back(take_poll(table, true));
    for (Settings& table : settings.tables("observe"))
      options.observes.push_back(take_poll(table, false));
    options.idempotent = settings.boolean("idempotent", false);
    for (Settings& table : settings.tables("out"))
      options.out.push_back(take_out(table, options.idempotent));
    if (auto table = settings.table("webhook")) options.webhook = take_webhook(*table, options);
    check(settings, options);
    TRY(settings.done());
    return options;
  }

 private:
  std::string file(Settings& settings, std::string_view name) const {
    const std::string text = settings.text(name, "");
    return text.empty() ? "" : (std::filesystem::path{context_.directory} / text).string();
  }

  HttpPlace take_place(Settings& settings) const {
    HttpPlace place;
    place.url = settings.required_text("url");
    const auto url = parse_url(place.url);
    if (!url) settings.wrong("url", url.error().message);
    const std::string authority = file(settings, "authority");
    if (url && url->tls) {
      auto tls = tls::ClientContext::load(authority);
      if (!tls)
        settings.wrong("authority", tls.error().message);
      else
        place.tls = std::move(*tls);
    }
    place.token_file = file(settings, "token_file");
    place.user = settings.text("user", "");
    place.password_file = file(settings, "password_file");
    if (place.user.empty() != place.password_file.empty())
      settings.wrong("user", "user and password_file are given together");
    if (!place.user.empty() && !place.token_file.empty())
      settings.wrong("user", "expected either user or token_file");
    place.call_timeout = context_.call_timeout;
    return place;
  }

  static std::string pointer(Settings& settings, std::string_view name,
                             std::string_view otherwise) {
    std::string text = settings.text(name, otherwise);
    if (!json::check_pointer(text)) settings.wrong(name, "expected a JSON pointer, such as /id");
    return text;
  }

  static HttpPoll take_poll(Settings settings, bool source) {
    HttpPoll poll;
    poll.type = settings.required_text(source ? "type" : "kind");
    poll.path = settings.required_text("path");
    if (!poll.path.starts_with('/')) settings.wrong("path", "expected a path: /...");
    const bool odata = settings.choice("paging", "none", {"none", "odata", "link"}) == "odata";
    poll.items = pointer(settings, "items", odata ? "/value" : "");
    poll.id = pointer(settings, "id", "/id");
    poll.next = pointer(settings, "next", odata ? "/@odata.nextLink" : "");
    if (!source) return poll;
    poll.version = pointer(settings, "version", odata ? "/@odata.etag" : "");
    poll.subject = pointer(settings, "subject", "");
    poll.since = settings.text("since", "");
    poll.until = settings.text("until", "");
    poll.since_field = pointer(settings, "since_field", "");
    poll.overlap = settings.duration("overlap", "1m");
    if (poll.since.empty() != poll.since_field.empty())
      settings.wrong("since", "since and since_field are given together");
    return poll;
  }

  HttpOut take_out(Settings settings, bool idempotent) const {
    HttpOut out;
    out.type = settings.required_text("type");
    out.path = settings.required_text("path");
    out.lookup = settings.text("lookup", "");
    out.lookup_items = pointer(settings, "lookup_items", "");
    for (const auto& [name, text] : {std::pair{"path", out.path}, {"lookup", out.lookup}}) {
      if (text.empty()) continue;
      if (const auto checked = check_path_template(text); !checked)
        settings.wrong(name, checked.error().message);
    }
    if (out.lookup.empty() && !idempotent)
      settings.wrong("lookup",
                     "must be given where the counterpart is not idempotent: how to find out "
                     "whether a call whose answer was lost has happened");
    const std::string method = settings.choice("method", "POST", {"POST", "PUT", "PATCH"});
    out.method = method == "PUT"     ? http::Method::put
                 : method == "PATCH" ? http::Method::patch
                                     : http::Method::post;
    const std::string form =
        settings.choice("form", "structured", {"structured", "binary", "plain"});
    out.form = form == "structured" ? HttpOut::Form::structured
               : form == "binary"   ? HttpOut::Form::binary
                                    : HttpOut::Form::plain;
    out.event_type = settings.text("event_type", out.type);
    out.event_source = settings.text("event_source", "mainstay/" + context_.name);
    return out;
  }

  WebhookOptions take_webhook(Settings settings, HttpAdapterOptions& options) const {
    WebhookOptions hook;
    const auto listen = config::parse_endpoint(settings.required_text("listen"));
    if (listen)
      hook.listen = *listen;
    else
      settings.wrong("listen", listen.error().message);
    hook.path = settings.text("path", "/");
    hook.type = settings.text("type", "");
    hook.id = pointer(settings, "id", "");
    hook.id_header = settings.text("id_header", "");
    hook.subject = pointer(settings, "subject", "");
    const bool open = settings.boolean("unsigned", false);
    const std::string secret = file(settings, "secret_file");
    if (secret.empty() != open)
      settings.wrong("secret_file", "must be given, or unsigned = true where others are trusted");
    if (!secret.empty()) {
      auto text = sys::read_file(secret, secret_bytes_max);
      if (!text) settings.wrong("secret_file", text.error().message);
      hook.secret = text.value_or("");
      while (hook.secret.ends_with('\n')) hook.secret.pop_back();
      if (hook.secret.empty()) settings.wrong("secret_file", "holds no secret");
    }
    hook.signature_header = settings.text("signature_header", hook.signature_header);
    hook.signature_prefix = settings.text("signature_prefix", hook.signature_prefix);
    hook.timestamp_header = settings.text("timestamp_header", "");
    hook.window = settings.duration("window", "5m");
    hook.answer_within = settings.duration("answer_within", "10s");
    hook.waiting_max = settings.integer("waiting_max", 1'000, 1, 100'000);
    hook.body_bytes_max = static_cast<std::size_t>(settings.size("body_bytes_max", "1MiB"));
    hook.tls_certificate = file(settings, "tls_certificate");
    hook.tls_key = file(settings, "tls_key");
    options.webhook_wait = settings.duration("wait", "1s");
    return hook;
  }

  static void check(Settings& settings, const HttpAdapterOptions& options) {
    if (options.polls.empty() && options.observes.empty() && options.out.empty() &&
        !options.webhook)
      settings.wrong("poll", "expected at least one of poll, webhook, out, observe");
    const bool calls = !options.polls.empty() || !options.observes.empty() || !options.out.empty();
    if (calls && !options.place) settings.wrong("url", "must be given: http://... or https://...");
    std::set<std::string> types;
    for (const HttpPoll& poll : options.polls)
      if (!types.insert(poll.type).second)
        settings.wrong("poll", "the type '" + poll.type + "' has two tables");
  }

  const integration::AdapterContext& context_;
};

}  // namespace

Result<std::unique_ptr<integration::Adapter>> make_http_adapter(
    const integration::AdapterContext& context) {
  TRY_ASSIGN(HttpAdapterOptions options, Reader{context}.read());
  return std::unique_ptr<integration::Adapter>{
      std::make_unique<HttpAdapter>(std::move(options), sys::system_clock())};
}

}  // namespace mainstay::adapters
