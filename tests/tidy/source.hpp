// The tree as the tidy rules see it: every file's text, and for C++ the same lines with comments
// and literals blanked out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mainstay::tidy {

struct SourceFile {
  std::string path;  // from the top of the tree, with '/'
  std::string text;
  std::vector<std::string> lines;
  std::vector<std::string>
      code;  // C++ only: same line numbers, same columns, no comments, no literals

  bool is_cpp() const;
  bool is_header() const;
};

SourceFile make_source(std::string path, std::string text);

// Every file that belongs to the project, sorted by path; build directories and version control are
// left out.
std::vector<SourceFile> load_tree(const std::filesystem::path& top);

// The path lies in the folder (or is it): in_folder("runtime/base/log.hpp", "runtime/base").
bool in_folder(std::string_view path, std::string_view folder);

}  // namespace mainstay::tidy
