#include "runtime/config/config.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/random.hpp"
#include "runtime/config/options.hpp"

namespace mainstay::config {
namespace {

using testing::HasSubstr;

Result<Loaded> load_file(const std::string& text) {
  Sources sources;
  sources.file_name = "node.toml";
  sources.file_text = text;
  return load(sources);
}

std::string refusal_of(const std::string& text) {
  auto loaded = load_file(text);
  return loaded ? "(accepted)" : loaded.error().message;
}

// The file, or with MAINSTAY_REWRITE=1 in the environment: what it should be, written.
std::string content_of(const std::string& name, const std::string& expected) {
  if (std::getenv("MAINSTAY_REWRITE") != nullptr) std::ofstream{name} << expected;
  std::ifstream file{name};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr const char* three_nodes = R"(
[node]
id = 2
[cluster]
name = "plant"
[[cluster.peers]]
id = 1
peer = "10.0.0.1:7401"
api = "10.0.0.1:7400"
[[cluster.peers]]
id = 2
peer = "10.0.0.2:7401"
api = "10.0.0.2:7400"
[tls]
ca = "ca.pem"
certificate = "node.pem"
key = "node.key"
)";

TEST(Config, DefaultsAreValidAndAgreeWithTheLimits) {
  const Config config = default_config(NodeId{1});
  EXPECT_TRUE(config.validate());
  EXPECT_EQ(config.raft_heartbeat.count(), limits::heartbeat_ms);
  EXPECT_EQ(config.raft_election_min.count(), limits::election_ms_min);
  EXPECT_EQ(config.raft_election_max.count(), limits::election_ms_max);
  EXPECT_EQ(config.api_deadline.count(), limits::request_ms_default);
  EXPECT_EQ(config.http_connections_max, limits::http_connections_max);
  EXPECT_EQ(config.display_name(), "node-1");
}

TEST(Config, ReadsAFileWithPeers) {
  auto loaded = load_file(three_nodes);
  ASSERT_TRUE(loaded) << loaded.error().message;
  const Config& config = loaded->config;
  EXPECT_EQ(config.node_id, 2U);
  EXPECT_EQ(config.cluster_name, "plant");
  ASSERT_EQ(config.cluster_peers.size(), 2U);
  EXPECT_EQ(config.cluster_peers[0], (Peer{NodeId{1}, "10.0.0.1:7401", "10.0.0.1:7400"}));
  EXPECT_EQ(config.peer_address(), "10.0.0.2:7401");
  EXPECT_EQ(config.api_address(), "10.0.0.2:7400");
}

TEST(Config, FlagOverrulesEnvironmentOverrulesFileOverrulesDefault) {
  Sources sources;
  sources.file_name = "node.toml";
  sources.file_text =
      "[node]\nid = 1\n[http]\nthreads = 3\n[log]\nlevel = \"warn\"\nformat = \"json\"\n";
  sources.environment = {
      {"MAINSTAY_LOG_LEVEL", "error"}, {"MAINSTAY_HTTP_THREADS", "4"}, {"PATH", "x"}};
  sources.flags = {{"http.threads", "5"}};
  auto loaded = load(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.http_threads, 5U);
  EXPECT_EQ(loaded->config.log_level, "error");
  EXPECT_EQ(loaded->config.log_format, "json");
  EXPECT_EQ(loaded->config.data_directory, "/var/lib/mainstay");
  EXPECT_TRUE(loaded->warnings.empty());
}

TEST(Config, AMisspeltOptionIsNamedWithItsLineAndTheNearestOne) {
  EXPECT_THAT(
      refusal_of("[node]\nid = 1\n[api]\nlistn = \"a:1\"\n"),
      HasSubstr("node.toml:4:9: there is no option 'api.listn'; did you mean 'api.listen'?"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[stroage]\nfree_min = \"1GiB\"\n"),
              HasSubstr("did you mean 'storage.free_min'?"));
  EXPECT_THAT(refusal_of("level = \"info\"\n[node]\nid = 1\n"),
              HasSubstr("did you mean 'log.level'?"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[unknown_section]\n"), HasSubstr("node.toml:3"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\nzzzzzzzzzzzzzzzzzzzzzzzzzzzz = 1\n"),
              testing::Not(HasSubstr("did you mean")));
}

TEST(Config, WrongTypesAndRangesAreRefusedWithTheirLine) {
  EXPECT_THAT(refusal_of("[node]\nid = \"1\"\n"),
              HasSubstr("node.toml:2:6: node.id: a whole number"));
  EXPECT_THAT(refusal_of("[node]\nid = 0\n"), HasSubstr("node.id: is out of range 1..65535"));
  EXPECT_THAT(refusal_of("[node]\nid = 65536\n"), HasSubstr("out of range 1..65535"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[api]\ndeadline = \"61s\"\n"),
              HasSubstr("out of range 10ms..60s"));
  EXPECT_THAT(refusal_of("[node]\nid = -1\n"), HasSubstr("node.id: '-1' is not a whole number"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[storage]\nfree_min = 5\n"),
              HasSubstr("text in double quotes"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[storage]\nfree_min = \"1MiB\"\n"),
              HasSubstr("out of range"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[log]\nlevel = \"loud\"\n"),
              HasSubstr("not one of debug|info"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[metrics]\nenabled = \"yes\"\n"),
              HasSubstr("true or false"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[api]\nlisten = \"nowhere\"\n"), HasSubstr("host:port"));
  EXPECT_THAT(refusal_of("[node\nid = 1\n"), HasSubstr("node.toml:1"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[cluster]\npeers = 3\n"), HasSubstr("[[cluster.peers]]"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[[cluster.peers]]\nid = 1\nport = 3\n"),
              HasSubstr("a peer"));
}

TEST(Config, AllFindingsAreReportedTogether) {
  const std::string refusal =
      refusal_of("[node]\nid = 0\n[log]\nlevel = \"loud\"\nfromat = \"x\"\n");
  EXPECT_THAT(refusal, HasSubstr("node.id"));
  EXPECT_THAT(refusal, HasSubstr("log.level"));
  EXPECT_THAT(refusal, HasSubstr("did you mean 'log.format'?"));
}

TEST(Config, RelationsBetweenOptionsAreChecked) {
  EXPECT_THAT(refusal_of("[log]\nlevel = \"info\"\n"), HasSubstr("node.id: required"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[raft]\nheartbeat = \"100ms\"\n"),
              HasSubstr("a quarter"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[raft]\nelection_min = \"300ms\"\n"),
              HasSubstr("raft.election_min: must be less"));
  for (const char* name : {"", "a b", "plant/1", "\xc3\xa9"})
    EXPECT_THAT(refusal_of("[node]\nid = 1\n[cluster]\nname = \"" + std::string{name} + "\"\n"),
                HasSubstr("cluster.name"));
  EXPECT_THAT(refusal_of("[node]\nid = 1\n[tls]\nca = \"x\"\n"), HasSubstr("all three or none"));
  EXPECT_THAT(refusal_of("[node]\nid = 3\n[cluster]\npeers = [\"1@a:1\", \"1@b:1\"]\n"),
              testing::AllOf(HasSubstr("listed twice"), HasSubstr("does not list this node"),
                             HasSubstr("required with other nodes")));
}

TEST(Config, TheApisCertificateAndKeyComeTogether) {
  const std::string node = "[node]\nid = 1\n";
  EXPECT_THAT(refusal_of(node + "[api]\ntls_certificate = \"a.pem\"\n"), HasSubstr("both or none"));
  EXPECT_THAT(refusal_of(node + "[api]\ntls_key = \"a.key\"\n"), HasSubstr("both or none"));
  EXPECT_EQ(refusal_of(node + "[api]\ntls_certificate = \"a.pem\"\ntls_key = \"a.key\"\n"),
            "(accepted)");
}

TEST(Config, TheBootstrapTokenIsGivenByItsHash) {
  const auto refusal = [](const std::string& hash) {
    return refusal_of("[node]\nid = 1\n[auth]\nbootstrap_token_hash = \"" + hash + "\"\n");
  };
  const std::string digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  EXPECT_EQ(refusal("sha256:" + digits), "(accepted)");
  for (const std::string& bad :
       {digits, "sha256:" + digits.substr(1), "sha256:" + digits + "0",
        "sha256:G" + digits.substr(1), "md5000:" + digits, std::string{"mst_abcdefgh_secret"}})
    EXPECT_THAT(refusal(bad), HasSubstr("auth.bootstrap_token_hash: must be")) << bad;
}

TEST(Config, AnOpenApiOnTheNetworkIsAWarning) {
  const auto warnings = [](const std::string& listen, const std::string& more) {
    auto loaded = load_file("[node]\nid = 1\n[api]\nlisten = \"" + listen + "\"\n" + more);
    return loaded ? loaded->warnings : std::vector<std::string>{loaded.error().message};
  };
  const std::string off = "[auth]\nenabled = false\n";
  for (const char* local : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"}) {
    EXPECT_THAT(warnings(local, ""), testing::IsEmpty()) << local;
    EXPECT_THAT(warnings(local, off), testing::IsEmpty()) << local;
  }
  for (const char* open : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "host:1"}) {
    EXPECT_THAT(warnings(open, ""), testing::ElementsAre(HasSubstr("in clear"))) << open;
    EXPECT_THAT(warnings(open, off), testing::ElementsAre(HasSubstr("everybody"))) << open;
    EXPECT_THAT(warnings(open, "tls_certificate = \"a\"\ntls_key = \"b\"\n"), testing::IsEmpty());
  }
}

TEST(Config, AnUnknownVariableIsAWarning) {
  Sources sources;
  sources.environment = {
      {"MAINSTAY_NODE_ID", "7"}, {"MAINSTAY_PORT_7400_TCP", "x"}, {"MAINSTAY_CONFIG", "y"}};
  auto loaded = load(sources);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.node_id, 7U);
  EXPECT_THAT(loaded->warnings, testing::ElementsAre(HasSubstr("MAINSTAY_PORT_7400_TCP")));
  sources.environment = {{"MAINSTAY_NODE_ID", "seven"}};
  EXPECT_THAT(load(sources).error().message, HasSubstr("MAINSTAY_NODE_ID: 'seven'"));
}

// The example file sets every option when its '#' are removed, to the default of the table.
TEST(Config, TheExampleFileIsTheTable) {
  EXPECT_EQ(content_of("config/mainstayd.example.toml", example_file()), example_file())
      << "MAINSTAY_REWRITE=1 config_test writes it again";
  EXPECT_TRUE(load_file(example_file()));
  std::string uncommented;
  std::istringstream lines{example_file()};
  for (std::string line; std::getline(lines, line);) {
    const bool setting = line.starts_with("# ") && line.find(" = ") != std::string::npos;
    uncommented += (setting || line.starts_with("# [[") ? line.substr(2) : line) + "\n";
  }
  auto loaded = load_file(uncommented);
  EXPECT_THAT(loaded ? "" : loaded.error().message, HasSubstr("required with other nodes"));
  for (const Option& option : options())
    EXPECT_THAT(example_file(), HasSubstr(std::string{option.sentence})) << option.name;
}

TEST(Config, TheDocumentIsTheTable) {
  EXPECT_EQ(content_of("docs/configuration.md", options_document()), options_document());
}

TEST(Config, MutatedFilesAreTakenOrRefusedNeverMore) {
  SeededRandom random{42};
  for (int round = 0; round < 3000; ++round) {
    std::string text = three_nodes;
    for (std::uint64_t edits = random.between(1, 8); edits > 0; --edits) {
      const std::size_t at = random.between(0, text.size() - 1);
      if (random.between(0, 1) == 0)
        text.erase(at, random.between(1, 5));
      else
        text.insert(at, 1, static_cast<char>(random.between(1, 126)));
      if (text.empty()) text = " ";
    }
    auto loaded = load_file(text);
    EXPECT_TRUE(loaded || !loaded.error().message.empty());
  }
}

}  // namespace
}  // namespace mainstay::config
