// What one run of the load generator is asked to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mainstay::bench {

struct Options {
  std::vector<std::string>
      endpoints;  // host:port; client i begins at endpoint i modulo their count
  std::string protocol = "mainstay";
  std::string operation = "write";  // write, read, mixed or fill
  double read_share = 0.2;          // of mixed
  std::size_t clients = 64;
  double seconds = 10;
  double warmup_seconds = 1;
  double rate = 0;  // requests a second over all clients; 0: closed loop
  std::size_t value_bytes = 256;
  std::uint64_t keys = 100'000;  // fill writes each of them once, in order
  std::uint64_t seed = 1;
  // How clients behave when a node fails: 0 and false is the plain loop, which waits for its node.
  std::uint32_t attempt_ms = 0;  // an attempt without an answer for so long is given up; 0: never
  bool failover = false;         // after a failure the client goes on at the next endpoint
  bool retry = false;            // and repeats the request there until it is done
  double interval_seconds = 0;   // a line of figures as often; 0: only the one at the end
};

}  // namespace mainstay::bench
