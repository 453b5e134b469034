#include "runtime/daemon/tool/doctor/collect_host.hpp"

#include <sstream>

#include "runtime/daemon/tool/doctor/data_directory.hpp"
#include "runtime/daemon/tool/doctor/processes.hpp"
#include "runtime/sys/clock.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/tls/certificates.hpp"
#include "runtime/tls/stream.hpp"

namespace mainstay::tool::doctor {

namespace {

constexpr std::size_t configuration_bytes_max = 1 << 20;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

// A file that the configuration names; `certificate`: its end is of interest.
void read_named(HostSeen& host, const std::string& option, const std::string& path,
                bool certificate) {
  if (path.empty()) return;
  auto content = sys::read_file(path, configuration_bytes_max);
  if (!content) {
    host.missing.push_back({option, path, content.error().message});
    return;
  }
  if (!certificate) return;
  const auto info = tls::read_any_certificate(path);
  if (info)
    host.certificates.push_back({option, path,
                                 std::int64_t{std::chrono::duration_cast<std::chrono::seconds>(
                                                  info->not_after.time_since_epoch())
                                                  .count()}});
  else
    host.missing.push_back({option, path, info.error().message});
}

// That authority, certificate, key and node id belong together, as the node itself checks it.
void check_identity(HostSeen& host, const config::Config& config) {
  if (config.tls_certificate.empty() || !host.missing.empty()) return;
  const tls::Identity expected{config.cluster_name, NodeId{config.node_id}};
  const auto loaded =
      tls::Context::load({config.tls_ca, config.tls_certificate, config.tls_key}, expected);
  if (!loaded) host.identity_problem = loaded.error().message;
}

void check_port(HostSeen& host, const std::string& option, const std::string& address) {
  const auto endpoint = config::parse_endpoint(address);
  if (!endpoint || endpoint->port == 0 || is_free(*endpoint)) return;
  host.taken.push_back({option, address, listener_of(endpoint->port)});
}

}  // namespace

HostSeen look_at_host(const std::string& configuration_file) {
  HostSeen host;
  host.file = configuration_file;
  auto text = sys::read_file(configuration_file, configuration_bytes_max);
  if (!text) {
    host.problems.push_back(text.error().message);
    return host;
  }
  config::Sources sources;
  sources.file_name = configuration_file;
  sources.file_text = std::move(*text);
  auto loaded = config::load(sources);
  if (!loaded) {
    host.problems = lines_of(loaded.error().message);
    return host;
  }
  const config::Config& config = host.config.emplace(std::move(loaded->config));
  read_named(host, "tls.ca", config.tls_ca, true);
  read_named(host, "tls.certificate", config.tls_certificate, true);
  read_named(host, "tls.key", config.tls_key, false);
  read_named(host, "api.tls_certificate", config.api_tls_certificate, true);
  read_named(host, "api.tls_key", config.api_tls_key, false);
  check_identity(host, config);
  host.directory = look_at_directory(config.data_directory);
  // What a node that does not run may open is known when it runs.
  if (host.directory->holder != 0) host.files_max = open_files_max(host.directory->holder);
  if (!host.directory->locked) {
    check_port(host, "peer.listen", config.peer_listen);
    check_port(host, "api.listen", config.api_listen);
  }
  return host;
}

HostSeen look_at_data(const std::string& data_directory) {
  HostSeen host;
  host.file = data_directory;
  host.directory = look_at_directory(data_directory);
  if (!host.directory->exists) host.problems.push_back("there is no directory " + data_directory);
  return host;
}

}  // namespace mainstay::tool::doctor
