#include <gmock/gmock.h>

#include "tests/unit/api/hub_rows.hpp"

namespace mainstay::api {
namespace {

using http::Method;
namespace hub = integration::hub;

class LettersTest : public testing::Test, protected ApiFixture {
 protected:
  void SetUp() override { fill_hub(backend); }
  integration::LetterRow letter(const std::string& key) {
    return integration::letter_row(row_of(backend, hub::letters, "wms/" + key)).value();
  }
  const std::string letters = "/v1/adapters/wms/letters";
  const std::string in = letters + "/in%2Forder-17";
  const std::string out = letters + "/out%2Forder%252FA-3";
};

TEST_F(LettersTest, AreListedByWhatTheyAre) {
  put_letter(backend, "in", "done", "drift", "resolved");
  const auto open = items_of(ask(Method::get, letters), "letters");
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].at("letter"), "in/order-17");
  EXPECT_EQ(open[0].at("body_bytes"), 16);
  EXPECT_FALSE(open[0].as_object().contains("body"));
  EXPECT_FALSE(open[0].as_object().contains("open"));
  EXPECT_EQ(open[1].at("letter"), "out/order%2FA-3");
  EXPECT_EQ(items_of(ask(Method::get, letters + "?direction=out"), "letters").size(), 1U);
  EXPECT_EQ(items_of(ask(Method::get, letters + "?state=all"), "letters").size(), 3U);
  EXPECT_EQ(items_of(ask(Method::get, letters + "?state=all&class=drift"), "letters").size(), 1U);
  EXPECT_EQ(problem_of(ask(Method::get, letters + "?state=odd")), "invalid_argument");
  const auto page = body_of(ask(Method::get, letters + "?limit=1"));
  EXPECT_EQ(page.at("next"), "in/order-17");
  EXPECT_EQ(items_of(ask(Method::get, letters + "?limit=9&after=in%2Forder-17"), "letters").size(),
            1U);
}

TEST_F(LettersTest, AreShownWithTheirBodies) {
  EXPECT_EQ(text_of(ask(Method::get, in), "body"), R"({"number":"A-1"})");
  EXPECT_EQ(text_of(ask(Method::get, out), "id"), "order/A-3");
  EXPECT_EQ(problem_of(ask(Method::get, letters + "/in%2Fnone")), "not_found");
  EXPECT_EQ(problem_of(ask(Method::get, letters + "/order-17")), "invalid_argument");
}

TEST_F(LettersTest, AreReleasedOnce) {
  const auto released = ask(Method::post, in + "/replay", "", {{"Idempotency-Key", "x"}});
  EXPECT_EQ(released.status, 200) << released.body.view();
  EXPECT_EQ(letter("in/order-17").state, "replay");
  EXPECT_EQ(header(ask(Method::post, in + "/replay", "", {{"Idempotency-Key", "x"}}),
                   "Mainstay-Replayed"),
            "true");
  EXPECT_EQ(problem_of(ask(Method::post, in + "/replay")), "precondition_failed");
  EXPECT_EQ(problem_of(ask(Method::post, in + "/discard")), "precondition_failed")
      << "it is being tried";
  EXPECT_EQ(problem_of(ask(Method::post, in + "/replay", "{\"x\":1}")), "invalid_argument");
}

TEST_F(LettersTest, AnEditIsANewRevision) {
  EXPECT_EQ(ask(Method::put, in, R"({"body":"new"})").status, 200);
  auto row = letter("in/order-17");
  EXPECT_EQ(row.body, "new");
  EXPECT_TRUE(row.edited);
  EXPECT_EQ(row.revision, 2U);
  EXPECT_EQ(row.state, "parked");
  EXPECT_EQ(row.content_type, "application/json");
  EXPECT_EQ(ask(Method::put, in, R"({"body":"<x/>","content_type":"text/xml"})").status, 200);
  row = letter("in/order-17");
  EXPECT_EQ(row.revision, 3U);
  EXPECT_EQ(row.content_type, "text/xml");
  for (const char* body : {"", "{}", R"({"body":1})", R"({"body":"a","x":1})"})
    EXPECT_EQ(problem_of(ask(Method::put, in, body)), "invalid_argument") << body;
  ask(Method::post, in + "/replay");
  EXPECT_EQ(problem_of(ask(Method::put, in, R"({"body":"late"})")), "precondition_failed");
}

TEST_F(LettersTest, DiscardingAnEffectRefusesIt) {
  EXPECT_EQ(ask(Method::post, out + "/discard").status, 200);
  EXPECT_EQ(letter("out/order%2FA-3").state, "discarded");
  EXPECT_EQ(row_of(backend, hub::letters, "wms/out/order%2FA-3").find("open"), nullptr);
  const auto effect =
      integration::effect_row(row_of(backend, hub::effects, "wms/order%2FA-3")).value();
  EXPECT_EQ(effect.state, integration::EffectState::refused);
  EXPECT_EQ(effect.detail, "discarded by anybody");
  EXPECT_EQ(effect.finished, "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(ask(Method::post, in + "/discard").status, 200);
  EXPECT_EQ(letter("in/order-17").state, "discarded");
  EXPECT_EQ(items_of(ask(Method::get, letters), "letters").size(), 0U);
}

}  // namespace
}  // namespace mainstay::api
