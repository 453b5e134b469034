#include "runtime/integration/name_id.hpp"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace mainstay::integration {

std::string name_id(const std::vector<std::string>& parts) {
  constexpr boost::uuids::uuid space = {{0x6d, 0x61, 0x69, 0x6e, 0x73, 0x74, 0x51, 0x79, 0x80, 0x00,
                                         0x68, 0x75, 0x62, 0x00, 0x00, 0x05}};
  std::string name;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) name += '|';
    for (const char c : parts[i]) {
      if (c == '\\' || c == '|') name += '\\';
      name += c;
    }
  }
  return boost::uuids::to_string(boost::uuids::name_generator_sha1{space}(name));
}

}  // namespace mainstay::integration
