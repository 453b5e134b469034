#include "tests/fuzz/feed_mapping.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/integration/canonical.hpp"
#include "runtime/integration/fingerprint.hpp"
#include "runtime/integration/mapping.hpp"

namespace mainstay::fuzz {

namespace {

using integration::Mapped;

std::string text_of(const Mapped& mapped) {
  std::string text = mapped.trace;
  for (const auto& record : mapped.records)
    text += record.collection + record.key + record.sequence + json::to_text(record.value);
  for (const auto& effect : mapped.effects)
    text += effect.type + effect.key + effect.subject + json::to_text(effect.document);
  for (const std::string& pointer : mapped.unmapped) text += pointer;
  return text;
}

void check_mapped(const Mapped& mapped, const json::Value& document) {
  ASSERT_MSG(mapped.records.size() + mapped.effects.size() <= limits::mapping_outputs_max,
             "results are bounded");
  ASSERT_MSG(mapped.unmapped.size() <= limits::mapping_unmapped_max, "reports are bounded");
  for (const std::string& pointer : mapped.unmapped)
    ASSERT_MSG(json::find(document, pointer) != nullptr, "what is reported is there");
  for (const auto& record : mapped.records) {
    ASSERT_MSG(!record.key.empty() && record.key.size() <= limits::record_key_bytes_max,
               "a key is one");
    integration::canonical_violation(record);
  }
}

void check_fingerprint(const json::Value& document) {
  const auto first = integration::compare({}, document).next;
  ASSERT_MSG(integration::compare(first, document).drift == integration::Drift::unchanged,
             "what was seen is known");
  ASSERT_MSG(integration::Fingerprint::parse(first.to_json()).value() == first, "is read again");
}

}  // namespace

bool feed_mapping(std::string_view text) {
  constexpr std::string_view line = "\n---\n";
  const std::size_t at = text.find(line);
  if (at == std::string_view::npos) return false;
  const auto rules = json::parse(text.substr(0, at));
  const auto document = json::parse(text.substr(at + line.size()));
  if (!rules || !document) return false;
  check_fingerprint(*document);
  const auto mapping = integration::Mapping::parse(*rules);
  if (!mapping) {
    ASSERT_MSG(!mapping.error().message.empty(), "a refusal says why");
    return false;
  }
  const integration::MapContext context{"erp", "1", "2", "2026-11-22T22:47:05Z"};
  const auto mapped = (*mapping)->apply(*document, context);
  const auto again = (*mapping)->apply(*document, context);
  ASSERT_MSG(mapped.has_value() == again.has_value(), "a mapping is a function");
  if (!mapped) {
    ASSERT_MSG(!mapped.error().message.empty() && mapped.error() == again.error(),
               "a refusal says why");
    return false;
  }
  ASSERT_MSG(text_of(*mapped) == text_of(*again), "a mapping is a function");
  check_mapped(*mapped, *document);
  return true;
}

std::vector<std::string> mapping_samples() {
  return {
      R"({"mapping":"m","version":1,"tables":{"t":{"a":"b"}},"records":[{"collection":"orders",)"
      R"("key":{"$key":[{"$context":"adapter"},"/no"]},"sequence":"/v","value":{"order":"/no",)"
      R"("status":{"$lookup":"/s","table":"t","default":{"$const":"draft"}},"lines":{"$each":)"
      R"("/lines","value":{"line":{"$text":{"$index":1}},"quantity":{"$decimal":"q","scale":3,)"
      R"("round":"half_even"}}}}}],"trace":"/no","drop":["/lines/*/id"]})"
      "\n---\n"
      R"({"no":"SO-1","v":3,"s":"x","lines":[{"q":1.50,"id":1},{"q":"2"}],"note":null})",
      R"({"mapping":"m","version":2,"when":{"all":[{"value":"/a","above":0},{"not":{"value":)"
      R"("/b","exists":true}}]},"effects":[{"type":"t","each":["/x","y"],"key":{"$uuid":[)"
      R"({"$hash":"."},"../z"]},"subject":{"$format":"{{{q}}}"},"document":{"d":{"$date":"d",)"
      R"("pattern":"%d.%m.%Y %H:%M:%S","offset":"+02:00"},"u":{"$unit":"q","from":{"$const":)"
      R"("GRM"},"to":{"$const":"KGM"}},"s":{"$sum":["q",{"$product":["q","q"]}],"negate":true}}}]})"
      "\n---\n"
      R"({"a":"1.5","x":[{"z":1,"y":[{"q":"2","d":"22.11.2026 10:00:00"}]}]})",
      R"({"mapping":"m","version":3,"records":[{"collection":"stock_moves","operation":"post",)"
      R"("key":{"$concat":["a",{"$split":"b","by":",","part":1}],"separator":"-"},"value":{"$if":)"
      R"({"value":"a","in":[1,"x"]},"then":{"$first":["n","b"]},"else":[{"$text":"b","trim":true,)"
      R"("case":"upper"}]}}]})"
      "\n---\n"
      R"({"a":"x","b":"p,q","n":null})",
  };
}

}  // namespace mainstay::fuzz
