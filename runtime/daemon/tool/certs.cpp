// certs: the authority of a cluster and the certificates of its nodes. Needs no cluster.
#include <ctime>
#include <ostream>

#include <boost/json.hpp>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/tls/certificates.hpp"

namespace mainstay::tool {

namespace json = boost::json;

namespace {

struct CertsOptions {
  std::string directory = "certs", cluster = "mainstay", file;
  std::uint64_t node = 0;
  std::vector<std::string> hosts;
  int days = tls::node_days;
};
using OptionsPtr = std::shared_ptr<CertsOptions>;

Result<int> print_files(const Run& run, const std::vector<std::filesystem::path>& files) {
  if (run.json) {
    json::array names;
    for (const auto& file : files) names.emplace_back(file.string());
    run.world.out << json::serialize(json::object{{"files", names}}) << "\n";
    return 0;
  }
  for (const auto& file : files) run.world.out << "wrote " << file.string() << "\n";
  return 0;
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

std::string date_of(WallTime time) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Result<int> show(const Run& run, const CertsOptions& options) {
  TRY_ASSIGN(const tls::CertificateInfo info, tls::read_certificate(options.file));
  if (run.json) {
    run.world.out << json::serialize(json::object{{"cluster", info.identity.cluster},
                                                  {"node", info.identity.node.value},
                                                  {"not_before", date_of(info.not_before)},
                                                  {"not_after", date_of(info.not_after)}})
                  << "\n";
    return 0;
  }
  run.world.out << "cluster " << info.identity.cluster << ", ";
  if (info.identity.node)
    run.world.out << "node " << info.identity.node.value;
  else
    run.world.out << "authority";
  run.world.out << ", valid " << date_of(info.not_before) << " to " << date_of(info.not_after)
                << "\n";
  return 0;
}

}  // namespace

void add_certs_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<CertsOptions>();
  const auto on = [&run](CLI::App* chosen, std::function<Result<int>()> action) {
    chosen->callback([&run, action = std::move(action)] { run.action = action; });
  };
  CLI::App* certs =
      app.add_subcommand("certs", "Make and show certificates for links between nodes");
  certs->require_subcommand(1);
  certs->fallthrough();
  const auto add_place = [&options](CLI::App* command) {
    command->add_option("--directory", options->directory, "Where the files are kept.")
        ->capture_default_str();
    command->add_option("--cluster", options->cluster, "cluster.name of the nodes.")
        ->capture_default_str();
  };

  CLI::App* init = certs->add_subcommand(
      "init-ca", "Make the authority: ca.pem for every node, ca.key to be kept away from them");
  add_place(init);
  on(init, [&run, options] { return init_authority(run, *options); });

  CLI::App* node = certs->add_subcommand("node", "Make the certificate and key of a node");
  node->add_option("node", options->node, "The node's id")
      ->required()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{65535}));
  add_place(node);
  node->add_option("--host", options->hosts,
                   "A name or address of the node's host; may be repeated.")
      ->allow_extra_args(false);
  node->add_option("--days", options->days, "How long it is valid.")
      ->check(CLI::Range(1, tls::authority_days))
      ->capture_default_str();
  on(node, [&run, options] { return make_node(run, *options); });

  CLI::App* show_command = certs->add_subcommand("show", "Tell whose a certificate is");
  show_command->add_option("file", options->file, "A .pem file")->required();
  on(show_command, [&run, options] { return show(run, *options); });
}

}  // namespace mainstay::tool
