// certs: the authority of a cluster, the certificates of its nodes and of its API. Needs no
// cluster; a running node reads replaced files by itself.
#include <filesystem>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/print.hpp"
#include "runtime/tls/certificates.hpp"

namespace mainstay::tool {

namespace {

namespace fs = std::filesystem;

struct CertsOptions {
  std::string directory = "certs", cluster = "mainstay", file, name;
  std::uint64_t node = 0;
  std::vector<std::string> hosts;
  int days = tls::node_days;
  bool renew = false;
};
using OptionsPtr = std::shared_ptr<CertsOptions>;

int print_files(const Run& run, const std::vector<fs::path>& files) {
  json::Array names;
  std::string lines;
  for (const fs::path& file : files) {
    names.push_back(text(file.string()));
    lines += (lines.empty() ? "" : "\n") + ("wrote " + file.string());
  }
  return print(run, json::Value::object({{"files", json::Value::array(std::move(names))}}), lines);
}

Result<int> init_authority(const Run& run, const CertsOptions& options) {
  TRY(tls::make_authority(options.directory, options.cluster, run.world.clock.wall()));
  const auto certificate = tls::authority_file(options.directory);
  auto key = certificate;
  return print_files(run, {certificate, key.replace_extension(".key")});
}

Result<int> make_node(const Run& run, const CertsOptions& options) {
  const tls::Identity identity{options.cluster, NodeId{options.node}};
  TRY(tls::make_node_certificate(options.directory, identity, options.hosts, run.world.clock.wall(),
                                 options.days));
  return print_files(run, {tls::node_certificate_file(options.directory, identity.node),
                           tls::node_key_file(options.directory, identity.node)});
}

// The identity and, unless others are given, the hosts of the certificate that is there.
Result<int> rotate(const Run& run, const CertsOptions& options) {
  const fs::path file = tls::node_certificate_file(options.directory, NodeId{options.node});
  TRY_ASSIGN(const tls::CertificateInfo old, tls::read_certificate(file));
  if (run.plan)
    return tell_plan(run, "replace " + file.string() + ", valid until " + time_text(old.not_after) +
                              ", and its key by a new pair valid for " +
                              std::to_string(options.days) + " days");
  TRY(tls::make_node_certificate(options.directory, old.identity,
                                 options.hosts.empty() ? old.hosts : options.hosts,
                                 run.world.clock.wall(), options.days, tls::Existing::replace));
  return print_files(run, {file, tls::node_key_file(options.directory, old.identity.node)});
}

Result<int> make_api(const Run& run, const CertsOptions& options) {
  const fs::path file = fs::path{options.directory} / (options.name + ".pem");
  std::vector<std::string> hosts = options.hosts;
  if (options.renew) {
    TRY_ASSIGN(const tls::CertificateInfo old, tls::read_any_certificate(file));
    if (hosts.empty()) hosts = old.hosts;
    if (run.plan)
      return tell_plan(run, "replace " + file.string() + ", valid until " +
                                time_text(old.not_after) + ", and its key by a new pair");
  }
  if (run.plan) return tell_plan(run, "make " + file.string() + " and its key");
  TRY(tls::make_api_certificate(options.directory, options.name, hosts, run.world.clock.wall(),
                                options.days,
                                options.renew ? tls::Existing::replace : tls::Existing::refuse));
  auto key = file;
  return print_files(run, {file, key.replace_extension(".key")});
}

Result<int> show(const Run& run, const CertsOptions& options) {
  TRY_ASSIGN(const tls::CertificateInfo info, tls::read_any_certificate(options.file));
  json::Array hosts;
  std::string host_list;
  for (const std::string& host : info.hosts) {
    hosts.push_back(text(host));
    host_list += (host_list.empty() ? ", hosts " : " ") + host;
  }
  const bool node = bool{info.identity.node};
  const std::string whose =
      node ? "cluster " + info.identity.cluster + ", node " + to_string(info.identity.node)
      : !info.identity.cluster.empty() ? "cluster " + info.identity.cluster + ", authority"
                                       : "no node";
  return print(run,
               json::Value::object({{"cluster", text(info.identity.cluster)},
                                    {"node", number(info.identity.node.value)},
                                    {"hosts", json::Value::array(std::move(hosts))},
                                    {"not_before", text(time_text(info.not_before))},
                                    {"not_after", text(time_text(info.not_after))}}),
               whose + ", valid " + time_text(info.not_before) + " to " +
                   time_text(info.not_after) + host_list);
}

void add_place(CLI::App* command, const OptionsPtr& options) {
  command->add_option("--directory", options->directory, "Where the files are kept.")
      ->capture_default_str();
}

void add_cluster(CLI::App* command, const OptionsPtr& options) {
  command->add_option("--cluster", options->cluster, "cluster.name of the nodes.")
      ->capture_default_str();
}

void add_node(CLI::App* command, const OptionsPtr& options) {
  command->add_option("node", options->node, "The node's id")
      ->required()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{65535}));
}

void add_validity(CLI::App* command, const OptionsPtr& options, const char* hosts) {
  command->add_option("--host", options->hosts, hosts)->allow_extra_args(false);
  command->add_option("--days", options->days, "How long it is valid.")
      ->check(CLI::Range(1, tls::authority_days))
      ->capture_default_str();
}

}  // namespace

void add_certs_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<CertsOptions>();
  CLI::App* certs = app.add_subcommand("certs", "Make, rotate and show certificates");
  certs->require_subcommand(1);
  certs->fallthrough();

  CLI::App* init = certs->add_subcommand(
      "init-ca", "Make the authority: ca.pem for every node, ca.key to be kept away from them");
  add_place(init, options);
  add_cluster(init, options);
  on(run, init, [&run, options] { return init_authority(run, *options); });

  CLI::App* node = certs->add_subcommand("node", "Make the certificate and key of a node");
  add_node(node, options);
  add_place(node, options);
  add_cluster(node, options);
  add_validity(node, options, "A name or address of the node's host; may be repeated.");
  on(run, node, [&run, options] { return make_node(run, *options); });

  CLI::App* rotate_command = certs->add_subcommand(
      "rotate", "Replace a node's certificate and key; the running node takes them by itself");
  add_node(rotate_command, options);
  add_place(rotate_command, options);
  add_validity(rotate_command, options,
               "A name or address of the node's host; without it those of the old certificate.");
  add_plan(run, rotate_command);
  on(run, rotate_command, [&run, options] { return rotate(run, *options); });

  CLI::App* api = certs->add_subcommand(
      "api", "Make the certificate and key of an HTTP API: NAME.pem, NAME.key");
  api->add_option("name", options->name, "Name of the files")->required();
  add_place(api, options);
  add_validity(api, options, "A name or address that clients use; may be repeated.");
  api->add_flag("--renew", options->renew,
                "Replace those that are there; running nodes take them by themselves.");
  add_plan(run, api);
  on(run, api, [&run, options] { return make_api(run, *options); });

  CLI::App* show_command =
      certs->add_subcommand("show", "Tell whose a certificate is, and until when");
  show_command->add_option("file", options->file, "A .pem file")->required();
  on(run, show_command, [&run, options] { return show(run, *options); });
}

}  // namespace mainstay::tool
