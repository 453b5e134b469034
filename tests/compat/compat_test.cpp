// The golden corpus: corpus/<release>/<sample>.hex is what that release wrote. Every later release
// must read all of them, and the release in development must write exactly what its own directory
// holds.
//   compat_test            checks
//   compat_test --rewrite  makes the directory of this release; review the difference: a changed
//   line is a changed format
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/compat/samples.hpp"

namespace mainstay::compat {
namespace {

namespace fs = std::filesystem;

const fs::path corpus = MAINSTAY_CORPUS;
const std::string release = MAINSTAY_RELEASE;

// 32 bytes a line, so that a difference shows where it is.
std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += digits[byte >> 4];
    text += digits[byte & 15];
    if (i % 32 == 31 || i + 1 == bytes.size()) text += '\n';
  }
  return text;
}

std::string from_hex(std::istream& in) {
  std::string bytes;
  for (std::string line; in >> line;)
    for (std::size_t i = 0; i + 1 < line.size(); i += 2)
      bytes += static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16));
  return bytes;
}

std::map<std::string, Sample> samples_by_name() {
  std::map<std::string, Sample> samples;
  for (Sample& sample : all_samples()) {
    const std::string name = sample.name;
    EXPECT_TRUE(samples.emplace(name, std::move(sample)).second) << name << " is there twice";
  }
  return samples;
}

std::vector<fs::path> files_of_all_releases() {
  std::vector<fs::path> files;
  for (const auto& file : fs::recursive_directory_iterator(corpus))
    if (file.is_regular_file()) files.push_back(file.path());
  return files;
}

std::string bytes_in(const fs::path& path) {
  std::ifstream in{path};
  return from_hex(in);
}

TEST(Compat, TodaysDecoderReadsEveryReleasesBytesToTheSameValues) {
  const auto samples = samples_by_name();
  const auto files = files_of_all_releases();
  EXPECT_FALSE(files.empty());
  for (const fs::path& file : files) {
    const auto sample = samples.find(file.stem().string());
    ASSERT_NE(sample, samples.end())
        << file << " has no sample any more; samples are never removed";
    const auto again = sample->second.read_and_write(Bytes{bytes_in(file)});
    ASSERT_TRUE(again) << file << ": " << to_string(again.error());
    EXPECT_EQ(to_hex(*again), to_hex(sample->second.bytes)) << file << " is read to another value";
  }
}

TEST(Compat, ThisReleaseWritesWhatItsCorpusHolds) {
  for (const Sample& sample : all_samples()) {
    const fs::path file = corpus / release / (sample.name + ".hex");
    ASSERT_TRUE(fs::exists(file))
        << file << " is missing: make the corpus of this release with compat_test --rewrite";
    EXPECT_EQ(to_hex(bytes_in(file)), to_hex(sample.bytes)) << file;
  }
}

int rewrite() {
  fs::create_directories(corpus / release);
  for (const Sample& sample : all_samples())
    std::ofstream{corpus / release / (sample.name + ".hex")} << to_hex(sample.bytes);
  std::cout << "wrote the corpus of release " << release << "\n";
  return 0;
}

}  // namespace
}  // namespace mainstay::compat

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::string_view{argv[1]} == "--rewrite") return mainstay::compat::rewrite();
  return RUN_ALL_TESTS();
}
