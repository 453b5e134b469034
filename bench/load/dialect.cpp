#include "bench/load/dialect.hpp"

#include <iterator>

#include <boost/beast/core/detail/base64.hpp>
#include <fmt/format.h>

#include "bench/load/session.hpp"

namespace mainstay::bench {

namespace {

std::string post(std::string_view host, std::string_view path, const std::string& body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: "
      "{}\r\n\r\n{}",
      path, host, body.size(), body);
}

class Mainstay final : public Dialect {
 public:
  explicit Mainstay(std::string_view host) : host_{host} {}

  std::string prepare_request() const override {
    return fmt::format(
        "PUT /v1/collections/bench HTTP/1.1\r\nHost: {}\r\nContent-Type: "
        "application/json\r\nContent-Length: 2\r\n\r\n{{}}",
        host_);
  }

  std::string write_request(std::uint64_t key, std::string_view value) const override {
    return fmt::format(
        "PUT /v1/collections/bench/records/{} HTTP/1.1\r\nHost: {}\r\nContent-Type: "
        "application/json\r\nContent-Length: {}\r\n\r\n\"{}\"",
        key_name(key), host_, value.size() + 2, value);
  }

  std::string read_request(std::uint64_t key) const override {
    return fmt::format("GET /v1/collections/bench/records/{} HTTP/1.1\r\nHost: {}\r\n\r\n",
                       key_name(key), host_);
  }

  std::string write_many_request(std::uint64_t first, std::uint64_t count,
                                 std::string_view value) const override {
    std::string body = R"({"operations":[)";
    for (std::uint64_t i = 0; i < count; ++i)
      fmt::format_to(std::back_inserter(body),
                     R"({}{{"put":{{"collection":"bench","key":"{}","value":"{}"}}}})",
                     i == 0 ? "" : ",", key_name(first + i), value);
    body += "]}";
    return post(host_, "/v1/batch", body);
  }

  bool read_done(unsigned status) const override { return status == 200 || status == 404; }

 private:
  std::string host_;
};

class Etcd final : public Dialect {
 public:
  explicit Etcd(std::string_view host) : host_{host} {}

  std::string write_request(std::uint64_t key, std::string_view value) const override {
    return post(
        host_, "/v3/kv/put",
        fmt::format(R"({{"key":"{}","value":"{}"}})", base64(key_name(key)), base64(value)));
  }

  std::string read_request(std::uint64_t key) const override {
    return post(host_, "/v3/kv/range", fmt::format(R"({{"key":"{}"}})", base64(key_name(key))));
  }

  bool read_done(unsigned status) const override { return status == 200; }

 private:
  static std::string base64(std::string_view raw) {
    namespace codec = boost::beast::detail::base64;
    std::string text(codec::encoded_size(raw.size()), '\0');
    text.resize(codec::encode(text.data(), raw.data(), raw.size()));
    return text;
  }

  std::string host_;
};

}  // namespace

std::string Dialect::write_many_request(std::uint64_t, std::uint64_t, std::string_view) const {
  return {};
}

std::unique_ptr<Dialect> make_dialect(std::string_view name, std::string_view host) {
  if (name == "mainstay") return std::make_unique<Mainstay>(host);
  if (name == "etcd") return std::make_unique<Etcd>(host);
  return nullptr;
}

}  // namespace mainstay::bench
