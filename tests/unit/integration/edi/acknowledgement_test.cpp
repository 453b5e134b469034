#include "runtime/integration/edi/acknowledgement.hpp"

#include <gtest/gtest.h>

#include "tests/unit/integration/edi/samples.hpp"

namespace mainstay::edi {
namespace {

std::string answer_to(const std::string& text) {
  const auto read = read_interchanges(text).value();
  return json::to_text(acknowledgement_of(read[0].groups[0], usual_guides()));
}

TEST(EdiAcknowledgement, AcceptsWhatIsGood) {
  EXPECT_EQ(answer_to(order_850()),
            R"({"group":{"id":"PO","control":"77"},"transactions":[)"
            R"({"set":"850","control":"0001","status":{"code":"A"}},)"
            R"({"set":"850","control":"0002","status":{"code":"A"}}],)"
            R"("result":{"code":"A","included":"2","received":"2","accepted":"2"}})");
}

TEST(EdiAcknowledgement, RejectsOneByOne) {
  std::string text = order_850();
  text.replace(text.find("SE*12*"), 6, "SE*13*");
  EXPECT_EQ(answer_to(text),
            R"({"group":{"id":"PO","control":"77"},"transactions":[)"
            R"({"set":"850","control":"0001","status":{"code":"R","error":"4"}},)"
            R"({"set":"850","control":"0002","status":{"code":"A"}}],)"
            R"("result":{"code":"P","included":"2","received":"2","accepted":"1"}})");
}

TEST(EdiAcknowledgement, RejectsSetsItDoesNotKnow) {
  std::string text = order_850();
  for (std::size_t at = text.find("ST*850"); at != std::string::npos; at = text.find("ST*850"))
    text.replace(at, 6, "ST*852");
  EXPECT_NE(answer_to(text).find(R"("status":{"code":"R","error":"1"})"), std::string::npos);
  EXPECT_NE(answer_to(text).find(R"("result":{"code":"R")"), std::string::npos);
}

TEST(EdiAcknowledgement, IsADocumentOfItsGuide) {
  const auto read = read_interchanges(order_850()).value();
  const json::Value document = acknowledgement_of(read[0].groups[0], usual_guides());
  const Guide* guide = find_guide(usual_guides(), Standard::x12, "997");
  ASSERT_NE(guide, nullptr);
  const auto segments = write_document(*guide, document);
  ASSERT_TRUE(segments) << segments.error().message;
  EXPECT_EQ(read_document(*guide, *segments).value(), document);
}

}  // namespace
}  // namespace mainstay::edi
