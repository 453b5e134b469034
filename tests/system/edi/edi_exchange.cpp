// edi_exchange write DIRECTORY COUNT: random interchanges of every guide, "<n>.<standard>", and
// beside each the segments in it as JSON, "<n>.json". edi_exchange read FILE: the segments of a
// file.
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "runtime/integration/edi/envelope.hpp"
#include "tests/unit/integration/edi/random_documents.hpp"

namespace mainstay::edi {
namespace {

json::Value json_of(const std::vector<Segment>& segments) {
  json::Array all;
  for (const Segment& segment : segments) {
    json::Array elements{json::Value::string(segment.tag)};
    for (const Element& element : segment.elements) {
      json::Array parts;
      if (!element.repeats.empty())
        for (const std::string& part : element.repeats[0])
          parts.push_back(json::Value::string(part));
      elements.push_back(json::Value::array(std::move(parts)));
    }
    all.push_back(json::Value::array(std::move(elements)));
  }
  return json::Value::array(std::move(all));
}

int write(const std::filesystem::path& directory, std::size_t count) {
  SeededRandom random{23};
  const auto& guides = usual_guides();
  for (std::size_t i = 0; i < count; ++i) {
    const Guide& guide = guides[i % guides.size()];
    const bool x12 = guide.standard == Standard::x12;
    Envelope envelope;
    envelope.standard = guide.standard;
    envelope.delimiters = usual_delimiters(guide.standard);
    envelope.sender = {"ZZ", "US"};
    envelope.receiver = {"ZZ", "THEM"};
    envelope.date = "20261128";
    envelope.time = "0715";
    envelope.control = std::to_string(i + 1);
    if (!x12) envelope.version = "D:96A:UN";
    RandomDocuments documents{random, x12 ? "abcXYZ019.,-_" : "abcXYZ019.,-+:?"};
    const auto segments = write_document(guide, documents.document(guide));
    const auto text = segments ? write_interchange(envelope, guide.set, guide.group, *segments)
                               : Failure{segments.error()};
    if (!text) return std::fprintf(stderr, "%s\n", text.error().message.c_str());
    const std::string name = std::to_string(i);
    std::ofstream{directory / (name + (x12 ? ".x12" : ".edifact"))} << *text;
    std::ofstream{directory / (name + ".json")} << json::to_text(
        json_of(read_interchanges(*text).value()[0].groups[0].transactions[0].segments));
  }
  return 0;
}

int read(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  const auto interchanges = read_interchanges(text.str());
  if (!interchanges) return 1 + std::fprintf(stderr, "%s\n", interchanges.error().message.c_str());
  const Transaction& transaction = interchanges->at(0).groups.at(0).transactions.at(0);
  if (!transaction.fault.message.empty())
    return 1 + std::fprintf(stderr, "%s\n", transaction.fault.message.c_str());
  std::cout << json::to_text(json_of(transaction.segments)) << "\n";
  return 0;
}

}  // namespace
}  // namespace mainstay::edi

int main(int argc, char** argv) {
  const std::vector<std::string> words{argv + 1, argv + argc};
  if (words.size() == 3 && words[0] == "write")
    return mainstay::edi::write(words[1], static_cast<std::size_t>(std::stoul(words[2])));
  if (words.size() == 2 && words[0] == "read") return mainstay::edi::read(words[1]);
  std::fprintf(stderr, "usage: edi_exchange write DIRECTORY COUNT | read FILE\n");
  return 2;
}
