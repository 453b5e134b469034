// The rules of the house that a compiler does not check. Each returns what it found, with the way
// to mend it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/source.hpp"

namespace mainstay::tidy {

struct Finding {
  std::string path;
  std::size_t line = 0;  // from 1; 0: the file as a whole
  std::string rule;
  std::string message;
};

std::string to_string(const Finding& finding);

// Lines of the form "key : value", "#" starts a comment line. Keys keep their order in the file.
struct Row {
  std::string key;
  std::string value;
};
using Table = std::vector<Row>;
Table parse_table(std::string_view text);

using Findings = std::vector<Finding>;
using Tree = std::vector<SourceFile>;

// --- includes (includes.cpp) ---

// Every include of the project's own headers obeys layers.txt and is written from the top.
Findings check_layers(const SourceFile& file, const Table& layers);
// Every include of an outside header goes through its door (doors.txt).
Findings check_doors(const SourceFile& file, const Table& doors);

// --- one file at a time (text.cpp) ---

Findings check_shape(const SourceFile& file);    // length, lines, tabs, final newline, #pragma once
Findings check_words(const SourceFile& file);    // what must not stand in the code
Findings check_catches(const SourceFile& file);  // no catch (...) that swallows

// --- the tree as a whole (tree.cpp) ---

Findings check_top_level(const Tree& tree);
// runtime/x/y.cpp has tests/unit/x/y_test.cpp, actors/x has a test in tests/actor/x, or
// untested.txt says why not.
Findings check_twins(const Tree& tree, const Table& untested);
// Every .cpp is built: the nearest CMakeLists.txt upwards names it.
Findings check_dead_files(const Tree& tree);
// Every document with commands is run by a test, or console.txt says why not.
Findings check_console_blocks(const Tree& tree, const Table& console);

// Every link of a document to a path in the tree leads somewhere.
Findings check_links(const Tree& tree);

// Every `Suite.Test` that docs/guarantees.md names as evidence exists.
Findings check_evidence(const Tree& tree);

// All of the above over a tree, minus what exceptions.txt lists; unused exceptions are findings.
Findings check_tree(const Tree& tree);

}  // namespace mainstay::tidy
