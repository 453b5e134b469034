#include "runtime/wire/seal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/checksum.hpp"

namespace mainstay::wire {
namespace {

using namespace std::string_literals;

std::string sealed(SealKind kind, const std::string& content) {
  std::string bytes = std::string(seal_bytes, '\0') + content;
  close_seal(kind, bytes);
  return bytes;
}

Errc refusal_of(SealKind kind, std::string_view bytes, std::size_t most = 1000) {
  const auto checked = check_seal(kind, bytes, most);
  return checked ? Errc::internal : checked.error().code;
}

TEST(Seal, HasTheDocumentedGrammar) {
  const std::string bytes = sealed(SealKind::record, "content");
  EXPECT_EQ(bytes.substr(4), "\x08\x00\x01\x00"s + "content");
  const std::uint32_t crc = crc32c(bytes.substr(4));
  EXPECT_EQ(bytes.substr(0, 4),
            (std::string{static_cast<char>(crc), static_cast<char>(crc >> 8),
                         static_cast<char>(crc >> 16), static_cast<char>(crc >> 24)}));
}

TEST(Seal, SoundBytesPass) {
  EXPECT_TRUE(check_seal(SealKind::record, sealed(SealKind::record, "content"), 1000));
}

TEST(Seal, EachReasonHasItsKindOfError) {
  const std::string good = sealed(SealKind::record, "content");
  EXPECT_EQ(refusal_of(SealKind::record, ""), Errc::corrupt);
  EXPECT_EQ(refusal_of(SealKind::record, good.substr(0, 7)), Errc::corrupt);
  EXPECT_EQ(refusal_of(SealKind::record, good + "x"), Errc::corrupt);
  EXPECT_EQ(refusal_of(SealKind::operation, good), Errc::corrupt);
  EXPECT_EQ(refusal_of(SealKind::record, good, good.size() - 1), Errc::too_large);
  EXPECT_EQ(refusal_of(SealKind::record, good, good.size()), Errc::internal);
}

TEST(Seal, FormatOfALaterReleaseIsAWrongVersion) {
  std::string later = sealed(SealKind::record, "content");
  later[6] = 2;
  const std::uint32_t crc = crc32c(std::string_view{later}.substr(4));
  for (unsigned i = 0; i < 4; ++i) later[i] = static_cast<char>(crc >> (8 * i));
  EXPECT_EQ(refusal_of(SealKind::record, later), Errc::wrong_version);
}

TEST(Seal, RefusalsNameWhatWasRead) {
  EXPECT_THAT(check_seal(SealKind::snapshot_meta, "", 10).error().message,
              testing::StartsWith("snapshot description: "));
}

TEST(Seal, AlignedBytesAreTakenAsTheyAreAndOthersCopied) {
  const Bytes whole{std::string(64, 'x')};
  EXPECT_EQ(aligned(whole).view().data(), whole.view().data());
  EXPECT_EQ(aligned(whole.slice(8, 8)).view().data(), whole.view().data() + 8);
  const Bytes odd = whole.slice(1, 16);
  const Bytes copy = aligned(odd);
  EXPECT_EQ(copy, odd);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(copy.view().data()) % 8, 0u);
}

}  // namespace
}  // namespace mainstay::wire
