// Which file may include which.
#include <algorithm>
#include <optional>
#include <sstream>

#include "tests/tidy/rules.hpp"

namespace mainstay::tidy {

namespace {

struct Include {
  std::size_t line = 0;
  std::string path;
  bool quoted = false;
};

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    // In the blanked line a quoted path is gone; there it only tells whether this is code.
    const std::size_t at = file.code[i].find_first_not_of(' ');
    if (at == std::string::npos || file.code[i].compare(at, 8, "#include") != 0) continue;
    const std::string& line = file.lines[i];
    const std::size_t open = line.find_first_of("<\"", at + 8);
    const std::size_t close = line.find_first_of(">\"", open + 1);
    if (open == std::string::npos || close == std::string::npos) continue;
    includes.push_back({i + 1, line.substr(open + 1, close - open - 1), line[open] == '"'});
  }
  return includes;
}

std::string folder_of(std::string_view path) {
  for (const std::string_view top : {"tests", "bench", "schemas"})
    if (in_folder(path, top)) return std::string{top};
  const std::size_t first = path.find('/');
  const std::size_t second = path.find('/', first + 1);
  return std::string{path.substr(0, second)};
}

bool has_word(const std::string& words, std::string_view wanted) {
  std::istringstream stream{words};
  for (std::string word; stream >> word;)
    if (word == wanted) return true;
  return false;
}

const Row* row_of(const Table& table, std::string_view key) {
  const auto at =
      std::find_if(table.begin(), table.end(), [&](const Row& row) { return row.key == key; });
  return at == table.end() ? nullptr : &*at;
}

const Row* layer_of(const Table& layers, const std::string& folder) {
  if (const Row* own = row_of(layers, folder)) return own;
  return in_folder(folder, "actors") ? row_of(layers, "actors/<x>") : nullptr;
}

// A row names folders; `actors` stands for all of them.
bool allowed_by(const Row& layer, const std::string& target_folder) {
  return layer.value == "*" || has_word(layer.value, target_folder) ||
         (in_folder(target_folder, "actors") && has_word(layer.value, "actors"));
}

// actors/x may see actors/y/y_api.hpp.
bool is_api_of_another(const std::string& folder, const std::string& target_folder,
                       const std::string& target) {
  if (!in_folder(folder, "actors") || !in_folder(target_folder, "actors") || folder == "actors/kit")
    return false;
  return target ==
         target_folder + "/" + target_folder.substr(target_folder.find('/') + 1) + "_api.hpp";
}

}  // namespace

Findings check_layers(const SourceFile& file, const Table& layers) {
  Findings findings;
  const std::string folder = folder_of(file.path);
  const Row* layer = layer_of(layers, folder);
  for (const Include& include : includes_of(file)) {
    if (!include.quoted) continue;
    const std::string target = folder_of(include.path);
    const auto report = [&](const std::string& message) {
      findings.push_back({file.path, include.line, "layers", message});
    };
    if (layer_of(layers, target) == nullptr) {
      report("\"" + include.path +
             "\" is not a path from the top of the tree to a folder of tests/tidy/layers.txt: "
             "write it in full");
    } else if (layer == nullptr) {
      report(folder + " has no row in tests/tidy/layers.txt: say there what it may include");
    } else if (target != folder && !allowed_by(*layer, target) &&
               !is_api_of_another(folder, target, include.path)) {
      report(folder + " may not include " + include.path +
             " (tests/tidy/layers.txt: " + layer->key + " : " + layer->value +
             "): move the code down, or give the lower layer an interface");
    }
  }
  return findings;
}

Findings check_doors(const SourceFile& file, const Table& doors) {
  Findings findings;
  if (in_folder(file.path, "tests") || in_folder(file.path, "bench")) return findings;
  for (const Include& include : includes_of(file)) {
    for (const Row& door : doors) {
      const bool whole_name = door.key.back() != '/' && include.path != door.key &&
                              include.path.compare(0, door.key.size() + 1, door.key + "/") != 0 &&
                              include.path != door.key + ".hpp" && include.path != door.key + ".h";
      if (include.path.compare(0, door.key.size(), door.key) != 0 || whole_name) continue;
      std::istringstream folders{door.value};
      bool open = false;
      for (std::string folder; folders >> folder;) open = open || in_folder(file.path, folder);
      if (!open)
        findings.push_back({file.path, include.line, "doors",
                            include.path + " may be included only in: " +
                                (door.value.empty() ? "tests bench" : door.value) +
                                " (tests/tidy/doors.txt): go through that folder's interface"});
    }
  }
  return findings;
}

}  // namespace mainstay::tidy
