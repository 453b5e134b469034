// What one file may look like and what may stand in it.
#include <algorithm>
#include <array>
#include <cctype>

#include "tests/tidy/rules.hpp"

namespace mainstay::tidy {

namespace {

constexpr std::size_t file_lines_max = 600;
constexpr std::size_t line_columns_max = 140;

bool is_written_by_hand(const SourceFile& file) {
  for (const std::string_view end :
       {".cpp", ".hpp", ".py", ".sh", ".cmake", ".capnp", ".def", "CMakeLists.txt"})
    if (file.path.ends_with(end)) return true;
  return false;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// `what` stands in `line`, not as a part of a longer name.
bool has(const std::string& line, std::string_view what) {
  for (std::size_t at = line.find(what); at != std::string::npos; at = line.find(what, at + 1)) {
    const bool starts = !is_word(what.front()) || at == 0 || !is_word(line[at - 1]);
    const std::size_t after = at + what.size();
    const bool ends = !is_word(what.back()) || after >= line.size() || !is_word(line[after]);
    if (starts && ends) return true;
  }
  return false;
}

// UTF-8 characters: what an editor shows as columns.
std::size_t columns(const std::string& line) {
  std::size_t count = 0;
  for (const char c : line) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

struct WordRule {
  std::string_view rule;
  std::string_view words;    // separated by '|'
  std::string_view folders;  // separated by ' '; "" for everywhere
  std::string_view except;   // one folder where it is allowed
  bool in_code;              // in C++ outside comments and literals; else anywhere in any file
  std::string_view message;
};

// Written in two parts where the rule would else find itself.
constexpr std::array word_rules{
    WordRule{"sleep", "sleep_for|sleep_until|usleep|nanosleep|sleep(", "tests actors runtime", "",
             true,
             "waits for time to pass: inject the time and advance it, or wait for a condition with "
             "a deadline"},
    WordRule{"infinite", "infinite", "actors runtime/daemon tests/actor", "", true,
             "every wait has a deadline: name one from runtime/base/limits.hpp"},
    // Adapters are plain classes on one thread, without handlers.
    WordRule{"captures", "[=]|[=,|[&]|[&,", "actors", "actors/adapters", true,
             "a handler outlives its scope: name each capture"},
    WordRule{"clock",
             "system_clock::now|steady_clock::now|high_resolution_clock|gettimeofday|clock_gettime|"
             "time(nullptr)",
             "runtime actors", "runtime/sys", true,
             "time comes through sys::Clock (runtime/sys/clock.hpp), so that tests and the "
             "simulator own it"},
    WordRule{"random",
             "random_device|mt19937|mt19937_64|rand()|srand("
             "|getrandom(",
             "runtime actors tests", "runtime/sys", true,
             "chance comes through Random (runtime/base/random.hpp), so that a seed replays it"},
    WordRule{"skipped", "GTEST_SKIP|DISABLED_", "tests", "", true,
             "a listed test or no test: make it run, or remove it"},
    WordRule{"unfinished",
             "TO"
             "DO|FIX"
             "ME|X"
             "XX|HA"
             "CK",
             "", "", false, "finish it now, or write it down where plans are kept"},
    WordRule{"workplace",
             "/wo"
             "rk/|/ro"
             "ot/|/fa"
             "rm/|Clau"
             "de|Anthro"
             "pic|Chat"
             "GPT|Copi"
             "lot|language mo"
             "del",
             "", "", false, "the project says nothing of the place or tools it was made with"},
    WordRule{"foreign page",
             "system"
             ".md|style"
             ".md|goals"
             ".md|notes/consensus"
             ".md|notes/caf"
             ".md|of the "
             "notes|style-anch"
             "ors",
             "", "", false,
             "names a page that is not in this tree: say it here, or point to docs/"},
};

bool applies(const WordRule& rule, const SourceFile& file) {
  if (rule.in_code && !file.is_cpp()) return false;
  if (!rule.except.empty() && in_folder(file.path, rule.except)) return false;
  if (rule.folders.empty()) return true;
  for (std::string_view rest = rule.folders; !rest.empty();) {
    const std::string_view folder = rest.substr(0, rest.find(' '));
    if (in_folder(file.path, folder)) return true;
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
  }
  return false;
}

void check_word(const WordRule& rule, const SourceFile& file, Findings& findings) {
  const auto& lines = rule.in_code ? file.code : file.lines;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::string_view rest = rule.words; !rest.empty();) {
      const std::string_view word = rest.substr(0, rest.find('|'));
      if (has(lines[i], word))
        findings.push_back({file.path, i + 1, std::string{rule.rule},
                            "'" + std::string{word} + "': " + std::string{rule.message}});
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
  }
}

// The text between the first brace at or after `at` and its partner.
std::string block_after(const std::string& code, std::size_t at) {
  const std::size_t open = code.find('{', at);
  std::size_t depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    if (code[i] == '{') ++depth;
    if (code[i] == '}' && --depth == 0) return code.substr(open + 1, i - open - 1);
  }
  return {};
}

}  // namespace

Findings check_shape(const SourceFile& file) {
  Findings findings;
  const auto report = [&](std::size_t line, const std::string& message) {
    findings.push_back({file.path, line, "shape", message});
  };
  if (!is_written_by_hand(file)) return findings;
  if (file.lines.size() > file_lines_max)
    report(0, std::to_string(file.lines.size()) + " lines, at most " +
                  std::to_string(file_lines_max) + ": split it by topic");
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    // A .def file is a table: one row a line, however long its sentences.
    if (columns(file.lines[i]) > line_columns_max && !file.path.ends_with(".def"))
      report(i + 1, "more than " + std::to_string(line_columns_max) + " columns: break the line");
    if (file.lines[i].find('\t') != std::string::npos) report(i + 1, "a tab: use spaces");
  }
  if (!file.text.empty() && file.text.back() != '\n') report(0, "no newline at the end: add one");
  if (file.is_header() && file.text.find("\n#pragma once\n") == std::string::npos)
    report(
        0,
        "a header without '#pragma once' (after the comment that says what the file is): add both");
  return findings;
}

Findings check_words(const SourceFile& file) {
  Findings findings;
  for (const WordRule& rule : word_rules)
    if (applies(rule, file)) check_word(rule, file, findings);
  return findings;
}

Findings check_catches(const SourceFile& file) {
  Findings findings;
  std::string code;
  for (const std::string& line : file.code) code += line + "\n";
  for (std::size_t at = code.find("catch (...)"); at != std::string::npos;
       at = code.find("catch (...)", at + 1)) {
    const std::string block = block_after(code, at);
    bool handled = false;
    for (const std::string_view answer : {"throw", "current_exception", "fail(", "log_error",
                                          "log_warn", "abort", "ADD_FAILURE", "FAIL(", "stop("})
      handled = handled || block.find(answer) != std::string::npos;
    if (!handled)
      findings.push_back(
          {file.path,
           1 + static_cast<std::size_t>(
                   std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n')),
           "catches",
           "swallows every exception: catch a type, or turn it into an Error or a log line"});
  }
  return findings;
}

}  // namespace mainstay::tidy
