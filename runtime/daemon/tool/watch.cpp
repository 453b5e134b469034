// watch: the change feed, by long polling: a page that is lost with its node is asked for again at
// the next one, from the same revision, so that nothing is missed or shown twice.
#include <ostream>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

namespace {

constexpr Millis poll_wait{20'000};

struct WatchOptions {
  std::vector<std::string> collections;
  std::string after = "now";
  std::uint64_t count = 0;
  bool end = false;
};

void print_change(const Run& run, const json::Value& change) {
  if (run.json) {
    run.world.out << json::to_text(change) << "\n";
    return;
  }
  const json::Value* value = change.find("value");
  run.world.out << cell_of(change.find("revision")) << "\t" << text_at(change, "time") << "\t"
                << text_at(change, "type") << "\t" << text_at(change, "collection") << "/"
                << text_at(change, "key") << "\t" << (value == nullptr ? "" : json::to_text(*value))
                << "\n";
}

// Says where to go on when the revision is no longer held.
Failure handed_over(const Error& error, const WatchOptions& options) {
  return fail(error.code, error.message +
                              "; read the records (mainstay list COLLECTION --all), then watch "
                              "with --after of the revision named there" +
                              (options.after.empty() ? "" : " instead of " + options.after));
}

Result<int> watch(Run& run, WatchOptions options) {
  std::string filter;
  for (const std::string& collection : options.collections)
    filter += (filter.empty() ? "&collection=" : ",") + http::percent_encode(collection);
  for (std::uint64_t shown = 0;;) {
    // "now" becomes a revision at once, so that a lost answer cannot move it.
    const bool at_once = options.end || options.after == "now";
    const Millis wait = at_once ? Millis{0} : poll_wait;
    http::Call call{http::Method::get, "/v1/changes?after=" + http::percent_encode(options.after) +
                                           "&wait=" + std::to_string(wait.count()) + filter};
    call.headers.emplace_back("Accept", "application/json");
    auto reply = run.ask(call, Repeat::always, poll_wait + Millis{1000});
    if (!reply && reply.error().code == Errc::compacted) return handed_over(reply.error(), options);
    if (!reply) return Failure{reply.error()};
    TRY_ASSIGN(const json::Value page, object_of(*reply));
    const json::Array& changes = items_at(page, "changes");
    for (const json::Value& change : changes) {
      print_change(run, change);
      if (++shown == options.count) return 0;
    }
    run.world.out << std::flush;
    options.after = cell_of(page.find("next"));
    if (options.end && changes.empty()) return 0;
  }
}

}  // namespace

void add_watch_command(CLI::App& app, Run& run) {
  const auto options = std::make_shared<WatchOptions>();
  CLI::App* command = app.add_subcommand(
      "watch", "Show changes as they are committed, each once, in order, until Ctrl-C");
  command->add_option("collections", options->collections,
                      "Only these; without any, all that the token may read");
  command
      ->add_option("--after", options->after,
                   "From behind this revision on; 0: everything still held; now: only what is new.")
      ->capture_default_str();
  command->add_option("--count", options->count, "End after so many changes.");
  command->add_flag("--end", options->end, "End when everything committed so far was shown.");
  on(run, command, [&run, options]() -> Result<int> {
    // Each poll has its own deadline, longer than the server waits.
    run.deadline_text = "60s";
    return watch(run, *options);
  });
}

}  // namespace mainstay::tool
