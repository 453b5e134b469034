// What concerns one host, whether its node runs or not: configuration, files, ports, the data
// directory.
#include <array>

#include <fmt/format.h>

#include "runtime/daemon/tool/doctor/findings.hpp"
#include "runtime/daemon/tool/print.hpp"

namespace mainstay::tool::doctor {

namespace {

// Descriptors beside client connections: peers, LMDB, files, log.
constexpr std::uint64_t files_beside_clients = 256;

bool listens_beyond(const std::string& address) {
  const auto endpoint = config::parse_endpoint(address);
  return endpoint && !is_loopback(endpoint->host);
}

void configuration_wrong(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts)
    for (const std::string& problem : host.problems)
      found.add(host.file, problem,
                "edit " + host.file + "; mainstayd --config " + host.file + " --check-config");
}

void file_missing(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts)
    for (const FileMissing& file : host.missing)
      found.add(host.file, file.option + " names " + file.path + ": " + file.problem,
                "ls -l " + file.path + "; make certificates with: mainstay certs node " +
                    std::to_string(host.config ? host.config->node_id : 0) + " --directory CERTS");
}

void certificate_mismatch(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts)
    if (!host.identity_problem.empty())
      found.add(host.file, host.identity_problem,
                fmt::format("mainstay certs show {}; mainstay certs rotate {} --directory CERTS",
                            host.config ? host.config->tls_certificate : "FILE",
                            host.config ? host.config->node_id : 0));
}

std::string port_of(const std::string& address) {
  return address.substr(address.rfind(':') + 1);
}

void port_taken(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts)
    for (const PortTaken& port : host.taken)
      found.add(host.file,
                port.option + " " + port.address + " is taken" +
                    (port.holder.empty() ? "" : " by " + port.holder) +
                    ", and the node does not run",
                "ss -ltnp 'sport = :" + port_of(port.address) + "'; stop that program, or change " +
                    port.option);
}

void not_running(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts) {
    if (!host.config || host.answers != 0 || (host.directory && host.directory->locked)) continue;
    found.add(
        host.file,
        fmt::format("node {} does not run: nobody answers at {}, and no process holds {}",
                    host.config->node_id, host.config->api_listen, host.config->data_directory),
        "systemctl start mainstayd; journalctl -u mainstayd -n 50");
  }
}

const DirectorySeen* directory_of(const HostSeen& host) {
  return host.directory && host.directory->exists ? &*host.directory : nullptr;
}

void foreign_node(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts) {
    const DirectorySeen* directory = directory_of(host);
    if (directory == nullptr || !host.config || directory->node == 0 ||
        directory->node == host.config->node_id)
      continue;
    found.add(host.file,
              fmt::format("node.id is {}, and {} is the data directory of node {}",
                          host.config->node_id, directory->path, directory->node),
              fmt::format("set node.id = {}, or data.directory to the directory of node {}",
                          directory->node, host.config->node_id));
  }
}

void foreign_cluster(const Evidence& evidence, Found& found) {
  const NodeView* view = newest_view(evidence);
  if (view == nullptr || !view->formed) return;
  for (const HostSeen& host : evidence.hosts) {
    const DirectorySeen* directory = directory_of(host);
    if (directory == nullptr || directory->cluster.empty() || directory->cluster == view->cluster)
      continue;
    found.add(
        host.file,
        directory->path + " belongs to cluster " + directory->cluster + ", the nodes asked to " +
            view->cluster,
        "mv " + directory->path + " " + directory->path +
            ".other && systemctl restart mainstayd   # joins empty; or correct the endpoints");
  }
}

void directory_damaged(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts) {
    const DirectorySeen* directory = directory_of(host);
    if (directory != nullptr && !directory->damage.empty())
      found.add(host.file, directory->path + ": " + directory->damage,
                "if the other nodes are well: mv " + directory->path + " " + directory->path +
                    ".damaged && systemctl start mainstayd   # it joins empty, as a new member");
  }
}

void directory_locked(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts) {
    const DirectorySeen* directory = directory_of(host);
    if (directory == nullptr || !directory->locked || !host.config ||
        host.answers == host.config->node_id)
      continue;
    found.add(host.file,
              fmt::format("process {}{} uses {}, and {} answers at {}", directory->holder,
                          directory->holder_name.empty() ? "" : " (" + directory->holder_name + ")",
                          directory->path,
                          host.answers == 0 ? "nobody" : fmt::format("node {}", host.answers),
                          host.config->api_listen),
              fmt::format("ps -fp {0}; if it hangs: kill -9 {0}", directory->holder));
  }
}

void open_files(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts) {
    if (!host.config || host.files_max == 0) continue;
    const std::uint64_t needed = host.config->http_connections_max + files_beside_clients;
    if (host.files_max < needed)
      found.add(host.file,
                fmt::format("{} open files are allowed; {} client connections need {}",
                            host.files_max, host.config->http_connections_max, needed),
                "LimitNOFILE=65536 in the unit (systemctl edit mainstayd), or lower "
                "http.connections_max");
  }
}

void auth_off(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts)
    if (host.config && !host.config->auth_enabled && listens_beyond(host.config->api_listen))
      found.add(host.file, "auth.enabled is off and api.listen is " + host.config->api_listen,
                "mainstay token bootstrap; then auth.enabled = true in " + host.file);
}

void tls_off(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts)
    if (host.config && host.config->api_tls_certificate.empty() &&
        listens_beyond(host.config->api_listen))
      found.add(host.file,
                "api.tls_certificate is not set and api.listen is " + host.config->api_listen,
                "mainstay certs api NAME --host NAME --directory CERTS; then api.tls_certificate "
                "and api.tls_key in " +
                    host.file);
}

void shared_disk(const Evidence& evidence, Found& found) {
  for (std::size_t i = 0; i < evidence.hosts.size(); ++i)
    for (std::size_t j = i + 1; j < evidence.hosts.size(); ++j) {
      const HostSeen& a = evidence.hosts[i];
      const HostSeen& b = evidence.hosts[j];
      const DirectorySeen* one = directory_of(a);
      const DirectorySeen* other = directory_of(b);
      // Nodes on loopback are for trying out.
      if (one == nullptr || other == nullptr || one->device != other->device || !a.config ||
          !listens_beyond(a.config->peer_address()))
        continue;
      found.add(a.file + ", " + b.file, one->path + " and " + other->path + " are on one disk",
                "give each node a disk of its own: data.directory");
    }
}

void network_disk(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts) {
    const DirectorySeen* directory = directory_of(host);
    if (directory != nullptr && !directory->network_disk.empty())
      found.add(host.file, directory->path + " is on " + directory->network_disk,
                "move data.directory to a local disk, with the node stopped");
  }
}

void evidence_kept(const Evidence& evidence, Found& found) {
  for (const HostSeen& host : evidence.hosts) {
    const DirectorySeen* directory = directory_of(host);
    if (directory != nullptr && directory->evidence)
      found.add(host.file, directory->path + "/evidence holds the state that differed",
                "cat " + directory->path + "/evidence/*/reason.txt; when it is understood: rm -r " +
                    directory->path + "/evidence");
  }
}

constexpr std::array table{
    Condition{"configuration-wrong", Severity::critical,
              "a configuration file is not accepted: a misspelt option, a wrong value",
              "the node does not start", configuration_wrong},
    Condition{"file-missing", Severity::critical,
              "a configuration names a file that cannot be read",
              "the node does not start, or its API does not", file_missing},
    Condition{"certificate-mismatch", Severity::critical,
              "certificate, key, authority and node id do not belong together",
              "the node does not start, or its peers refuse it", certificate_mismatch},
    Condition{"port-taken", Severity::critical,
              "another program listens where a node that is down should", "the node does not start",
              port_taken},
    Condition{"directory-of-another-node", Severity::critical,
              "the data directory is another node's", "the node does not start", foreign_node},
    Condition{"directory-of-another-cluster", Severity::critical,
              "the data directory is of another cluster", "the node never joins this one",
              foreign_cluster},
    Condition{"directory-damaged", Severity::critical, "the data directory fails its checks",
              "the node does not start: it may have forgotten what it promised", directory_damaged},
    Condition{"directory-locked", Severity::critical,
              "a process holds the data directory and does not serve as this node",
              "the node cannot start; or it hangs", directory_locked},
    Condition{"not-running", Severity::warning, "the node of a configuration file is down",
              "one node less that may fail", not_running},
    Condition{"auth-off", Severity::warning, "the API takes everybody, and listens on a network",
              "everybody who reaches it may read, write and change the cluster", auth_off},
    Condition{"tls-off", Severity::warning, "the API has no TLS, and listens on a network",
              "records and tokens pass the network in clear", tls_off},
    Condition{"open-file-limit", Severity::warning, "fewer files may be open than clients allowed",
              "connections are refused before http.connections_max", open_files},
    Condition{"network-disk", Severity::warning, "the data directory is on a network file system",
              "what a flush promises there is often not true", network_disk},
    Condition{"shared-disk", Severity::warning, "two nodes keep their data on one disk",
              "one failing disk takes both", shared_disk},
    Condition{"evidence-kept", Severity::note, "a node differed from the majority once",
              "disk or memory of the host may be bad; the directory takes space", evidence_kept},
};

}  // namespace

std::span<const Condition> host_conditions() {
  return table;
}

}  // namespace mainstay::tool::doctor
