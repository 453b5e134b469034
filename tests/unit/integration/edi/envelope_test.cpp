#include "runtime/integration/edi/envelope.hpp"

#include <gtest/gtest.h>

#include "tests/unit/integration/edi/samples.hpp"

namespace mainstay::edi {
namespace {

std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

std::string told(const std::string& text) {
  const auto read = read_interchanges(text);
  return read ? std::string{"read"} : read.error().message;
}

TEST(EdiEnvelope, OfX12) {
  const auto read = read_interchanges(order_850());
  ASSERT_TRUE(read) << read.error().message;
  const Interchange& one = read->at(0);
  EXPECT_EQ(one.sender, (Party{"ZZ", "PARTNER"}));
  EXPECT_EQ(one.receiver, (Party{"12", "WAREHOUSE"}));
  EXPECT_EQ(one.control, "000000905");
  EXPECT_FALSE(one.test);
  ASSERT_EQ(one.groups.size(), 1u);
  EXPECT_EQ(one.groups[0].id, "PO");
  EXPECT_EQ(one.groups[0].control, "77");
  EXPECT_EQ(one.groups[0].version, "004010");
  ASSERT_EQ(one.groups[0].transactions.size(), 2u);
  EXPECT_EQ(one.groups[0].transactions[1].control, "0002");
  EXPECT_EQ(one.groups[0].transactions[1].segments.size(), 2u);
  EXPECT_EQ(one.groups[0].transactions[0].fault.message, "");
}

TEST(EdiEnvelope, OfEdifact) {
  const auto read = read_interchanges(orders_edifact());
  ASSERT_TRUE(read) << read.error().message;
  const Interchange& one = read->at(0);
  EXPECT_EQ(one.sender, (Party{"14", "PARTNER"}));
  EXPECT_EQ(one.control, "42");
  ASSERT_EQ(one.groups.size(), 1u);
  ASSERT_EQ(one.groups[0].transactions.size(), 1u);
  EXPECT_EQ(one.groups[0].transactions[0].set, "ORDERS");
  EXPECT_EQ(one.groups[0].transactions[0].version, "D:96A:UN");
  EXPECT_EQ(one.groups[0].transactions[0].segments.size(), 12u);
}

TEST(EdiEnvelope, OfEdifactWithGroups) {
  const auto read = read_interchanges(
      "UNB+UNOC:3+A+B+261128:0715+1'UNG+ORDERS+A+B+261128:0715+5+UN+D:96A'"
      "UNH+1+ORDERS:D:96A:UN'BGM+220+x'UNT+3+1'UNE+1+5'UNZ+1+1'");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->at(0).groups[0].control, "5");
}

TEST(EdiEnvelope, SeveralInterchangesInOneFile) {
  const auto read = read_interchanges(order_850() + order_850() + orders_edifact());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->size(), 3u);
}

TEST(EdiEnvelope, CountsAndControlNumbersAreVerified) {
  const std::string text = order_850();
  EXPECT_EQ(told(with(text, "IEA*1*", "IEA*2*")),
            "segment 20 (IEA) at byte 484: counts 2, there are 1");
  EXPECT_EQ(told(with(text, "IEA*1*000000905", "IEA*1*000000906")),
            "segment 20 (IEA) at byte 484: has the control number 000000906, the beginning has "
            "000000905");
  EXPECT_NE(told(with(text, "GE*2*", "GE*3*")).find("(GE)"), std::string::npos);
  EXPECT_NE(told(with(text, "GE*2*77", "GE*2*78")).find("(GE)"), std::string::npos);
  EXPECT_NE(told(with(text, "IEA*1*000000905~\n", "")).find("IEA is missing"), std::string::npos);
  EXPECT_NE(told(with(text, "SE*12*0001~\n", "")).find("expected SE before"), std::string::npos);
  EXPECT_NE(told(with(orders_edifact(), "UNZ+1+42", "UNZ+1+43")).find("(UNZ)"), std::string::npos);
}

TEST(EdiEnvelope, ABadTransactionDoesNotHarmItsNeighbour) {
  const auto read = read_interchanges(with(order_850(), "SE*12*", "SE*11*"));
  ASSERT_TRUE(read) << read.error().message;
  const auto& transactions = read->at(0).groups[0].transactions;
  EXPECT_EQ(transactions[0].fault.code, "4");
  EXPECT_EQ(transactions[0].fault.message, "segment 14 (SE) at byte 398: counts 11, there are 12");
  EXPECT_EQ(transactions[1].fault.message, "");
  const auto other = read_interchanges(with(order_850(), "SE*12*0001", "SE*12*0009"));
  EXPECT_EQ(other->at(0).groups[0].transactions[0].fault.code, "3");
}

TEST(EdiEnvelope, ATransactionAloneIsAnInterchange) {
  for (const std::string& text : {order_850(), orders_edifact()}) {
    const auto whole = read_interchanges(text).value();
    for (const Transaction& transaction : whole[0].groups[0].transactions) {
      const auto one = read_interchanges(alone(text, whole[0], whole[0].groups[0], transaction));
      ASSERT_TRUE(one) << one.error().message;
      const Transaction& again = one->at(0).groups[0].transactions.at(0);
      EXPECT_EQ(again.control, transaction.control);
      EXPECT_EQ(again.segments.size(), transaction.segments.size());
      EXPECT_EQ(again.fault.message, "");
    }
  }
}

Envelope envelope_of(Standard standard) {
  Envelope envelope;
  envelope.standard = standard;
  envelope.delimiters = usual_delimiters(standard);
  envelope.sender = {"ZZ", "US"};
  envelope.receiver = {"ZZ", "THEM"};
  envelope.version = standard == Standard::x12 ? "005010" : "D:96A:UN";
  envelope.date = "20261128";
  envelope.time = "0715";
  envelope.control = "7";
  envelope.test = true;
  return envelope;
}

TEST(EdiEnvelope, WrittenOnesAreRead) {
  for (const Standard standard : {Standard::x12, Standard::edifact}) {
    Segment segment;
    segment.tag = "REF";
    segment.elements = {Element{"ON"}, Element{"5"}};
    const Envelope envelope = envelope_of(standard);
    const auto text = write_interchange(envelope, "850", "PO", {segment, segment});
    ASSERT_TRUE(text) << text.error().message;
    const auto read = read_interchanges(*text);
    ASSERT_TRUE(read) << read.error().message << *text;
    const Interchange& one = read->at(0);
    EXPECT_EQ(one.delimiters, envelope.delimiters);
    EXPECT_EQ(one.sender, envelope.sender);
    EXPECT_EQ(one.receiver, envelope.receiver);
    EXPECT_TRUE(one.test);
    EXPECT_EQ(one.groups[0].transactions[0].set, "850");
    EXPECT_EQ(one.groups[0].transactions[0].segments.size(), 2u);
    EXPECT_EQ(one.groups[0].transactions[0].fault.message, "");
  }
}

TEST(EdiEnvelope, WhatDoesNotFitIsRefused) {
  Envelope envelope = envelope_of(Standard::x12);
  envelope.control = "1234567890";
  EXPECT_FALSE(write_interchange(envelope, "850", "PO", {}));
  envelope.control = "x";
  EXPECT_FALSE(write_interchange(envelope, "850", "PO", {}));
  envelope = envelope_of(Standard::x12);
  envelope.sender.id = "a name longer than fifteen";
  EXPECT_FALSE(write_interchange(envelope, "850", "PO", {}));
}

}  // namespace
}  // namespace mainstay::edi
