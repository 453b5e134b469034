// import: NDJSON or CSV into a collection, in batches. Each line has an operation id made of the
// file's name, the line and its place, and the place up to which everything is written is kept
// beside the file: so it goes on where it was, and a repetition doubles nothing.
#include <ostream>

#include "runtime/base/limits.hpp"
#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/import_source.hpp"
#include "runtime/daemon/tool/print.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::tool {

namespace {

// Leaves room in a request for its frame.
constexpr std::size_t batch_bytes_max = limits::http_body_bytes_max / 2;
constexpr int attempts_max = 8;
constexpr Millis attempt_pause{100};

struct Options {
  ImportOptions source;
  std::string format;
  std::uint64_t batch = 250;
  bool restart = false, keep_going = false;
};

struct Tally {
  std::uint64_t written = 0, unchanged = 0, refused = 0;
};

class Import {
 public:
  Import(Run& run, const Options& options, ImportSource source)
      : run_{run},
        options_{options},
        source_{std::move(source)},
        progress_{run.world.err, run.world.err_terminal, "records", source_.file_bytes()} {}

  Result<int> all() {
    while (true) {
      TRY_ASSIGN(const auto item, source_.next());
      if (item) add(*item);
      const bool full = writes_.size() >= options_.batch || bytes_ >= batch_bytes_max;
      if (!writes_.empty() && (full || !item)) {
        TRY(send());
      }
      if (!item) break;
    }
    progress_.finish(tally_.written);
    print(run_,
          json::Value::object({{"written", number(tally_.written)},
                               {"unchanged", number(tally_.unchanged)},
                               {"refused", number(tally_.refused)}}),
          "imported " + std::to_string(tally_.written) + " into " + options_.source.collection +
              ", " + std::to_string(tally_.unchanged) + " were there already, " +
              std::to_string(tally_.refused) + " refused");
    return tally_.refused == 0 ? 0 : exit_code_of(Errc::conflict);
  }

 private:
  void add(const ImportItem& item) {
    bytes_ += json::to_text(item.write).size();
    items_.push_back({item.line, item.key, {}});
    writes_.push_back(item.write);
  }

  // Some writes of a batch may be busy or unknown while others are done: the whole is sent again,
  // under the same operation ids.
  static bool undecided(const json::Value& result) {
    for (const json::Value& outcome : items_at(result, "outcomes")) {
      const std::uint64_t status = number_at(outcome, "status");
      if (status == 429 || status == 503 || status == 504) return true;
    }
    return false;
  }

  Result<json::Value> deliver() {
    http::Call call{http::Method::post, "/v1/batch"};
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = Bytes{json::to_text(
        json::Value::object({{"operations", json::Value::array(std::exchange(writes_, {}))}}))};
    for (int attempt = 1;; ++attempt) {
      TRY_ASSIGN(const http::Reply reply, run_.ask(call));
      TRY_ASSIGN(json::Value result, object_of(reply));
      if (attempt == attempts_max || !undecided(result)) return result;
      run_.world.pause(attempt_pause * attempt);
    }
  }

  // Sends the batch, judges its outcomes, notes the place behind it.
  Result<void> send() {
    TRY_ASSIGN(const json::Value result, deliver());
    const json::Array& outcomes = items_at(result, "outcomes");
    if (outcomes.size() != items_.size())
      return fail(Errc::internal, "the node answered " + std::to_string(outcomes.size()) +
                                      " outcomes for " + std::to_string(items_.size()));
    for (std::size_t i = 0; i < outcomes.size(); ++i) TRY(judge(items_[i], outcomes[i]));
    items_.clear();
    bytes_ = 0;
    TRY(sys::write_file_durably(options_.source.file + ".import-position",
                                to_text(source_.position(), options_.source.collection)));
    progress_.show(source_.position().bytes, tally_.written, run_.world.clock.monotonic());
    return {};
  }

  Result<void> judge(const ImportItem& item, const json::Value& outcome) {
    if (number_at(outcome, "status") < 400) {
      ++(flag_at(outcome, "changed", true) ? tally_.written : tally_.unchanged);
      return {};
    }
    const json::Value* problem = outcome.find("problem");
    const std::string type = problem == nullptr ? "" : text_at(*problem, "type");
    const Errc code =
        errc_of(std::string_view{type}.substr(type.rfind('/') + 1)).value_or(Errc::internal);
    const std::string what = "line " + std::to_string(item.line) + " (" + item.key +
                             "): " + (problem == nullptr ? "" : text_at(*problem, "detail"));
    if (!options_.keep_going)
      return fail(code, what +
                            "; what is before it is written; mend the line and repeat, or "
                            "--keep-going leaves such lines out");
    ++tally_.refused;
    run_.world.err << what << " (" << to_string(code) << ")\n";
    return {};
  }

  Run& run_;
  const Options& options_;
  ImportSource source_;
  Progress progress_;
  std::vector<ImportItem> items_;  // of the batch, without their writes
  json::Array writes_;
  std::size_t bytes_ = 0;
  Tally tally_;
};

Result<ImportPosition> where_to_begin(const Options& options) {
  if (options.restart) return ImportPosition{};
  auto kept = sys::read_file(options.source.file + ".import-position", 4096);
  if (!kept && kept.error().code == Errc::not_found) return ImportPosition{};
  if (!kept) return Failure{kept.error()};
  return parse_position(*kept, options.source.collection);
}

Result<int> import_file(Run& run, Options options) {
  const bool csv =
      options.format == "csv" || (options.format.empty() && options.source.file.ends_with(".csv"));
  options.source.format = csv ? ImportFormat::csv : ImportFormat::ndjson;
  TRY_ASSIGN(const json::Value collection, run.get(collection_target(options.source.collection)));
  if (const json::Value* declaration = collection.find("declaration"))
    options.source.ledger = text_at(*declaration, "kind") == "ledger";
  TRY_ASSIGN(const ImportPosition from, where_to_begin(options));
  TRY_ASSIGN(ImportSource source, ImportSource::open(options.source, from));
  if (from.items != 0 && !run.json)
    run.world.err << "going on behind line " << from.lines << ", where " << from.items
                  << " records were imported before\n";
  if (!run.plan) return Import{run, options, std::move(source)}.all();
  std::uint64_t count = 0;
  while (true) {
    TRY_ASSIGN(const auto item, source.next());
    if (!item) break;
    ++count;
  }
  return tell_plan(run,
                   "write " + std::to_string(count) + " records into " + options.source.collection);
}

}  // namespace

void add_import_command(CLI::App& app, Run& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "import", "Write the records or ledger entries of a file; goes on where it was");
  command->add_option("collection", options->source.collection, "The collection")->required();
  command->add_option("file", options->source.file, "NDJSON, or CSV with a header")->required();
  command->add_option("--format", options->format, "Without it by the file's name.")
      ->check(CLI::IsMember({"ndjson", "csv"}));
  command
      ->add_option("--key", options->source.key,
                   "The member or column with the key; of ledgers id.")
      ->capture_default_str();
  command
      ->add_option("--as-json", options->source.json_columns,
                   "CSV: columns that hold JSON (numbers, true), not text; separated by commas.")
      ->delimiter(',');
  command->add_option("--batch", options->batch, "Records in one request.")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--restart", options->restart, "From the beginning of the file.");
  command->add_flag("--keep-going", options->keep_going,
                    "Tell of refused lines and go on; exit code 4 at the end.");
  add_plan(run, command);
  on(run, command, [&run, options] { return import_file(run, *options); });
}

}  // namespace mainstay::tool
