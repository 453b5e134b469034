// HTTP/1.1 requests of the load generator, one dialect a server: what a write and a read of one key
// look like on the wire.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mainstay::bench {

// Used by one thread. Requests are whole HTTP/1.1 messages, made ahead of time where possible: the
// generator shares the machine.
class Dialect {
 public:
  virtual ~Dialect() = default;
  // To be answered with success before the run: makes the place that is written to. "": none
  // needed.
  virtual std::string prepare_request() const { return {}; }
  virtual std::string write_request(std::uint64_t key, std::string_view value) const = 0;
  virtual std::string read_request(std::uint64_t key) const = 0;
  // Many keys from `first` on, each with this value. "": the server has no such request.
  virtual std::string write_many_request(std::uint64_t first, std::uint64_t count,
                                         std::string_view value) const;
  // Whether this status of a read means "done": a key that was never written is an answer, too.
  virtual bool read_done(unsigned status) const = 0;
};

// "mainstay": PUT and GET of /v1/collections/bench/records/{key}. "etcd": the JSON gateway, POST
// /v3/kv/put and /v3/kv/range. Null for any other name.
std::unique_ptr<Dialect> make_dialect(std::string_view name, std::string_view host);

}  // namespace mainstay::bench
