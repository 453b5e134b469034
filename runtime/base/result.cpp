#include "runtime/base/result.hpp"

#include <array>
#include <cstddef>

namespace mainstay {

namespace {

struct Row {
  std::string_view name;
  int status;
  int exit_code;
  std::string_view title;
};

constexpr std::array rows{
#define X(name, status, exit_code, title) Row{#name, status, exit_code, title},
#include "runtime/base/errc.def"
#undef X
};

const Row& row_of(Errc code) {
  return rows.at(static_cast<std::size_t>(code));
}

}  // namespace

std::string_view to_string(Errc code) {
  return row_of(code).name;
}

std::optional<Errc> errc_of(std::string_view name) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].name == name) return static_cast<Errc>(i);
  return std::nullopt;
}

std::string_view title_of(Errc code) {
  return row_of(code).title;
}

int http_status_of(Errc code) {
  return row_of(code).status;
}

int exit_code_of(Errc code) {
  return row_of(code).exit_code;
}

std::string to_string(const Error& error) {
  return std::string{to_string(error.code)} + ": " + error.message;
}

}  // namespace mainstay
