// export: a collection as NDJSON or CSV, page by page; goes on after the last whole line of a file.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/csv.hpp"
#include "runtime/daemon/tool/print.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

namespace {

namespace fs = std::filesystem;

struct Options {
  std::string collection, file, format, prefix;
  std::vector<std::string> columns;
  bool resume = false, replace = false;
  bool csv = false, ledger = false;  // found out
};

// What a file that is resumed holds: whole lines only.
struct Held {
  std::string last_key;
  std::uint64_t records = 0;
};

std::string key_member(const Options& options) {
  return options.ledger ? "id" : "key";
}

// Cuts a half line off, finds the last key and, of CSV, the columns.
Result<Held> read_held(Options& options) {
  Held held;
  std::ifstream file{options.file, std::ios::binary};
  std::uint64_t whole = 0, bytes = 0, lines = 0;
  while (file) {
    std::string last;
    if (options.csv) {
      TRY_ASSIGN(const auto row, read_csv_row(file, bytes, lines));
      if (!row || file.eof()) break;
      if (lines == 1)
        options.columns.assign(row->begin() + (row->empty() ? 0 : 1), row->end());
      else
        last = row->front();
      if (lines == 1) ++held.records;  // of the header, taken off below
    } else {
      std::string line;
      if (!std::getline(file, line) || file.eof()) break;
      bytes += line.size() + 1;
      auto record = json::parse(line);
      if (!record) return fail(Errc::invalid_argument, options.file + " is no file of an export");
      last = text_at(*record, key_member(options));
    }
    whole = bytes;
    if (!last.empty()) held.last_key = last, ++held.records;
  }
  if (options.csv && held.records != 0) --held.records;
  file.close();
  std::error_code error;
  if (fs::exists(options.file, error)) fs::resize_file(options.file, whole, error);
  if (error) return fail(Errc::io_error, options.file + ": " + error.message());
  return held;
}

class Export {
 public:
  Export(Run& run, Options options, std::ostream& out)
      : run_{run},
        options_{std::move(options)},
        out_{out},
        progress_{run.world.err, run.world.err_terminal && !options_.file.empty(), "records",
                  goal_} {}

  Result<std::uint64_t> all(const Held& held) {
    std::string target = collection_target(options_.collection) +
                         (options_.ledger ? "/entries" : "/records") + "?limit=1000";
    if (!options_.prefix.empty()) target += "&prefix=" + http::percent_encode(options_.prefix);
    count_ = held.records;
    bool good = true;
    TRY(each_item(run_, target, options_.ledger ? "entries" : "records", held.last_key,
                  [&](const json::Value& record) {
                    write(record);
                    good = out_.good();
                    if (!options_.file.empty())
                      progress_.show(0, count_, run_.world.clock.monotonic());
                    return good;
                  }));
    out_.flush();
    if (!good || !out_.good())
      return fail(Errc::io_error, "writing failed; --resume goes on where it was");
    progress_.finish(count_);
    return count_;
  }

 private:
  void write(const json::Value& record) {
    ++count_;
    if (!options_.csv) {
      out_ << json::to_text(record) << "\n";
      return;
    }
    const json::Value* value = record.find(options_.ledger ? "entry" : "value");
    if (options_.columns.empty()) set_columns(value);
    if (!header_written_ && count_ == 1) {
      CsvRow header{key_member(options_)};
      header.insert(header.end(), options_.columns.begin(), options_.columns.end());
      out_ << csv_line(header);
      header_written_ = true;
    }
    CsvRow row{text_at(record, key_member(options_))};
    for (const std::string& column : options_.columns) row.push_back(field_of(value, column));
    out_ << csv_line(row);
  }

  // Without --columns: the members of the first record.
  void set_columns(const json::Value* value) {
    if (value == nullptr || !value->is(json::Type::object)) {
      options_.columns = {"value"};
      return;
    }
    for (const auto& [name, member] : value->members()) options_.columns.push_back(name);
  }

  static std::string field_of(const json::Value* value, const std::string& column) {
    if (value == nullptr) return {};
    const bool object = value->is(json::Type::object);
    const json::Value* member = object ? value->find(column) : column == "value" ? value : nullptr;
    if (member == nullptr || member->is(json::Type::null)) return {};
    return member->is(json::Type::string) ? member->text() : json::to_text(*member);
  }

  static constexpr std::uint64_t goal_ = 0;
  Run& run_;
  Options options_;
  std::ostream& out_;
  Progress progress_;
  std::uint64_t count_ = 0;
  bool header_written_ = false;
};

Result<int> export_file(Run& run, Options options) {
  options.csv =
      options.format == "csv" || (options.format.empty() && options.file.ends_with(".csv"));
  TRY_ASSIGN(const json::Value collection, run.get(collection_target(options.collection)));
  if (const json::Value* declaration = collection.find("declaration"))
    options.ledger = text_at(*declaration, "kind") == "ledger";
  if (options.file.empty()) {
    TRY(Export(run, options, run.world.out).all({}));
    return 0;
  }
  std::error_code error;
  const bool there = fs::exists(options.file, error) && fs::file_size(options.file, error) != 0;
  if (there && !options.resume && !options.replace)
    return fail(Errc::already_exists, options.file +
                                          " exists: --resume goes on behind its last "
                                          "record, --replace begins again");
  if (run.plan)
    return tell_plan(run, std::string{there && options.replace ? "replace " : "write "} +
                              options.file + ": " + cell_of(collection.find("records")) +
                              " records");
  Held held;
  if (there && options.resume) {
    TRY_ASSIGN(held, read_held(options));
  }
  std::ofstream file{options.file, options.resume && there ? std::ios::binary | std::ios::app
                                                           : std::ios::binary | std::ios::trunc};
  if (!file) return fail(Errc::io_error, options.file + " cannot be written");
  TRY_ASSIGN(const std::uint64_t count, Export(run, options, file).all(held));
  return print(run, json::Value::object({{"file", text(options.file)}, {"records", number(count)}}),
               "exported " + std::to_string(count) + " records to " + options.file);
}

}  // namespace

void add_export_command(CLI::App& app, Run& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("export", "Write a collection to a file, or to standard output");
  command->add_option("collection", options->collection, "The collection")->required();
  command->add_option("file", options->file, "Without it: standard output");
  command->add_option("--format", options->format, "Without it by the file's name, else ndjson.")
      ->check(CLI::IsMember({"ndjson", "csv"}));
  command->add_option("--prefix", options->prefix, "Only keys that start with this.");
  command
      ->add_option("--columns", options->columns,
                   "CSV: these members, separated by commas; without it those of the first "
                   "record.")
      ->delimiter(',');
  command->add_flag("--resume", options->resume, "Go on behind the last whole record of the file.");
  command->add_flag("--replace", options->replace, "Write over the file.");
  add_plan(run, command);
  on(run, command, [&run, options] { return export_file(run, *options); });
}

}  // namespace mainstay::tool
