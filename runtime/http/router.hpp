// From method and path to a handler. Patterns are "/v1/collections/{collection}/records/{key}":
// each {…} matches one segment, which is percent-decoded after the split, so that an encoded slash
// stays part of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http/message.hpp"
#include "runtime/http/responder.hpp"

namespace mainstay::http {

// Filled before use, constant afterwards: then thread-safe.
class Router {
 public:
  using Handler = std::function<void(Request& request, const Responder& responder)>;
  struct Route {
    Method method;
    std::string pattern;
  };

  // REQUIRES: the pattern starts with '/', and this method has none yet for it. GET serves HEAD
  // too.
  void add(Method method, std::string_view pattern, Handler handler);

  // Answers with not_found or method_not_allowed (with Allow) itself, and with invalid_argument for
  // a broken percent-encoding.
  void operator()(Request request, const Responder& responder) const;

  std::vector<Route> routes() const;

 private:
  struct Resource {
    std::string pattern;
    std::vector<std::string> segments;  // "" for {…}
    std::vector<std::pair<Method, Handler>> handlers;
  };

  const Resource* find(const std::vector<std::string_view>& segments) const;

  std::vector<Resource> resources_;
};

}  // namespace mainstay::http
