// list, history.
#include <algorithm>
#include <ostream>

#include "runtime/base/limits.hpp"
#include "runtime/daemon/tool/commands.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

namespace {

struct ListOptions {
  std::string collection, key, level = "linearizable", prefix, after, index, from, to, value;
  std::uint64_t limit = 100, before = 0;
  bool all = false;
};

std::string list_target(const ListOptions& options, std::uint64_t page) {
  std::string target = collection_target(options.collection) +
                       "/records?limit=" + std::to_string(page) + "&level=" + options.level;
  const std::pair<const char*, const std::string*> parts[] = {{"prefix", &options.prefix},
                                                              {"index", &options.index},
                                                              {"from", &options.from},
                                                              {"to", &options.to},
                                                              {"value", &options.value}};
  for (const auto& [name, text] : parts)
    if (!text->empty()) target += std::string{"&"} + name + "=" + http::percent_encode(*text);
  return target;
}

void print_record(const Run& run, const json::Value& record) {
  if (run.json) {
    run.world.out << json::to_text(record) << "\n";
    return;
  }
  const json::Value* value = record.find("value");
  run.world.out << text_at(record, "key") << "\t" << cell_of(record.find("version")) << "\t"
                << cell_of(record.find("revision")) << "\t"
                << (value == nullptr ? "" : json::to_text(*value)) << "\n";
}

Result<int> list(Run& run, const ListOptions& options) {
  const std::uint64_t wanted = options.all ? std::uint64_t(-1) : options.limit;
  std::uint64_t left = wanted;
  if (!run.json) run.world.out << "KEY\tVERSION\tREVISION\tVALUE\n";
  const std::uint64_t page = std::min<std::uint64_t>(wanted, limits::list_records_max);
  std::string last;
  TRY_ASSIGN(const bool more, each_item(run, list_target(options, page), "records", options.after,
                                        [&](const json::Value& record) {
                                          print_record(run, record);
                                          last = text_at(record, "key");
                                          return --left != 0;
                                        }));
  if (more && !run.json)
    run.world.err << "there are more: "
                  << (options.index.empty() ? "--after '" + last + "'" : "a larger --limit")
                  << ", or --all\n";
  return 0;
}

Result<int> history(Run& run, const ListOptions& options) {
  json::Array versions;
  std::uint64_t before = options.before;
  while (versions.size() < options.limit || options.all) {
    std::string target = record_target(options.collection, options.key) + "/history?limit=" +
                         std::to_string(std::min<std::uint64_t>(options.limit, 1000));
    if (before != 0) target += "&before=" + std::to_string(before);
    TRY_ASSIGN(const json::Value page, run.get(target));
    for (const json::Value& version : items_at(page, "versions")) versions.push_back(version);
    before = number_at(page, "next");
    if (before == 0) break;
  }
  if (!options.all && versions.size() > options.limit) versions.resize(options.limit);
  return print_rows(run, versions,
                    {{"VERSION", "version"},
                     {"REVISION", "revision"},
                     {"TIME", "time"},
                     {"TYPE", "type"},
                     {"VALUE", "value"}});
}

}  // namespace

void add_list_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ListOptions>();
  const auto add_limit = [&options](CLI::App* command) {
    command->add_option("--limit", options->limit, "At most this many.")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t(-1)))
        ->capture_default_str();
    command->add_flag("--all", options->all, "Without a limit.");
  };
  CLI::App* list_command =
      app.add_subcommand("list", "List records in key order, or through an index");
  list_command->add_option("collection", options->collection, "The collection")->required();
  list_command->add_option("--prefix", options->prefix, "Only keys that start with this.");
  list_command->add_option("--after", options->after, "Only keys greater than this.");
  list_command->add_option("--index", options->index, "Through this declared index.");
  list_command->add_option("--from", options->from, "With --index: from this value on.");
  list_command->add_option("--to", options->to, "With --index: up to this value, inclusive.");
  list_command->add_option("--value", options->value, "With --index: exactly this value.");
  add_limit(list_command);
  list_command
      ->add_option("--level", options->level, "linearizable, or local: what one node has applied.")
      ->check(CLI::IsMember({"linearizable", "local"}))
      ->capture_default_str();
  on(run, list_command, [&run, options] { return list(run, *options); });

  CLI::App* history_command =
      app.add_subcommand("history", "Earlier versions of a record, newest first");
  history_command->add_option("collection", options->collection, "The collection")->required();
  history_command->add_option("key", options->key, "The record's key")->required();
  history_command->add_option("--before", options->before, "Only revisions below this.");
  add_limit(history_command);
  on(run, history_command, [&run, options] { return history(run, *options); });
}

}  // namespace mainstay::tool
