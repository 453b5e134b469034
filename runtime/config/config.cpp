#include "runtime/config/config.hpp"

#include <algorithm>

#include "runtime/config/options.hpp"
#include "runtime/config/toml.hpp"

namespace mainstay::config {

namespace {

// Findings of one pass; all are reported, so that a file is repaired in one go.
class Findings {
 public:
  void add(std::string_view finding) {
    if (!text_.empty()) text_ += '\n';
    text_ += finding;
  }
  Result<void> result() const {
    if (text_.empty()) return {};
    return fail(Errc::invalid_argument, text_);
  }

 private:
  std::string text_;
};

void apply(Config& config, const std::string& where, std::string_view name, std::string_view text,
           Findings& findings) {
  const Option* option = find_option(name);
  if (option == nullptr) {
    const std::string_view nearest = nearest_option(name);
    findings.add(where + ": there is no option '" + std::string{name} + "'" +
                 (nearest.empty() ? "" : "; did you mean '" + std::string{nearest} + "'?"));
    return;
  }
  auto set = option->set(config, text);
  if (!set) findings.add(where + ": " + option->name.data() + ": " + set.error().message);
}

void apply_environment(Config& config, const Settings& environment, Findings& findings,
                       std::vector<std::string>& warnings) {
  constexpr std::string_view prefix = "MAINSTAY_";
  // Read by the command line and by the tool, not options of the node.
  constexpr std::string_view others[] = {"MAINSTAY_CONFIG", "MAINSTAY_ENDPOINTS"};
  for (const auto& [variable, value] : environment) {
    if (variable.substr(0, prefix.size()) != prefix) continue;
    if (std::find(std::begin(others), std::end(others), variable) != std::end(others)) continue;
    const auto all = options();
    auto at = std::find_if(all.begin(), all.end(), [&wanted = variable](const Option& option) {
      return environment_name(option.name) == wanted;
    });
    if (at == all.end()) {
      // Orchestrators set variables of their own (MAINSTAY_PORT …): worth a line, not a refusal.
      warnings.push_back("environment: no option is set by " + variable);
      continue;
    }
    auto set = at->set(config, value);
    if (!set) findings.add("environment: " + variable + ": " + set.error().message);
  }
}

void check_peers(const Config& config, Findings& findings) {
  if (config.cluster_peers.empty()) return;
  std::vector<std::uint64_t> ids;
  for (const Peer& peer : config.cluster_peers) ids.push_back(peer.id.value);
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end())
    findings.add("cluster.peers: a node id is listed twice");
  if (!std::binary_search(ids.begin(), ids.end(), config.node_id))
    findings.add("cluster.peers: does not list this node (node.id " +
                 std::to_string(config.node_id) + ")");
  if (ids.size() > 1 && config.tls_ca.empty())
    findings.add(
        "tls.ca, tls.certificate, tls.key: required with other nodes in cluster.peers; "
        "`mainstay certs` makes them");
}

// It stands in the URI of certificates without quoting.
bool is_cluster_name(const std::string& name) {
  constexpr std::string_view taken =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  return !name.empty() && name.size() <= 63 && name.find_first_not_of(taken) == std::string::npos;
}

void check_api(const Config& config, Findings& findings) {
  if (config.api_tls_certificate.empty() != config.api_tls_key.empty())
    findings.add("api.tls_certificate, api.tls_key: give both or none");
  constexpr std::string_view form = "sha256:";
  const std::string& hash = config.auth_bootstrap_token_hash;
  const bool is_hash = hash.size() == form.size() + 64 && hash.starts_with(form) &&
                       hash.find_first_not_of("0123456789abcdef", form.size()) == std::string::npos;
  if (!hash.empty() && !is_hash)
    findings.add(
        "auth.bootstrap_token_hash: must be sha256: and 64 hexadecimal digits (0-9 a-f), as "
        "`mainstay token bootstrap` prints it; the token itself does not belong here");
}

bool is_loopback(const std::string& address) {
  const auto endpoint = parse_endpoint(address);
  if (!endpoint) return false;
  const std::string& host = endpoint->host;
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string advertised(const std::string& advertise, const std::string& listed,
                       const std::string& listen) {
  if (!advertise.empty()) return advertise;
  return listed.empty() ? listen : listed;
}

const Peer* own_entry(const Config& config) {
  for (const Peer& peer : config.cluster_peers)
    if (peer.id.value == config.node_id) return &peer;
  return nullptr;
}

}  // namespace

Result<void> Config::validate() const {
  Findings findings;
  if (node_id == 0)
    findings.add("node.id: required (in the file, as MAINSTAY_NODE_ID or as --node-id)");
  if (!is_cluster_name(cluster_name))
    findings.add("cluster.name: must be 1 to 63 of a-z A-Z 0-9 - . _");
  if (data_directory.empty()) findings.add("data.directory: must not be empty");
  if (peer_listen.empty()) findings.add("peer.listen: must not be empty");
  if (api_listen.empty()) findings.add("api.listen: must not be empty");
  if (4 * raft_heartbeat > raft_election_min)
    findings.add(
        "raft.heartbeat: must be at most a quarter of raft.election_min, so that a lost "
        "heartbeat starts no election");
  if (raft_election_min >= raft_election_max)
    findings.add("raft.election_min: must be less than raft.election_max");
  const int tls_set = int{!tls_ca.empty()} + int{!tls_certificate.empty()} + int{!tls_key.empty()};
  if (tls_set != 0 && tls_set != 3)
    findings.add("tls.ca, tls.certificate, tls.key: give all three or none");
  check_api(*this, findings);
  check_peers(*this, findings);
  return findings.result();
}

std::vector<std::string> Config::warnings() const {
  std::vector<std::string> all;
  if (is_loopback(api_listen)) return all;
  if (!auth_enabled)
    all.push_back("auth.enabled: off; everybody who reaches " + api_listen + " may do everything");
  else if (api_tls_certificate.empty())
    all.push_back("api.tls_certificate: not set; tokens pass the network to " + api_listen +
                  " in clear");
  return all;
}

std::string Config::peer_address() const {
  const Peer* own = own_entry(*this);
  return advertised(peer_advertise, own == nullptr ? "" : own->peer_address, peer_listen);
}

std::string Config::api_address() const {
  const Peer* own = own_entry(*this);
  return advertised(api_advertise, own == nullptr ? "" : own->api_address, api_listen);
}

std::string Config::display_name() const {
  return node_name.empty() ? "node-" + std::to_string(node_id) : node_name;
}

Config default_config(NodeId node) {
  Config config;
  for (const Option& option : options())
    if (!option.default_text.empty()) {
      auto set = option.set(config, option.default_text);
      ASSERT_MSG(set.has_value(), option.name.data());
    }
  config.node_id = node.value;
  return config;
}

Result<Loaded> load(const Sources& sources) {
  Loaded loaded;
  loaded.config = default_config(NodeId{});
  Findings findings;
  TRY_ASSIGN(const std::vector<FileSetting> settings,
             read_toml(sources.file_name, sources.file_text));
  for (const FileSetting& setting : settings) {
    if (!setting.problem.empty())
      findings.add(setting.where + ": " + setting.name + ": " + setting.problem);
    else
      apply(loaded.config, setting.where, setting.name, setting.text, findings);
  }
  apply_environment(loaded.config, sources.environment, findings, loaded.warnings);
  for (const auto& [name, value] : sources.flags)
    apply(loaded.config, "flag " + flag_name(name), name, value, findings);
  TRY(findings.result());
  TRY(loaded.config.validate());
  for (std::string& warning : loaded.config.warnings())
    loaded.warnings.push_back(std::move(warning));
  return loaded;
}

}  // namespace mainstay::config
