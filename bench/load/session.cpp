#include "bench/load/session.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <sys/socket.h>

#include "bench/load/http_session.hpp"

namespace mainstay::bench {

bool Session::write_many(std::uint64_t, std::uint64_t, std::string_view) {
  return false;
}

std::string Protocol::prepare(const std::string&) {
  return {};
}

std::unique_ptr<Protocol> make_protocol(std::string_view name) {
  if (name == "mainstay" || name == "etcd") return make_http_protocol(std::string{name});
  if (name == "etcd-grpc") return make_grpc_protocol();
  if (name == "nats") return make_nats_protocol();
  if (name == "postgres") return make_postgres_protocol();
  if (name == "mysql") return make_mysql_protocol();
  return nullptr;
}

std::string key_name(std::uint64_t key) {
  return fmt::format("k{:08}", key);
}

Address split_endpoint(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  if (colon == std::string::npos) return {endpoint, ""};
  return {endpoint.substr(0, colon), endpoint.substr(colon + 1)};
}

bool shut_down_by_peer(int descriptor) {
  char byte = 0;
  const auto got = ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace mainstay::bench
