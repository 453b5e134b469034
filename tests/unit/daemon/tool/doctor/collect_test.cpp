// The collectors of doctor and the bundle for debugging: fake nodes, real directories and ports.
#include <archive.h>
#include <archive_entry.h>
#include <boost/json.hpp>
#include <unistd.h>

#include "runtime/daemon/tool/debug/redact.hpp"
#include "runtime/daemon/tool/doctor/collect_host.hpp"
#include "runtime/daemon/tool/doctor/collect_nodes.hpp"
#include "runtime/daemon/tool/doctor/data_directory.hpp"
#include "runtime/daemon/tool/doctor/processes.hpp"
#include "runtime/store/node_store.hpp"
#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool::doctor {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(ParseMetrics, NamesWithLabels) {
  const Metrics metrics = parse_metrics(
      "# HELP a b\n# TYPE a gauge\na 1.5\nb{x=\"1\",y=\"a b\"} 2e3\nc_bucket{le=\"+Inf\"} 7\n");
  EXPECT_THAT(metrics, SizeIs(3));
  EXPECT_EQ(sample(metrics, "a"), 1.5);
  EXPECT_EQ(sample(metrics, "b{x=\"1\",y=\"a b\"}"), 2000);
  EXPECT_EQ(sample(metrics, "none"), 0);
}

class CollectTest : public ToolTest {
 protected:
  // A directory as a node that ended leaves it.
  std::string dead_directory(std::uint64_t node) {
    store::StoreOptions options;
    options.directory = path("data");
    options.node = NodeId{node};
    options.background = false;
    SeededRandom random{7};
    auto opened = store::NodeStore::open(options, random);
    EXPECT_TRUE(opened) << opened.error().message;
    return path("data");
  }
  std::string configuration(const std::string& more) {
    return write_file("node.toml", "[node]\nid = 2\n[data]\ndirectory = \"" + path("data") +
                                       "\"\n[peer]\nlisten = \"127.0.0.1:0\"\n" + more);
  }
  std::vector<std::string> conditions_of(const Ran& ran) {
    std::vector<std::string> names;
    const auto document = boost::json::parse(ran.out);
    for (const auto& finding : document.at("findings").as_array())
      names.emplace_back(finding.at("condition").as_string().c_str());
    return names;
  }
  std::vector<std::string> offline(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"doctor", "--offline", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return conditions_of(run_tool(arguments));
  }
};

TEST_F(CollectTest, ADeadNodesDirectoryIsReadAndLeftAlone) {
  const std::string data = dead_directory(2);
  const std::string before = read_file(data + "/identity.json");
  const DirectorySeen seen = look_at_directory(data);
  EXPECT_TRUE(seen.exists);
  EXPECT_EQ(seen.node, 2U);
  EXPECT_EQ(seen.cluster, "") << "not formed";
  EXPECT_EQ(seen.damage, "");
  EXPECT_FALSE(seen.locked);
  EXPECT_GT(seen.total_bytes, seen.free_bytes);
  const EnvironmentHeader header = read_environment(data + "/records/data.mdb");
  EXPECT_EQ(header.problem, "");
  EXPECT_EQ(header.page_bytes, 4096U);
  EXPECT_GT(header.pages, 1U);
  EXPECT_EQ(read_file(data + "/identity.json"), before);
  EXPECT_FALSE(look_at_directory(path("none")).exists);
}

TEST_F(CollectTest, DamageOfADirectoryIsSeen) {
  const std::string data = dead_directory(2);
  const std::string identity = read_file(data + "/identity.json");
  std::ofstream{data + "/identity.json"} << identity.substr(0, identity.size() / 2);
  EXPECT_NE(look_at_directory(data).damage, "");
  std::filesystem::remove(data + "/identity.json");
  EXPECT_EQ(look_at_directory(data).damage, "it holds data and no identity.json");
  std::ofstream{data + "/identity.json"} << identity;
  std::ofstream{data + "/records/data.mdb", std::ios::trunc} << "junk";
  EXPECT_THAT(look_at_directory(data).damage, HasSubstr("records/data.mdb: "));
  std::filesystem::remove(data + "/records/data.mdb");
  EXPECT_EQ(look_at_directory(data).damage, "records/data.mdb is missing");
  EXPECT_THAT(offline({"--data", data}), testing::ElementsAre("directory-damaged"));
}

TEST_F(CollectTest, ALockIsSeenWithoutTakingIt) {
  store::StoreOptions options;
  options.directory = path("data");
  options.node = NodeId{2};
  SeededRandom random{7};
  const auto opened = store::NodeStore::open(options, random);
  ASSERT_TRUE(opened);
  const DirectorySeen seen = look_at_directory(path("data"));
  EXPECT_TRUE(seen.locked);
  EXPECT_EQ(seen.holder, static_cast<std::uint64_t>(::getpid()));
  EXPECT_EQ(seen.holder_name, "collect_test");
  EXPECT_THAT(
      offline({"--config", configuration("[api]\nlisten = \"" + closed_address() + "\"\n")}),
      testing::Contains("directory-locked"));
}

TEST_F(CollectTest, Ports) {
  const auto endpoint = config::parse_endpoint(node_.address()).value();
  EXPECT_FALSE(is_free(endpoint));
  EXPECT_TRUE(takes_connections(endpoint));
  EXPECT_EQ(listener_of(endpoint.port), "pid " + std::to_string(::getpid()) + " (collect_test)");
  const auto closed = config::parse_endpoint(closed_address()).value();
  EXPECT_TRUE(is_free(closed));
  EXPECT_FALSE(takes_connections(closed));
  EXPECT_GT(open_files_max(0), 0U);
}

TEST_F(CollectTest, AHostIsJudgedByItsConfiguration) {
  dead_directory(2);
  const std::string api = "[api]\nlisten = \"" + closed_address() + "\"\n";
  EXPECT_THAT(offline({"--config", configuration(api)}), testing::Contains("not-running"));
  EXPECT_THAT(offline({"--config", configuration("[api]\nlisten = \"" + node_.address() + "\"\n")}),
              testing::Contains("port-taken"));
  EXPECT_THAT(offline({"--config", configuration("[api]\nlisen = \"x:1\"\n")}),
              testing::ElementsAre("configuration-wrong"));
  EXPECT_THAT(
      run_tool({"doctor", "--offline", "--config", configuration("[api]\nlisen = \"x:1\"\n")}).out,
      HasSubstr("api.listen"))
      << "the near name";
  EXPECT_THAT(offline({"--config", path("none.toml")}),
              testing::ElementsAre("configuration-wrong"));
  const std::string tls = "[tls]\nca = \"" + path("certs/ca.pem") + "\"\ncertificate = \"" +
                          path("certs/node-3.pem") + "\"\nkey = \"" + path("certs/node-3.key") +
                          "\"\n";
  EXPECT_THAT(offline({"--config", configuration(api + tls)}), testing::Contains("file-missing"));
  ok({"certs", "init-ca", "--directory", path("certs")});
  ok({"certs", "node", "3", "--directory", path("certs"), "--days", "3"});
  EXPECT_THAT(offline({"--config", configuration(api + tls)}),
              testing::IsSupersetOf({"certificate-mismatch", "certificate-expiring"}));
  EXPECT_THAT(
      offline({"--config", write_file("other.toml", "[node]\nid = 5\n[data]\ndirectory = \"" +
                                                        path("data") + "\"\n" + api)}),
      testing::Contains("directory-of-another-node"));
}

TEST_F(CollectTest, ACertificateThatHasExpired) {
  dead_directory(2);
  const std::string certs = path("certs");
  const WallTime long_ago = sys::system_clock().wall() - std::chrono::hours{24 * 40};
  struct Past final : sys::Clock {
    explicit Past(WallTime then) : time{then} {}
    MonotonicTime monotonic() const override { return sys::system_clock().monotonic(); }
    WallTime wall() const override { return time; }
    WallTime time;
  } past{long_ago};
  std::istringstream in;
  std::ostringstream out;
  SeededRandom random{1};
  const World world{in, out, out, {}, past, random, false, false, [](Millis) {}};
  ASSERT_EQ(run({"certs", "init-ca", "--directory", certs}, world, "1"), 0) << out.str();
  ASSERT_EQ(run({"certs", "node", "2", "--directory", certs, "--days", "30"}, world, "1"), 0);
  EXPECT_THAT(
      offline({"--config",
               configuration("[tls]\nca = \"" + certs + "/ca.pem\"\ncertificate = \"" + certs +
                             "/node-2.pem\"\nkey = \"" + certs + "/node-2.key\"\n")}),
      testing::Contains("certificate-expired"));
}

TEST_F(CollectTest, TheDoctorAsksEveryNode) {
  FakeNode second;
  api::ClusterView view;
  view.cluster.words = {1, 2};
  view.formed = true;
  view.leader = NodeId{2};
  view.term = 3;
  view.disk_free_bytes = 50ULL << 30;
  view.release = "0.5.0";
  for (const auto& [id, address] :
       {std::pair{1, node_.address()}, {2, second.address()}, {3, closed_address()}}) {
    api::MemberView member;
    member.id = NodeId{static_cast<std::uint64_t>(id)};
    member.incarnation = Incarnation{static_cast<std::uint64_t>(id)};
    member.voter = true;
    member.peer_address = "127.0.0.1:1";
    member.api_address = address;
    member.connected = id != 3;
    view.members.push_back(member);
  }
  view.members.pop_back();
  const auto show = [&](FakeNode& node, std::uint64_t id) {
    view.self = NodeId{id};
    view.incarnation = Incarnation{id};
    view.role = id == 2 ? "leader" : "follower";
    node.backend.cluster_view = view;
  };
  // Two voters, both up.
  show(node_, 1);
  show(second, 2);
  EXPECT_THAT(conditions_of(tool({"doctor", "--json"})),
              testing::ElementsAre("one-failure-from-no-quorum", "even-voters"));
  // Three voters, one of them gone, another on a full disk.
  api::MemberView third;
  third.id = NodeId{3};
  third.voter = true;
  third.peer_address = "127.0.0.1:3";
  third.api_address = closed_address();
  view.members.push_back(third);
  view.disk_low = true;
  show(node_, 1);
  view.disk_low = false;
  show(second, 2);
  const Ran ran = tool({"doctor"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, testing::AllOf(HasSubstr("critical: disk-low: node 1\n  evidence: "),
                                      HasSubstr("one-failure-from-no-quorum: cluster"),
                                      HasSubstr("unreachable-node: node 3")));
  // Whole again: silent.
  view.members[2].api_address = node_.address();
  view.members.pop_back();
  view.members[0].voter = false;
  show(node_, 1);
  show(second, 2);
  const Ran single = tool({"doctor"});
  EXPECT_EQ(single.code, 0) << single.out;
  EXPECT_THAT(single.out, HasSubstr("note: single-voter"));
}

TEST(Redact, SecretsGo) {
  const std::string id = "mst_abcdefgh";
  const std::string token = id + "_" + std::string(43, 's');
  const std::string text =
      redacted("x = \"" + token + "\" hash sha256:0123abcd, Bearer " + token +
               "\n-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n"
               "-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----\n");
  EXPECT_THAT(text, testing::AllOf(HasSubstr(id + "(redacted)"), Not(HasSubstr("ssss")),
                                   Not(HasSubstr("0123abcd")), Not(HasSubstr("MII")),
                                   Not(HasSubstr("\nabc"))));
}

std::map<std::string, std::string> contents_of(const std::string& file) {
  std::map<std::string, std::string> contents;
  ::archive* reader = ::archive_read_new();
  ::archive_read_support_filter_all(reader);
  ::archive_read_support_format_all(reader);
  EXPECT_EQ(::archive_read_open_filename(reader, file.c_str(), 10240), ARCHIVE_OK);
  ::archive_entry* entry = nullptr;
  while (::archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    std::string content(static_cast<std::size_t>(::archive_entry_size(entry)), '\0');
    EXPECT_EQ(::archive_read_data(reader, content.data(), content.size()),
              static_cast<::la_ssize_t>(content.size()));
    contents[::archive_entry_pathname(entry)] = content;
  }
  ::archive_read_free(reader);
  return contents;
}

TEST_F(CollectTest, ABundleOfADeadNodeHasNoSecret) {
  dead_directory(2);
  const std::string hash(64, 'a');
  const std::string file =
      configuration("[api]\nlisten = \"" + closed_address() +
                    "\"\n[auth]\nbootstrap_token_hash = \"sha256:" + hash + "\"\n");
  const std::string bundle = path("bundle.tar.zst");
  EXPECT_THAT(ok({"debug", "bundle", "--config", file, "--output", bundle, "--deadline", "1s"}),
              HasSubstr("wrote " + bundle));
  const auto contents = contents_of(bundle);
  for (const char* name : {"bundle.txt", "doctor.txt", "missing.txt", "host/mainstayd.toml",
                           "data/identity.json", "data/files.txt", "data/state.txt"})
    EXPECT_TRUE(contents.count(std::string{"mainstay-debug/"} + name)) << name;
  EXPECT_THAT(contents.at("mainstay-debug/data/state.txt"), HasSubstr("node 2\n"));
  EXPECT_THAT(contents.at("mainstay-debug/doctor.txt"), HasSubstr("not-running"));
  EXPECT_THAT(contents.at("mainstay-debug/host/mainstayd.toml"),
              testing::AllOf(HasSubstr("bootstrap_token_hash"), Not(HasSubstr(hash))));
  EXPECT_EQ(tool({"debug", "bundle", "--output", bundle}).code, 4) << "is not written over";
}

}  // namespace
}  // namespace mainstay::tool::doctor
