// Real HTTP servers over the API's fake backend, and the tool run against them.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <unistd.h>

#include "runtime/daemon/tool/tool.hpp"
#include "runtime/http/server.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::tool {

// A node: the API over a fake backend, on a free port. Its handler runs on one thread. Collections
// c and orders are declared.
class FakeNode {
 public:
  explicit FakeNode(const api::ApiOptions& options = without_tokens()) {
    api::add_routes(router, backend, clock, options);
    backend.declare("c");
    backend.declare("orders");
    http::ServerOptions server_options;
    server_options.listen = {"127.0.0.1", 0};
    server_options.threads = 1;
    auto started =
        http::Server::start(server_options, sys::system_clock(),
                            [this](http::Request request, const http::Responder& responder) {
                              router(std::move(request), responder);
                            });
    server = std::move(started.value());
  }
  static api::ApiOptions without_tokens() {
    api::ApiOptions options;
    options.auth_enabled = false;
    return options;
  }
  std::string address() const { return to_string(server->endpoint()); }

  api::ManualClock clock;
  api::FakeBackend backend{clock};
  http::Router router;
  std::unique_ptr<http::Server> server;
};

// An address that nobody listens on.
inline std::string closed_address() {
  const FakeNode gone;
  return gone.address();
}

inline api::MemberView member_view(std::uint64_t id, std::uint64_t incarnation, bool voter,
                                   const std::string& peer_address, const std::string& api_address,
                                   bool connected) {
  api::MemberView member;
  member.id = NodeId{id};
  member.incarnation = Incarnation{incarnation};
  member.voter = voter;
  member.peer_address = peer_address;
  member.api_address = api_address;
  member.connected = connected;
  return member;
}

struct Ran {
  int code;
  std::string out, err;
};

// Pauses take no time.
inline Ran run_tool(const std::vector<std::string>& arguments,
                    const config::Settings& environment = {}, const std::string& input = "") {
  std::istringstream in{input};
  std::ostringstream out, err;
  static std::uint64_t seed = 0;  // every run draws other operation ids
  SeededRandom random{++seed};
  const World world{in,     out,   err,   environment,  sys::system_clock(),
                    random, false, false, [](Millis) {}};
  const int code = run(arguments, world, "1.2.3");
  return {code, out.str(), err.str()};
}

// One node, and a directory that is gone at the end.
class ToolTest : public testing::Test {
 protected:
  ToolTest()
      : directory_{testing::TempDir() + "tool_test_" + std::to_string(::getpid()) + "_" +
                   testing::UnitTest::GetInstance()->current_test_info()->name()} {
    std::filesystem::create_directories(directory_);
  }
  ~ToolTest() override { std::filesystem::remove_all(directory_); }

  Ran tool(const std::vector<std::string>& arguments, const std::string& input = "") {
    return run_tool(arguments, {{"MAINSTAY_ENDPOINTS", node_.address()}}, input);
  }
  // The same, that it went well.
  std::string ok(const std::vector<std::string>& arguments, const std::string& input = "") {
    const Ran ran = tool(arguments, input);
    EXPECT_EQ(ran.code, 0) << testing::PrintToString(arguments) << ": " << ran.err;
    return ran.out;
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string write_file(const std::string& name, const std::string& content) const {
    std::ofstream{path(name), std::ios::binary} << content;
    return path(name);
  }
  static std::string read_file(const std::string& file) {
    std::ifstream stream{file, std::ios::binary};
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
  }

  FakeNode node_;
  const std::string directory_;
};

}  // namespace mainstay::tool
