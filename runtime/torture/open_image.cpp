#include "runtime/torture/open_image.hpp"

#include <sstream>

#include <fmt/format.h>

#include "runtime/store/node_store.hpp"
#include "runtime/sys/random.hpp"

namespace mainstay::torture {

Result<Opened> open_image(const std::filesystem::path& directory, std::uint32_t node) {
  store::StoreOptions options;
  options.directory = directory;
  options.node = NodeId{static_cast<std::uint16_t>(node)};
  TRY_ASSIGN(const auto opened, store::NodeStore::open(options, sys::system_random()));
  TRY(opened->log().verify());
  const consensus::HardState state = opened->log().hard_state();
  return Opened{state.term, state.vote.value, opened->log().last_index(),
                opened->records().applied()};
}

std::string to_line(const Opened& opened) {
  return fmt::format("opened {} {} {} {}", opened.term, opened.vote, opened.last_index,
                     opened.applied);
}

Result<Opened> opened_of(const std::string& line) {
  std::istringstream in{line};
  std::string word;
  Opened opened;
  if (in >> word >> opened.term >> opened.vote >> opened.last_index >> opened.applied &&
      word == "opened")
    return opened;
  return fail(Errc::invalid_argument, "the store said: " + line);
}

}  // namespace mainstay::torture
