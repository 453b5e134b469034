#include "tests/tidy/source.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

namespace mainstay::tidy {

namespace fs = std::filesystem;

namespace {

// Blanks comments and the insides of literals, keeping line breaks and columns.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_{text}, out_{text} {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        skip_to("\n", 0);
      } else if (starts("/*")) {
        skip_to("*/", 2);
      } else if (starts("R\"")) {
        const std::size_t open = text_.find('(', at_);
        if (open == std::string_view::npos) return out_;
        const std::string end = ")" + std::string{text_.substr(at_ + 2, open - at_ - 2)} + "\"";
        skip_to(end, end.size());
      } else if (text_[at_] == '"' || (text_[at_] == '\'' && !within_number())) {
        skip_literal(text_[at_]);
      } else {
        ++at_;
      }
    }
    return out_;
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

  bool within_number() const {
    return at_ > 0 && std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) != 0;
  }

  void blank_until(std::size_t end) {
    for (; at_ < end; ++at_)
      if (text_[at_] != '\n') out_[at_] = ' ';
  }

  void skip_to(std::string_view end, std::size_t and_further) {
    const std::size_t found = text_.find(end, at_ + 1);
    blank_until(found == std::string_view::npos ? text_.size() : found + and_further);
  }

  void skip_literal(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n')
      end += text_[end] == '\\' ? 2 : 1;
    ++at_;
    blank_until(std::min(end, text_.size()));
    ++at_;
  }

  std::string_view text_;
  std::string out_;
  std::size_t at_ = 0;
};

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool left_out(const std::string& name) {
  return name == ".git" || name == "build" || name.rfind("build-", 0) == 0 || name == ".cache" ||
         name == "__pycache__" || name == "compile_commands.json";
}

}  // namespace

bool SourceFile::is_header() const {
  return path.ends_with(".hpp");
}

bool SourceFile::is_cpp() const {
  return is_header() || path.ends_with(".cpp");
}

SourceFile make_source(std::string path, std::string text) {
  SourceFile file{std::move(path), std::move(text), {}, {}};
  file.lines = split_lines(file.text);
  if (file.is_cpp()) file.code = split_lines(Blanker{file.text}.run());
  return file;
}

std::vector<SourceFile> load_tree(const fs::path& top) {
  std::vector<SourceFile> files;
  for (fs::recursive_directory_iterator at{top}, end; at != end; ++at) {
    if (left_out(at->path().filename().string())) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file()) {
      std::ifstream stream{at->path(), std::ios::binary};
      std::ostringstream text;
      text << stream.rdbuf();
      files.push_back(make_source(fs::relative(at->path(), top).generic_string(), text.str()));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

bool in_folder(std::string_view path, std::string_view folder) {
  return path == folder ||
         (path.substr(0, folder.size()) == folder && path.substr(folder.size(), 1) == "/");
}

}  // namespace mainstay::tidy
