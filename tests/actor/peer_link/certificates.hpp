// Certificates for link tests, made once a test program.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "runtime/sys/clock.hpp"
#include "runtime/tls/certificates.hpp"
#include "runtime/tls/stream.hpp"
#include "tests/unit/tls/temporary_directory.hpp"

namespace mainstay::peer_link {

inline tls::Files files_of(const std::filesystem::path& directory, NodeId node) {
  return tls::Files{tls::authority_file(directory), tls::node_certificate_file(directory, node),
                    tls::node_key_file(directory, node)};
}

// plant: nodes 1 to 3 of cluster "plant". foreign: the same names by another authority. expired: an
// authority's node 1 whose time is over.
class Certificates {
 public:
  Certificates() {
    using namespace std::chrono_literals;
    const auto now = sys::system_clock().wall();
    for (const char* name : {"plant", "foreign"}) {
      EXPECT_TRUE(tls::make_authority(at(name), "plant", now));
      for (std::uint64_t id : {1, 2, 3})
        EXPECT_TRUE(
            tls::make_node_certificate(at(name), {"plant", NodeId{id}}, {"127.0.0.1"}, now));
    }
    // Node 7: signed by the plant's authority, but its time is over.
    EXPECT_TRUE(tls::make_node_certificate(at("plant"), {"plant", NodeId{7}}, {}, now - 24h * 400));
  }

  std::filesystem::path at(const std::string& name) const { return directory_.path() / name; }
  tls::Files files(const std::string& authority, NodeId node) const {
    return files_of(at(authority), node);
  }

  static const Certificates& shared() {
    static const Certificates instance;
    return instance;
  }

 private:
  mainstay::testing::TemporaryDirectory directory_;
};

}  // namespace mainstay::peer_link
