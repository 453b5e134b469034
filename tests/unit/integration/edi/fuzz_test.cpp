// Any bytes, and good interchanges with bytes changed, removed and doubled: an error or a document,
// and what could be read as a document can be written.
#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "runtime/integration/edi/acknowledgement.hpp"
#include "tests/unit/integration/edi/random_documents.hpp"
#include "tests/unit/integration/edi/samples.hpp"

namespace mainstay::edi {
namespace {

// Whether it was read.
bool feed(const std::string& text) {
  const auto read = read_interchanges(text);
  if (!read) return false;
  for (const Interchange& interchange : *read) {
    for (const Group& group : interchange.groups) {
      for (const Transaction& transaction : group.transactions) {
        const std::string one = alone(text, interchange, group, transaction);
        EXPECT_TRUE(read_interchanges(one)) << one;
        const Guide* guide = find_guide(usual_guides(), interchange.standard, transaction.set);
        if (guide == nullptr) continue;
        const auto document = read_document(*guide, transaction.segments);
        if (document) static_cast<void>(write_document(*guide, *document));
      }
      static_cast<void>(acknowledgement_of(group, usual_guides()));
    }
  }
  return true;
}

TEST(EdiFuzz, ChangedInterchanges) {
  SeededRandom random{11};
  const std::string special = "*~>^+:'?\n 019AZISAUNB";
  std::size_t read = 0;
  constexpr std::size_t rounds = 20'000;
  for (std::size_t i = 0; i < rounds; ++i) {
    std::string text = i % 2 == 0 ? order_850() : orders_edifact();
    for (std::size_t changes = 1 + below(random, 4); changes > 0; --changes) {
      const std::size_t at = below(random, text.size());
      const std::size_t size = 1 + below(random, 20);
      switch (below(random, 4)) {
        case 0:
          text[at] = special[below(random, special.size())];
          break;
        case 1:
          text.erase(at, size);
          break;
        case 2:
          text.insert(at, text.substr(below(random, text.size()), size));
          break;
        default:
          text[at] = static_cast<char>(below(random, 256));
      }
      if (text.empty()) text = "I";
    }
    read += feed(text) ? 1 : 0;
  }
  EXPECT_GT(read, rounds / 20);
  EXPECT_LT(read, rounds);
}

TEST(EdiFuzz, AnyBytes) {
  SeededRandom random{13};
  for (int i = 0; i < 5'000; ++i) {
    std::string text = i % 3 == 0 ? "ISA" : i % 3 == 1 ? "UNA" : "UNB";
    for (std::size_t size = below(random, 300); size > 0; --size)
      text += static_cast<char>(below(random, 256));
    feed(text);
  }
}

}  // namespace
}  // namespace mainstay::edi
