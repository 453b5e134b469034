#include "runtime/torture/report.hpp"

#include <gtest/gtest.h>

namespace mainstay::torture {
namespace {

Outcome outcome() {
  Outcome made;
  made.version = "0.5.0";
  made.machine = "Linux, 2 cores";
  made.seed = 42;
  made.nodes = 3;
  made.ran = Millis{10'000};
  made.replay = "mainstay torture --replay 42 --nodes 3 --minutes 0.5";
  made.directory = "torture-42";
  made.requests = made.served_requests = 1000;
  made.late = made.served_late = 1;
  made.seconds.resize(10);
  for (auto& second : made.seconds)
    for (int i = 0; i < 100; ++i) second.latency.add(Micros{1500});
  Check check{"no acknowledged write missing", "rows", 77, 0, {}, {}};
  made.checks.push_back(check);
  Struck struck;
  struck.fault = {FaultKind::freeze, 0, Millis{2000}, Millis{1500}, 0};
  struck.node = 2;
  struck.from = Millis{2000};
  struck.healed = Millis{3500};
  struck.well = Millis{3600};
  made.struck.push_back(struck);
  made.effects.push_back({Millis{310}, Millis{640}});
  struck.fault.kind = FaultKind::loss;
  struck.left_out = "namespaces are <not> permitted";
  made.struck.push_back(struck);
  made.effects.push_back({});
  made.abilities.no_network = struck.left_out;
  return made;
}

TEST(ReportTest, TheVerdictNamesEachCheckWithItsNumbers) {
  const std::string text = verdict_text(outcome());
  EXPECT_NE(text.find("0.5.0: PASS"), std::string::npos) << text;
  EXPECT_NE(text.find("PASS  no acknowledged write missing"), std::string::npos) << text;
  EXPECT_NE(text.find("77 rows"), std::string::npos) << text;
  EXPECT_NE(text.find("99.900% (1 late)"), std::string::npos) << text;
  EXPECT_NE(text.find("left out: faults of the network, because namespaces"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("--replay"), std::string::npos) << "nothing to run again";
}

TEST(ReportTest, OneFindingFailsTheWholeAndTellsHowToRunItAgain) {
  Outcome failed = outcome();
  failed.checks[0].wrong = 1;
  failed.checks[0].findings = {"s1-000000004 at node 2"};
  EXPECT_FALSE(failed.passed());
  const std::string text = verdict_text(failed);
  EXPECT_NE(text.find("0.5.0: FAIL"), std::string::npos) << text;
  EXPECT_NE(text.find("s1-000000004 at node 2"), std::string::npos) << text;
  EXPECT_NE(text.find("again: mainstay torture --replay 42"), std::string::npos) << text;
}

TEST(ReportTest, AnInterruptedRunHasNotPassed) {
  Outcome ended = outcome();
  ended.interrupted = true;
  EXPECT_FALSE(ended.passed());
  EXPECT_NE(verdict_text(ended).find("INTERRUPTED"), std::string::npos);
}

TEST(ReportTest, TheDocumentHoldsEachFaultWithItsGap) {
  const json::Value document = verdict_document(outcome());
  EXPECT_TRUE(document.find("passed")->as_boolean());
  const json::Array& faults = document.find("faults")->items();
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].find("kind")->text(), "freeze");
  EXPECT_EQ(faults[0].find("gap_ms")->text(), "310");
  EXPECT_EQ(faults[1].find("left_out")->text(), "namespaces are <not> permitted");
  EXPECT_TRUE(json::parse(json::to_text(document)));
}

TEST(ReportTest, ThePageIsWholeAndNeedsNothingElse) {
  const std::string page = verdict_page(outcome());
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_NE(page.find("polyline"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos) << "nothing is loaded from elsewhere";
  EXPECT_EQ(page.find("<not>"), std::string::npos) << "text is escaped";
  EXPECT_NE(page.find("</html>"), std::string::npos);
}

}  // namespace
}  // namespace mainstay::torture
