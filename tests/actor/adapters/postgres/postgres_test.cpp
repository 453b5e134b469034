// The parts of the postgres adapter that need no database. The rest: tests/system/integration.
#include <gtest/gtest.h>

#include "actors/adapters/postgres/outbox_position.hpp"
#include "actors/adapters/postgres/postgres_adapter.hpp"
#include "actors/adapters/postgres/sqlstate.hpp"
#include "actors/adapters/postgres/statements.hpp"

namespace mainstay::adapters::postgres {
namespace {

using integration::Verdict;

TEST(OutboxPosition, ReadsWhatItWrites) {
  const OutboxPosition position{18'446'744'073'709'551'615ULL, -3, 2};
  EXPECT_EQ(parse_position(to_string(position)).value(), position);
  EXPECT_EQ(parse_position("").value(), OutboxPosition{});
  for (const char* wrong : {"1", "1:2", "1:2:", "1:2:3:4", "a:2:3", "1:2:3 ", "-1:2:3"})
    EXPECT_EQ(parse_position(wrong).error().code, Errc::invalid_argument) << wrong;
}

TEST(OutboxPosition, TheTransactionComesFirst) {
  EXPECT_LT((OutboxPosition{7, 900, 3}), (OutboxPosition{8, 1, 0}));
  EXPECT_LT((OutboxPosition{7, 1, 3}), (OutboxPosition{7, 2, 0}));
  EXPECT_LT((OutboxPosition{7, 1, 0}), (OutboxPosition{7, 1, 1}));
}

struct Case {
  const char* sqlstate;
  Verdict before;
  Verdict after;
  Errc reading;
};

TEST(Sqlstate, SaysWhatAFailureMeans) {
  for (const Case& expected : {
           Case{"", Verdict::transient, Verdict::unknown, Errc::unavailable},
           Case{"08006", Verdict::transient, Verdict::unknown, Errc::unavailable},
           Case{"57P01", Verdict::transient, Verdict::unknown, Errc::unavailable},
           Case{"57P03", Verdict::transient, Verdict::unknown, Errc::unavailable},
           Case{"57014", Verdict::transient, Verdict::transient, Errc::unavailable},
           Case{"40001", Verdict::transient, Verdict::transient, Errc::unavailable},
           Case{"40P01", Verdict::transient, Verdict::transient, Errc::unavailable},
           Case{"53300", Verdict::transient, Verdict::transient, Errc::unavailable},
           Case{"25006", Verdict::transient, Verdict::transient, Errc::unavailable},
           Case{"28P01", Verdict::transient, Verdict::transient, Errc::unauthorized},
           Case{"42501", Verdict::refused, Verdict::refused, Errc::unauthorized},
           Case{"42P01", Verdict::refused, Verdict::refused, Errc::invalid_argument},
           Case{"23514", Verdict::refused, Verdict::refused, Errc::invalid_argument},
           Case{"22P02", Verdict::refused, Verdict::refused, Errc::invalid_argument},
           Case{"P0001", Verdict::refused, Verdict::refused, Errc::invalid_argument},
       }) {
    const SqlFailure failure{expected.sqlstate, "no", false};
    EXPECT_EQ(verdict_of(failure, Stage::before_commit), expected.before) << expected.sqlstate;
    EXPECT_EQ(verdict_of(failure, Stage::commit_sent), expected.after) << expected.sqlstate;
    EXPECT_EQ(error_of(failure).code, expected.reading) << expected.sqlstate;
  }
  EXPECT_EQ(error_of({"", "silence", true}).code, Errc::deadline_exceeded);
  EXPECT_EQ(to_string(SqlFailure{"42P01", "no table\n", false}), "no table (SQLSTATE 42P01)");
}

integration::AdapterContext context(std::string_view settings) {
  integration::AdapterContext result;
  result.name = "wms";
  result.settings = json::parse(settings).value();
  return result;
}

TEST(PostgresSettings, HaveDefaultsForTheShippedSchema) {
  const auto settings = read_settings(context(
      R"({"connection":"dbname=wms","outbox":[{"type":"move","table":"wms_out.moves"}],
          "inbox":[{"type":"order","table":"wms_in.orders"}],"observe":{"levels":"select 1"}})"));
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->outboxes.at(0).transaction, "xid");
  EXPECT_EQ(settings->outboxes.at(0).version, "version");
  EXPECT_EQ(settings->inboxes.at(0).message, "message_id");
  EXPECT_EQ(settings->consumed, Consumed::mark);
  EXPECT_EQ(settings->statement_timeout, Millis{10'000});
  const auto adapter = make_postgres_adapter(context(R"({"connection":"dbname=wms"})"));
  ASSERT_TRUE(adapter);
  EXPECT_FALSE((*adapter)->traits().has_source);
  EXPECT_TRUE((*adapter)->traits().idempotent);
}

TEST(PostgresSettings, RefuseWhatIsNotAName) {
  const auto message = [](std::string_view text) {
    const auto settings = read_settings(context(text));
    return settings ? std::string{} : settings.error().message;
  };
  EXPECT_EQ(message("{}"), "settings.connection: must be given: a text that is not empty");
  EXPECT_EQ(
      message(R"({"connection":"dbname=wms","outbox":[{"type":"a","table":"a; drop table b"}]})"),
      "settings.outbox[0].table: 'a; drop table b' is not the name of a table (schema.table)");
  EXPECT_EQ(
      message(
          R"({"connection":"dbname=wms","inbox":[{"type":"a","table":"t","columns":{"x":"y"}}]})")
          .substr(0, 29),
      "settings.inbox[0].columns: x:");
  EXPECT_EQ(message(R"({"connection":"dbname=wms","consumed":"burn"})"),
            "settings.consumed: expected one of mark delete keep, not burn");
}

TEST(Statements, ReadBelowTheHorizonInOrderOfTransactions) {
  const auto settings = read_settings(context(
      R"({"connection":"dbname=wms","outbox":[{"type":"a","table":"s.a"},{"type":"b","table":"s.b"}]})"));
  const Statement read = read_outboxes(settings->outboxes, {7, 3, 0}, "9", 10);
  EXPECT_NE(read.sql.find(R"(order by u.xid, u.id, u.place limit 10)"), std::string::npos);
  EXPECT_NE(read.sql.find(R"(from "s"."a" o where (o."xid", o."id"::bigint) > )"),
            std::string::npos);
  EXPECT_NE(read.sql.find(R"(from "s"."b" o where (o."xid", o."id"::bigint) >= )"),
            std::string::npos);
  EXPECT_EQ(read.values, (std::vector<std::optional<std::string>>{"7", "3", "9"}));
}

TEST(Statements, InsertTheDocumentAndItsColumns) {
  const auto settings = read_settings(context(
      R"({"connection":"dbname=wms","inbox":[{"type":"order","table":"t","columns":{"number":"/no","amount":"/sum","note":"/x"}}]})"));
  integration::Effect effect;
  effect.key = "order/1";
  effect.subject = "1";
  effect.document = json::parse(R"({"no":"SO-1","sum":12.50})").value();
  const Statement sql = insert(settings->inboxes.at(0), effect);
  EXPECT_EQ(sql.sql,
            R"(insert into "t" ("message_id", "subject", "document", "number", "amount", "note") )"
            R"(values ($1, $2, $3, $4, $5, $6) on conflict ("message_id") do nothing )"
            R"(returning "id"::text)");
  EXPECT_EQ(sql.values,
            (std::vector<std::optional<std::string>>{"order/1", "1", R"({"no":"SO-1","sum":12.50})",
                                                     "SO-1", "12.50", std::nullopt}));
}

}  // namespace
}  // namespace mainstay::adapters::postgres
