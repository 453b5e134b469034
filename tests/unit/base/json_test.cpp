#include "runtime/base/json.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::json {
namespace {

std::string round(std::string_view text) {
  const auto value = parse(text);
  return value ? to_text(*value) : value.error().message;
}

TEST(Json, KeepsNumbersAndTheOrderOfMembers) {
  for (const char* text :
       {R"({"b":1.50,"a":1e3,"c":-0,"d":123456789012345678901234567890.000000000000000000001})",
        "[]", "{}", "null", "true", "0", "-1.0E-5", R"("a\"\\\n\u0001/")", R"([1,[2,{"x":[]}]])"})
    EXPECT_EQ(round(text), text);
  EXPECT_EQ(round(" { \"a\" : [ 1 , 2 ] } "), R"({"a":[1,2]})");
  EXPECT_EQ(round(R"("\u00e9\ud83d\ude00")"), "\"\xc3\xa9\xf0\x9f\x98\x80\"");
}

TEST(Json, RefusesWhatIsNotJsonAndSaysWhere) {
  for (const char* text : {"", " ", "{", "[1,]", "01", "+1", ".5", "1.", "nul", "'a'", "{\"a\":1}x",
                           "\"\\ud800\"", "\"\xff\"", "\"\n\"", "[1] [2]", "{\"a\" 1}", "NaN"})
    EXPECT_THAT(round(text), testing::HasSubstr("not JSON: ")) << text;
  EXPECT_THAT(round("[1,]"), testing::EndsWith("at byte 3"));
}

TEST(Json, RefusesRepeatedNames) {
  EXPECT_THAT(round(R"({"a":1,"b":{"x":1,"y":2,"x":3}})"), testing::HasSubstr("'x' stands twice"));
  std::string large = "{";
  for (int i = 0; i < 100; ++i) large += "\"m" + std::to_string(i) + "\":0,";
  EXPECT_THAT(round(large + "\"m7\":1}"), testing::HasSubstr("'m7' stands twice"));
  EXPECT_EQ(round(large + "\"m100\":1}"), large + "\"m100\":1}");
}

TEST(Json, NestsToADepthAndNoDeeper) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(round(nested(depth_max)), nested(depth_max));
  EXPECT_THAT(round(nested(depth_max + 1)), testing::HasSubstr("deeper than 32"));
  EXPECT_THAT(round(nested(100'000)), testing::HasSubstr("deeper than 32"));
}

TEST(Json, EqualIsBySizeAndInAnyOrder) {
  const auto same = [](std::string_view a, std::string_view b) { return *parse(a) == *parse(b); };
  EXPECT_TRUE(same("1", "1.0"));
  EXPECT_TRUE(same("100", "1e2"));
  EXPECT_TRUE(same("0", "-0.000"));
  EXPECT_TRUE(same(R"({"a":1,"b":[2]})", R"({"b":[2.0],"a":1})"));
  EXPECT_FALSE(same("1", "\"1\""));
  EXPECT_FALSE(same("9007199254740993", "9007199254740992"));  // the same as doubles
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":1,"b":null})"));
  EXPECT_FALSE(same("[1,2]", "[2,1]"));
}

TEST(Json, CanonicalTextIsTheSameForEqualValues) {
  const auto canonical = [](std::string_view text) { return canonical_text(*parse(text)); };
  EXPECT_EQ(canonical(R"({"b":1.50,"a":{"d":1e2,"c":-0}})"), R"({"a":{"c":0,"d":100},"b":1.5})");
  EXPECT_EQ(canonical("0.00100"), "0.001");
  EXPECT_EQ(canonical("12.5e-1"), "1.25");
  EXPECT_EQ(canonical("1e400"), "1e400");
  EXPECT_EQ(canonical("-2.50e-400"), "-25e-401");
}

TEST(Json, PointersLeadToParts) {
  const Value value = *parse(R"({"a":[10,{"b/c":1,"m~n":2}],"":3})");
  const auto at = [&](std::string_view pointer) {
    const Value* found = find(value, pointer);
    return found == nullptr ? std::string{"nothing"} : to_text(*found);
  };
  EXPECT_EQ(at(""), to_text(value));
  EXPECT_EQ(at("/a/0"), "10");
  EXPECT_EQ(at("/a/1/b~1c"), "1");
  EXPECT_EQ(at("/a/1/m~0n"), "2");
  EXPECT_EQ(at("/"), "3");
  for (const char* none :
       {"/x", "/a/2", "/a/-", "/a/00", "/a/0/b", "/a/ 1", "/a/99999999999999999999"})
    EXPECT_EQ(at(none), "nothing") << none;
  EXPECT_TRUE(check_pointer("/a~0b~1c"));
  EXPECT_FALSE(check_pointer("a"));
  EXPECT_FALSE(check_pointer("/a~2"));
  EXPECT_FALSE(check_pointer("/a~"));
}

// The cases of RFC 7396, appendix A.
TEST(Json, MergesAsTheStandardSays) {
  const char* cases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", "{}"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}};
  for (const auto& [target, patch, expected] : cases) {
    Value value = *parse(target);
    merge(value, *parse(patch));
    EXPECT_EQ(to_text(value), expected) << target << " " << patch;
  }
}

// Above the size where members are looked up by a table, the outcome is that of one by one.
TEST(Json, LargePatchesDoAsSmallOnes) {
  EXPECT_TRUE(rc::check("a patch is the sum of its members", [] {
    Value target = Value::object();
    Value patch = Value::object();
    for (int i = 0; i < 60; ++i) {
      const std::string name = "m" + std::to_string(i);
      if (*rc::gen::arbitrary<bool>()) target.set(name, Value::number("1"));
      const int what = *rc::gen::inRange(0, 3);
      if (what != 0) patch.set(name, what == 1 ? Value{} : Value::string("new"));
    }
    Value by_one = target;
    for (const Member& member : patch.members()) merge(by_one, Value::object({member}));
    merge(target, patch);
    RC_ASSERT(to_text(target) == to_text(by_one));
  }));
}

Value random_value(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 6 : 4)) {
    case 0:
      return {};
    case 1:
      return Value::boolean(*rc::gen::arbitrary<bool>());
    case 2:
      return Value::number(std::to_string(*rc::gen::arbitrary<int>()) + ".5e" +
                           std::to_string(*rc::gen::inRange(-30, 30)));
    case 3:
      return Value::string(*rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)));
    case 4: {
      Value array = Value::array();
      const int size = *rc::gen::inRange(0, 5);
      for (int i = 0; i < size; ++i) array.items().push_back(random_value(depth - 1));
      return array;
    }
    default: {
      Value object = Value::object();
      const int size = *rc::gen::inRange(0, 5);
      for (int i = 0; i < size; ++i)
        object.set(*rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)),
                   random_value(depth - 1));
      return object;
    }
  }
}

TEST(Json, TextsComeBackAsTheSameValues) {
  EXPECT_TRUE(rc::check("parse(to_text(v)) is v, and other parsers agree", [] {
    const Value value = random_value(4);
    const std::string text = to_text(value);
    const auto again = parse(text);
    RC_ASSERT(again.has_value());
    RC_ASSERT(to_text(*again) == text);
    RC_ASSERT(*again == value);
    RC_ASSERT(canonical_text(*parse(canonical_text(value))) == canonical_text(value));
    RC_ASSERT(*parse(canonical_text(value)) == value);
    boost::system::error_code code;
    boost::json::parse(text, code);
    RC_ASSERT(!code);
  }));
}

TEST(Json, DamagedTextsAreRefusedOrRead) {
  EXPECT_TRUE(rc::check("never more than an error", [] {
    std::string text = to_text(random_value(4));
    const int changes = *rc::gen::inRange(1, 4);
    for (int i = 0; i < changes && !text.empty(); ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
      text[at] = *rc::gen::elementOf(std::string{"{}[],:\"\\0-e.u\x80\x01"});
    }
    const auto value = parse(text);
    if (value) RC_ASSERT(*parse(to_text(*value)) == *value);
  }));
}

TEST(Json, NumbersAreOrderedBySize) {
  EXPECT_TRUE(rc::check("as the integers that they are, shifted", [] {
    const auto a = *rc::gen::inRange<long>(-100'000, 100'000);
    const auto b = *rc::gen::inRange<long>(-100'000, 100'000);
    const int digits = *rc::gen::inRange(0, 4);
    const auto text = [&](long n) { return std::to_string(n) + "e-" + std::to_string(digits); };
    const auto shifted = [&](long n) {
      return std::to_string(n) +
             std::string(static_cast<std::size_t>(*rc::gen::inRange(0, 3)), '0');
    };
    RC_ASSERT((number_of(text(a)) <=> number_of(text(b))) == (a <=> b));
    RC_ASSERT(number_of(shifted(a)).is_integer());
  }));
  EXPECT_TRUE(number_of("1.0").is_integer());
  EXPECT_FALSE(number_of("1.01").is_integer());
  EXPECT_TRUE(number_of("0").is_integer());
}

}  // namespace
}  // namespace mainstay::json
