#include "runtime/http/router.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::http {

namespace {

// No pattern is this deep; the rest of a longer path stays in one piece and matches nothing.
constexpr std::size_t segments_max = 16;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  segments.reserve(8);
  path.remove_prefix(1);
  while (segments.size() < segments_max) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return segments;
}

bool is_capture(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// Decodes captures and query into the request.
Result<void> decode(Request& request, const std::vector<std::string>& pattern,
                    const std::vector<std::string_view>& segments) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!pattern[i].empty()) continue;
    TRY_ASSIGN(std::string capture, percent_decode(segments[i]));
    request.captures.push_back(std::move(capture));
  }
  const std::string_view target{request.target};
  const auto question = target.find('?');
  if (question == std::string_view::npos) return {};
  TRY_ASSIGN(request.query, parse_query(target.substr(question + 1)));
  return {};
}

}  // namespace

void Router::add(Method method, std::string_view pattern, Handler handler) {
  ASSERT_MSG(!pattern.empty() && pattern.front() == '/', "a pattern starts with '/'");
  auto at = std::find_if(resources_.begin(), resources_.end(),
                         [&](const Resource& known) { return known.pattern == pattern; });
  if (at == resources_.end()) {
    Resource resource;
    resource.pattern = pattern;
    for (std::string_view segment : split(pattern))
      resource.segments.emplace_back(is_capture(segment) ? std::string_view{} : segment);
    at = resources_.insert(resources_.end(), std::move(resource));
  }
  for (const auto& known : at->handlers) ASSERT_MSG(known.first != method, "a route is added once");
  at->handlers.emplace_back(method, std::move(handler));
}

const Router::Resource* Router::find(const std::vector<std::string_view>& segments) const {
  for (const Resource& resource : resources_) {
    if (resource.segments.size() != segments.size()) continue;
    const bool matches = std::equal(segments.begin(), segments.end(), resource.segments.begin(),
                                    [](std::string_view given, const std::string& wanted) {
                                      return wanted.empty() ? !given.empty() : given == wanted;
                                    });
    if (matches) return &resource;
  }
  return nullptr;
}

void Router::operator()(Request request, const Responder& responder) const {
  ProblemDetails details;
  const std::string_view path = request.path();
  if (path.empty() || path.front() != '/') {
    responder.answer(problem(Error{Errc::invalid_argument, "the request target must be a path"}));
    return;
  }
  details.instance = path;
  const std::vector<std::string_view> segments = split(path);
  const Resource* resource = find(segments);
  if (resource == nullptr) {
    responder.answer(problem(
        Error{Errc::not_found, "no resource has this path; /v1/openapi.json lists them"}, details));
    return;
  }
  const Method wanted = request.method == Method::head ? Method::get : request.method;
  auto at = std::find_if(resource->handlers.begin(), resource->handlers.end(),
                         [&](const auto& known) { return known.first == wanted; });
  if (at == resource->handlers.end()) {
    std::string allow;
    for (const auto& [method, handler] : resource->handlers) {
      allow += (allow.empty() ? "" : ", ") + std::string{to_string(method)};
      if (method == Method::get) allow += ", HEAD";
    }
    Response response = problem(Error{Errc::method_not_allowed, "allowed here: " + allow}, details);
    response.headers.emplace_back("Allow", allow);
    responder.answer(std::move(response));
    return;
  }
  if (auto decoded = decode(request, resource->segments, segments); !decoded) {
    responder.answer(problem(decoded.error(), details));
    return;
  }
  at->second(request, responder);
}

std::vector<Router::Route> Router::routes() const {
  std::vector<Route> all;
  for (const Resource& resource : resources_)
    for (const auto& [method, handler] : resource.handlers)
      all.push_back({method, resource.pattern});
  return all;
}

}  // namespace mainstay::http
