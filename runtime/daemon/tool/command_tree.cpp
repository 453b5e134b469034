#include "runtime/daemon/tool/command_tree.hpp"

#include <functional>
#include <vector>

#include <CLI/CLI.hpp>

namespace mainstay::tool {

namespace {

std::vector<const CLI::App*> children_of(const CLI::App& app) {
  // Those without a group are not shown to people.
  return app.get_subcommands([](const CLI::App* child) { return !child->get_group().empty(); });
}

// Those that are shown: an option without a group is for tests.
std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return !option->get_group().empty(); });
}

using Visit = std::function<void(const CLI::App& command, const std::string& path)>;

// Depth first; `path` is "/collection/list", "" for the program itself.
void walk(const CLI::App& app, const std::string& path, const Visit& visit) {
  visit(app, path);
  for (const CLI::App* child : children_of(app))
    walk(*child, path + "/" + child->get_name(), visit);
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// The words that an option is one of, from its type: "TEXT:{linearizable,local}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{'), close = type.rfind('}');
  std::vector<std::string> words;
  if (open == std::string::npos || close == std::string::npos) return words;
  std::string word;
  for (const char c : type.substr(open + 1, close - open - 1) + ",") {
    if (c != ',')
      word += c;
    else if (!word.empty())
      words.push_back(std::exchange(word, {}));
  }
  return words;
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : options_of(command))
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  return flags;
}

// What a shell offers at one command.
std::string words_at(const CLI::App& command, const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* child : children_of(command)) words.push_back(child->get_name());
  for (const std::string& flag : flags_of(command)) words.push_back(flag);
  if (&command != &app)
    for (const std::string& flag : flags_of(app))
      if (flag != "--help" && flag != "--version") words.push_back(flag);
  return joined(words);
}

struct Tables {
  std::string paths;    // "/a|/a/b"
  std::string offers;   // lines: '/a/b') words="…" ;;
  std::string choices;  // lines: '/a/b --level') words="…" ;;
  std::string valued;   // patterns of options that take a value: "* --file"
};

Tables tables_of(const CLI::App& app) {
  Tables tables;
  walk(app, "", [&](const CLI::App& command, const std::string& path) {
    if (!path.empty()) tables.paths += (tables.paths.empty() ? "" : "|") + path;
    tables.offers += "    '" + path + "') words='" + words_at(command, app) + "' ;;\n";
    for (const CLI::Option* option : options_of(command)) {
      if (!takes_value(*option) || option->get_lnames().empty()) continue;
      const std::string name = " --" + option->get_lnames().front();
      const auto words = choices_of(*option);
      const std::string at = (path.empty() ? "*'" : "'" + path).append(name).append("'");
      tables.choices += "    " + at + ") words='" + joined(words) + "'; value=1 ;;\n";
    }
  });
  return tables;
}

std::string text_of(const CLI::Option& option) {
  std::string text = option.get_description();
  if (!option.get_default_str().empty() && takes_value(option))
    text += " Default: " + option.get_default_str() + ".";
  const auto words = choices_of(option);
  if (!words.empty()) text += " One of: " + joined(words) + ".";
  return text;
}

std::string usage_of(const CLI::App& command, const std::string& name) {
  std::string usage = name;
  for (const CLI::Option* option : options_of(command)) {
    if (!option->get_positional()) continue;
    std::string argument = option->get_single_name();
    for (char& c : argument) c = c == '_' ? '-' : static_cast<char>(std::toupper(c));
    if (option->get_items_expected_max() > 1) argument += "…";
    usage += option->get_required() ? " " + argument : " [" + argument + "]";
  }
  return usage;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  const Tables tables = tables_of(app);
  return "# Completion of mainstay for bash: source <(mainstay completion bash)\n"
         "_mainstay() {\n"
         "  local word=\"${COMP_WORDS[COMP_CWORD]}\" at='' words='' value='' i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"$at/${COMP_WORDS[i]}\" in\n"
         "    " +
         tables.paths +
         ") at=\"$at/${COMP_WORDS[i]}\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$at ${COMP_WORDS[COMP_CWORD-1]}\" in\n" +
         tables.choices +
         "  esac\n"
         "  [ -n \"$value\" ] || case \"$at\" in\n" +
         tables.offers +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "}\n"
         "complete -F _mainstay mainstay\n";
}

std::string zsh_completion(const CLI::App& app) {
  Tables tables = tables_of(app);
  // `words` is the shell's own there.
  for (std::string* table : {&tables.offers, &tables.choices})
    for (std::size_t at = 0; (at = table->find(" words='", at)) != std::string::npos;)
      table->replace(at, 8, " offer='");
  return "#compdef mainstay\n"
         "# Completion of mainstay for zsh: save it as _mainstay in a directory of $fpath.\n"
         "_mainstay() {\n"
         "  local at='' offer='' value='' i\n"
         "  for ((i = 2; i < CURRENT; i++)); do\n"
         "    case \"$at/${words[i]}\" in\n"
         "    " +
         tables.paths +
         ") at=\"$at/${words[i]}\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$at ${words[CURRENT-1]}\" in\n" +
         tables.choices +
         "  esac\n"
         "  [ -n \"$value\" ] || case \"$at\" in\n" +
         tables.offers +
         "  esac\n"
         "  [ -n \"$offer\" ] && compadd -- ${=offer} || _files\n"
         "}\n"
         "_mainstay \"$@\"\n";
}

std::string reference_of(const CLI::App& app) {
  std::string text;
  walk(app, "", [&](const CLI::App& command, const std::string& path) {
    if (!path.empty() && !children_of(command).empty()) return;  // its commands tell
    std::string name = "mainstay" + path;
    for (char& c : name) c = c == '/' ? ' ' : c;
    text += "### " + (path.empty() ? "options of every command" : name) + "\n\n";
    if (!path.empty())
      text += command.get_description() + ".\n\n`" + usage_of(command, name) + "`\n\n";
    std::string rows;
    for (const CLI::Option* option : options_of(command)) {
      if (option->get_name() == "--help,-h" || option->check_lname("help")) continue;
      const bool positional = option->get_positional();
      std::string shown =
          positional ? option->get_single_name() : "--" + option->get_lnames().front();
      rows += "| `" + shown + "` | " + text_of(*option) + " |\n";
    }
    if (!rows.empty()) text += "| | |\n|---|---|\n" + rows + "\n";
  });
  text.pop_back();
  return text;
}

}  // namespace mainstay::tool
