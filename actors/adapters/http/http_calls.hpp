// Calls to one counterpart over HTTP, with its credentials, and what their outcomes mean.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/json.hpp"
#include "runtime/http/client.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters {

struct HttpPlace {
  std::string url;  // "https://erp.example:8443/api"
  std::shared_ptr<const tls::ClientContext> tls;
  // Files are read for each call: they may change. At most one of the two.
  std::string token_file;  // bearer
  std::string user;        // basic, with password_file
  std::string password_file;
  Millis call_timeout{10'000};
};

struct HttpUrl {
  bool tls = false;
  config::Endpoint endpoint;
  std::string path;  // "" or "/api"
};
// Errors: invalid_argument.
Result<HttpUrl> parse_url(std::string_view text);

// One thread.
class HttpCalls {
 public:
  // REQUIRES: the url is one.
  explicit HttpCalls(HttpPlace place);

  // `path` is below the url's path. Errors: those of http::Client; io_error where a file of
  // credentials cannot be read (nothing was sent): `sent` tells.
  Result<http::Reply> call(http::Call call, bool* sent = nullptr);

  // The path of a link that the counterpart gave. Errors: invalid_argument: it leads elsewhere.
  Result<std::string> path_of_link(std::string_view link) const;

 private:
  Result<std::string> authorization() const;

  const HttpPlace place_;
  const HttpUrl url_;
  http::Client client_;
};

// What an outcome means for an effect. `done` leaves the receipt to the caller.
integration::EffectResult judge(const Result<http::Reply>& reply, bool sent);

std::string base64(std::string_view bytes);

// "/shipments/{key}" with {key}, {type}, {subject}, {/pointer}, each encoded as a part of a path.
Result<void> check_path_template(std::string_view text);
Result<std::string> fill_path(std::string_view text, const integration::Effect& effect);

}  // namespace mainstay::adapters
