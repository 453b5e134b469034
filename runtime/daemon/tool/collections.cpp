// collection declare, show, list, delete.
#include <ostream>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/print.hpp"

namespace mainstay::tool {

namespace {

struct CollectionOptions {
  std::string name, value, file, operation;
};
using OptionsPtr = std::shared_ptr<CollectionOptions>;

Result<int> declare(Run& run, const CollectionOptions& options) {
  std::string declaration = "{}";
  if (!options.value.empty() || !options.file.empty()) {
    TRY_ASSIGN(declaration, value_of(run, options.value, options.file));
  }
  if (run.plan) {
    auto present = run.get(collection_target(options.name));
    if (!present && present.error().code != Errc::not_found) return Failure{present.error()};
    const json::Value* now = present ? present->find("declaration") : nullptr;
    return tell_plan(run, (present ? "change the declaration of " : "declare ") + options.name +
                              (now == nullptr ? "" : ", which is now " + json::to_text(*now)));
  }
  TRY_ASSIGN(const http::Reply reply,
             send_write(run, {http::Method::put, collection_target(options.name),
                              std::move(declaration), "application/json", options.operation}));
  TRY_ASSIGN(const json::Value result, object_of(reply));
  const bool unchanged = number_at(result, "revision") == 0;
  return print(run, result,
               "declared " + options.name + ": version " + cell_of(result.find("version")) +
                   (unchanged ? ", as it was" : ""));
}

Result<int> show(Run& run, const CollectionOptions& options) {
  TRY_ASSIGN(const json::Value found, run.get(collection_target(options.name)));
  const json::Value* declaration = found.find("declaration");
  std::string indexes;
  for (const json::Value& index : items_at(found, "indexes"))
    indexes += (indexes.empty() ? "" : ", ") + text_at(index, "name") +
               (flag_at(index, "ready") ? "" : " (being built)");
  std::vector<Row> rows{
      {"collection", options.name},
      {"version", cell_of(found.find("version"))},
      {"records", cell_of(found.find("records"))},
      {"tombstones", cell_of(found.find("tombstones"))},
      {"size", size_text(number_at(found, "bytes"))},
      {"indexes", indexes.empty() ? "none" : indexes},
      {"declaration", declaration == nullptr ? "-" : json::to_text(*declaration)}};
  std::string text = table_text(rows);
  text.pop_back();
  return print(run, found, text);
}

Result<int> list(Run& run) {
  json::Array rows;
  TRY(each_item(run, "/v1/collections?limit=1000", "collections", "",
                [&](const json::Value& collection) {
                  json::Value row = collection;
                  const json::Value* declaration = collection.find("declaration");
                  std::string kind = declaration == nullptr ? "" : text_at(*declaration, "kind");
                  if (kind.empty()) kind = "document";
                  if (!run.json) row.set("kind", text(kind));
                  rows.push_back(std::move(row));
                  return true;
                }));
  return print_rows(run, rows,
                    {{"COLLECTION", "name"},
                     {"KIND", "kind"},
                     {"VERSION", "version"},
                     {"RECORDS", "records"},
                     {"BYTES", "bytes"}});
}

Result<int> remove(Run& run, const CollectionOptions& options) {
  if (run.plan) {
    TRY_ASSIGN(const json::Value found, run.get(collection_target(options.name)));
    const std::uint64_t records = number_at(found, "records");
    if (records != 0)
      return fail(Errc::conflict, "collection '" + options.name + "' holds " +
                                      std::to_string(records) + " records; delete them first");
    return tell_plan(run, "delete collection " + options.name + ", which is empty");
  }
  TRY_ASSIGN(const http::Reply reply,
             send_write(run, {http::Method::remove, collection_target(options.name), "", "",
                              options.operation}));
  TRY_ASSIGN(const json::Value result, object_of(reply));
  return print(run, result, "deleted collection " + options.name);
}

CLI::App* named(CLI::App& parent, const char* name, const char* text, const OptionsPtr& options) {
  CLI::App* command = parent.add_subcommand(name, text);
  command->add_option("collection", options->name, "Its name")->required();
  return command;
}

void add_operation(CLI::App* command, const OptionsPtr& options) {
  command->add_option("--operation", options->operation,
                      "Operation id: repeating a command with it never does it twice.");
}

}  // namespace

void add_collection_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<CollectionOptions>();
  CLI::App* collection =
      app.add_subcommand("collection", "Declare, show, list and delete collections");
  collection->require_subcommand(1);
  collection->fallthrough();

  CLI::App* declare_command =
      named(*collection, "declare", "Declare a collection, or change its declaration", options);
  declare_command->add_option("declaration", options->value,
                              "JSON text; - reads standard input; without it plain documents");
  declare_command->add_option("--file", options->file, "Read the declaration from a file");
  add_operation(declare_command, options);
  add_plan(run, declare_command);
  on(run, declare_command, [&run, options] { return declare(run, *options); });

  CLI::App* show_command =
      named(*collection, "show", "Show a collection's declaration and size", options);
  on(run, show_command, [&run, options] { return show(run, *options); });

  on(run, collection->add_subcommand("list", "List the collections"), [&run] { return list(run); });

  CLI::App* delete_command =
      named(*collection, "delete", "Delete a collection without records", options);
  add_operation(delete_command, options);
  add_plan(run, delete_command);
  on(run, delete_command, [&run, options] { return remove(run, *options); });
}

}  // namespace mainstay::tool
