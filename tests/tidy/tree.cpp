// Rules about the tree as a whole: what lies where, and what belongs together.
#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>

#include "tests/tidy/rules.hpp"

namespace mainstay::tidy {

namespace fs = std::filesystem;

namespace {

const SourceFile* find(const Tree& tree, std::string_view path) {
  const auto at = std::lower_bound(
      tree.begin(), tree.end(), path,
      [](const SourceFile& file, std::string_view wanted) { return file.path < wanted; });
  return at != tree.end() && at->path == path ? &*at : nullptr;
}

bool any_in(const Tree& tree, const std::string& folder, std::string_view ending) {
  return std::any_of(tree.begin(), tree.end(), [&](const SourceFile& file) {
    return in_folder(file.path, folder) && file.path.ends_with(ending);
  });
}

Table table_of(const Tree& tree, std::string_view path) {
  const SourceFile* file = find(tree, path);
  return file == nullptr ? Table{} : parse_table(file->text);
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string{text.substr(first, text.find_last_not_of(" \t\r") - first + 1)};
}

// "runtime/store/log_store.cpp" -> "tests/unit/store/log_store_test.cpp"
std::string unit_test_of(const std::string& source) {
  const std::string inner = source.substr(std::string_view{"runtime/"}.size());
  return "tests/unit/" + inner.substr(0, inner.size() - 4) + "_test.cpp";
}

// The targets of [text](target) that are paths, without #anchors.
std::vector<std::string> links_of(const std::string& line) {
  std::vector<std::string> targets;
  for (std::size_t at = line.find("]("); at != std::string::npos; at = line.find("](", at + 1)) {
    const std::size_t end = line.find_first_of(")#", at + 2);
    if (end == std::string::npos) break;
    const std::string target = line.substr(at + 2, end - at - 2);
    if (!target.empty() && target.find(':') == std::string::npos) targets.push_back(target);
  }
  return targets;
}

// "TEST_F(Suite, Test) {" -> "Suite.Test"
void add_test_of(const std::string& line, std::set<std::string>& tests) {
  const std::size_t open = line.find('(');
  const std::size_t comma = line.find(", ", open);
  const std::size_t close = line.find(')', comma);
  if (line.rfind("TEST", 0) != 0 || close == std::string::npos) return;
  tests.insert(line.substr(open + 1, comma - open - 1) + "." +
               line.substr(comma + 2, close - comma - 2));
}

// "class Suite(...):" and below it "    def test_name(self):" -> "Suite.test_name"
void add_python_test_of(const std::string& line, std::string& suite, std::set<std::string>& tests) {
  const std::size_t open = line.find('(');
  if (open == std::string::npos) return;
  if (line.rfind("class ", 0) == 0) suite = line.substr(6, open - 6);
  if (line.rfind("    def test_", 0) == 0) tests.insert(suite + "." + line.substr(8, open - 8));
}

void add_tests_of(const SourceFile& file, std::set<std::string>& tests) {
  for (const std::string& line : file.code) add_test_of(line, tests);
  std::string suite;
  if (file.path.ends_with(".py"))
    for (const std::string& line : file.lines) add_python_test_of(line, suite, tests);
}

// Words in backquotes of the form Suite.Test; file names and the like begin with a small letter.
std::vector<std::string> tests_named_in(const std::string& line) {
  std::vector<std::string> names;
  for (std::size_t at = line.find('`'); at != std::string::npos; at = line.find('`', at)) {
    const std::size_t end = line.find('`', at + 1);
    if (end == std::string::npos) break;
    const std::string word = line.substr(at + 1, end - at - 1);
    if (std::isupper(static_cast<unsigned char>(word[0])) != 0 &&
        word.find('.') != std::string::npos)
      names.push_back(word);
    at = end + 1;
  }
  return names;
}

}  // namespace

std::string to_string(const Finding& finding) {
  return finding.path + ":" + std::to_string(finding.line) + ": [" + finding.rule + "] " +
         finding.message;
}

Table parse_table(std::string_view text) {
  Table table;
  for (const std::string& line : make_source("table", std::string{text}).lines) {
    const std::size_t colon = line.find(':');
    if (line.empty() || line[0] == '#' || colon == std::string::npos) continue;
    table.push_back({trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1))});
  }
  return table;
}

Findings check_top_level(const Tree& tree) {
  static const std::set<std::string> folders{".ci",  "actors",  "bench",   "clients", "config",
                                             "docs", "runtime", "schemas", "tests"};
  static const std::set<std::string> files{".clang-format",   ".clang-tidy",    ".gitignore",
                                           "CHANGELOG.md",    "CMakeLists.txt", "CMakePresets.json",
                                           "CONTRIBUTING.md", "LICENSE",        "README.md",
                                           "check",           "quickstart"};
  Findings findings;
  for (const SourceFile& file : tree) {
    const std::size_t slash = file.path.find('/');
    const bool known = slash == std::string::npos ? files.count(file.path) != 0
                                                  : folders.count(file.path.substr(0, slash)) != 0;
    if (!known)
      findings.push_back(
          {file.path, 0, "top level",
           "the top of the tree is closed: put it into the folder where a newcomer would look"});
  }
  return findings;
}

Findings check_twins(const Tree& tree, const Table& untested) {
  Findings findings;
  std::set<std::string> excused;
  for (const Row& row : untested) excused.insert(row.key);
  for (const SourceFile& file : tree) {
    if (!file.path.ends_with(".cpp")) continue;
    std::string wanted;
    bool there = true;
    if (in_folder(file.path, "runtime")) {
      wanted = unit_test_of(file.path);
      there = find(tree, wanted) != nullptr;
    } else if (in_folder(file.path, "actors")) {
      const std::string actor = file.path.substr(7, file.path.find('/', 7) - 7);
      wanted = "a *_test.cpp in tests/actor/" + actor;
      there = any_in(tree, "tests/actor/" + actor, "_test.cpp");
    }
    const bool is_excused = excused.erase(file.path) != 0;
    if (!there && !is_excused)
      findings.push_back(
          {file.path, 0, "twins",
           "has no test: write " + wanted + ", or say why not in tests/tidy/untested.txt"});
    if (there && is_excused)
      findings.push_back(
          {file.path, 0, "twins", "has a test now: take it out of tests/tidy/untested.txt"});
  }
  for (const std::string& path : excused)
    findings.push_back(
        {path, 0, "twins", "is in tests/tidy/untested.txt and not in the tree: take it out"});
  for (const Row& row : untested)
    if (row.value.empty() || (in_folder(row.value, "tests") && find(tree, row.value) == nullptr))
      findings.push_back(
          {row.key, 0, "twins",
           "tests/tidy/untested.txt does not say why, or names a test that is not there"});
  return findings;
}

Findings check_dead_files(const Tree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!file.path.ends_with(".cpp")) continue;
    bool named = false;
    for (std::string folder = file.path; !named && folder.find('/') != std::string::npos;) {
      folder.erase(folder.rfind('/'));
      const SourceFile* lists = find(tree, folder + "/CMakeLists.txt");
      named = lists != nullptr &&
              lists->text.find(file.path.substr(folder.size() + 1)) != std::string::npos;
    }
    // What is built from elsewhere: headers' own helper of the build system, and projects of their
    // own.
    if (!named && !in_folder(file.path, "config/cmake"))
      findings.push_back(
          {file.path, 0, "dead files", "is not built: name it in a CMakeLists.txt, or remove it"});
  }
  return findings;
}

Findings check_console_blocks(const Tree& tree, const Table& console) {
  Findings findings;
  std::set<std::string> listed;
  for (const Row& row : console) listed.insert(row.key);
  for (const SourceFile& file : tree) {
    if (!file.path.ends_with(".md")) continue;
    const bool has_block =
        std::any_of(file.lines.begin(), file.lines.end(),
                    [](const std::string& line) { return line == "```console"; });
    const bool is_listed = listed.erase(file.path) != 0;
    if (has_block && !is_listed)
      findings.push_back(
          {file.path, 0, "console",
           "shows commands: have a test run them and say so in tests/tidy/console.txt"});
    if (!has_block && is_listed)
      findings.push_back(
          {file.path, 0, "console", "shows no commands: take it out of tests/tidy/console.txt"});
  }
  for (const std::string& path : listed)
    findings.push_back(
        {path, 0, "console", "is in tests/tidy/console.txt and not in the tree: take it out"});
  return findings;
}

Findings check_links(const Tree& tree) {
  Findings findings;
  for (const SourceFile& file : tree) {
    if (!file.path.ends_with(".md")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      for (const std::string& target : links_of(file.lines[i])) {
        const auto path = (fs::path{file.path}.parent_path() / target).lexically_normal();
        const std::string wanted = path.generic_string();
        const bool folder =
            wanted.ends_with("/") && any_in(tree, wanted.substr(0, wanted.size() - 1), "");
        if (!folder && find(tree, wanted) == nullptr)
          findings.push_back({file.path, i + 1, "links", "leads nowhere: " + target});
      }
    }
  }
  return findings;
}

Findings check_evidence(const Tree& tree) {
  Findings findings;
  std::set<std::string> tests;
  for (const SourceFile& file : tree)
    if (in_folder(file.path, "tests")) add_tests_of(file, tests);
  const SourceFile* page = find(tree, "docs/guarantees.md");
  for (std::size_t i = 0; page != nullptr && i < page->lines.size(); ++i)
    for (const std::string& name : tests_named_in(page->lines[i]))
      if (tests.count(name) == 0)
        findings.push_back({page->path, i + 1, "evidence", "there is no test " + name});
  return findings;
}

Findings check_tree(const Tree& tree) {
  const Table layers = table_of(tree, "tests/tidy/layers.txt");
  const Table doors = table_of(tree, "tests/tidy/doors.txt");
  Findings all;
  const auto take = [&](Findings found) {
    std::move(found.begin(), found.end(), std::back_inserter(all));
  };
  for (const SourceFile& file : tree) {
    take(check_layers(file, layers));
    take(check_doors(file, doors));
    take(check_shape(file));
    take(check_words(file));
    take(check_catches(file));
  }
  take(check_top_level(tree));
  take(check_twins(tree, table_of(tree, "tests/tidy/untested.txt")));
  take(check_dead_files(tree));
  take(check_links(tree));
  take(check_evidence(tree));
  take(check_console_blocks(tree, table_of(tree, "tests/tidy/console.txt")));

  for (const Row& row : table_of(tree, "tests/tidy/exceptions.txt")) {
    const auto excused = std::remove_if(all.begin(), all.end(), [&](const Finding& finding) {
      return finding.path + " " + finding.rule == row.key;
    });
    if (excused == all.end())
      all.push_back({row.key, 0, "exceptions",
                     "nothing to excuse: take it out of tests/tidy/exceptions.txt"});
    else
      all.erase(excused, all.end());
  }
  return all;
}

}  // namespace mainstay::tidy
