#include "runtime/store/identity.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "runtime/base/checksum.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::store {
namespace {

constexpr const char* file_name = "identity.json";
constexpr std::string_view phase_names[] = {"initialising", "ready", "starting over"};

Failure damaged(std::string_view why) {
  return fail(Errc::corrupt, fmt::format("identity.json is damaged: {}", why));
}

// Over the values as they are written, each behind a character that no value of a fixed form
// contains.
std::string check_of(std::uint32_t format, const IdentityFile& file) {
  const std::string all =
      fmt::format("{}\n{}\n{}\n{:016x}\n{}\n{}", format, to_string(file.identity.cluster),
                  file.identity.node.value, file.identity.incarnation.value,
                  phase_names[static_cast<std::size_t>(file.phase)], file.reason);
  return fmt::format("{:08x}", crc32c(all));
}

const boost::json::string* text_at(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr ? value->if_string() : nullptr;
}

std::optional<std::uint64_t> number_at(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value->get_int64());
}

std::optional<Phase> phase_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(phase_names); ++i)
    if (phase_names[i] == name) return static_cast<Phase>(i);
  return std::nullopt;
}

Result<IdentityFile> parse_fields(const boost::json::object& object) {
  const auto node = number_at(object, "node");
  const auto* cluster = text_at(object, "cluster");
  const auto* incarnation = text_at(object, "incarnation");
  const auto* phase_name = text_at(object, "phase");
  const auto* reason = text_at(object, "reason");
  if (!node || cluster == nullptr || incarnation == nullptr || phase_name == nullptr ||
      reason == nullptr)
    return damaged("a field is missing");
  const auto phase = phase_of({phase_name->data(), phase_name->size()});
  if (!phase) return damaged("its phase is unknown");
  IdentityFile file;
  TRY_ASSIGN(file.identity.cluster.words, words_of_hex({cluster->data(), cluster->size()}));
  TRY_ASSIGN(const auto life, words_of_hex("0000000000000000" +
                                           std::string{incarnation->data(), incarnation->size()}));
  file.identity.incarnation.value = life[1];
  file.identity.node.value = *node;
  file.phase = *phase;
  file.reason = std::string{reason->data(), reason->size()};
  return file;
}

}  // namespace

std::string format_identity(const IdentityFile& file) {
  return fmt::format(
      "{{\n"
      "  \"format\": {},\n"
      "  \"cluster\": \"{}\",\n"
      "  \"node\": {},\n"
      "  \"incarnation\": \"{:016x}\",\n"
      "  \"phase\": \"{}\",\n"
      "  \"reason\": {},\n"
      "  \"check\": \"{}\"\n"
      "}}\n",
      directory_format, to_string(file.identity.cluster), file.identity.node.value,
      file.identity.incarnation.value, phase_names[static_cast<std::size_t>(file.phase)],
      boost::json::serialize(boost::json::value(file.reason)), check_of(directory_format, file));
}

Result<IdentityFile> parse_identity(const std::string& text) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  if (error || !value.is_object()) return damaged("it is not a JSON object");
  const auto format = number_at(value.get_object(), "format");
  if (!format) return damaged("its format version is missing");
  if (*format != directory_format)
    return fail(Errc::wrong_version,
                fmt::format("the data directory has format version {}, this program knows version "
                            "{}: run the release that wrote it, or a "
                            "newer one",
                            *format, directory_format));
  auto file = parse_fields(value.get_object());
  if (!file) return damaged(file.error().message);
  const auto* check = text_at(value.get_object(), "check");
  if (check == nullptr ||
      check_of(directory_format, *file) != std::string_view{check->data(), check->size()})
    return damaged("the check value does not match");
  return file;
}

Result<std::optional<IdentityFile>> read_identity(const std::filesystem::path& directory) {
  const auto text = sys::read_file(directory / file_name, limits::identity_bytes_max);
  if (!text && text.error().code == Errc::not_found) return std::optional<IdentityFile>{};
  if (!text) return Failure{text.error()};
  TRY_ASSIGN(IdentityFile file, parse_identity(*text));
  return std::optional{std::move(file)};
}

Result<void> write_identity(const std::filesystem::path& directory, const IdentityFile& file) {
  return sys::write_file_durably(directory / file_name, format_identity(file));
}

}  // namespace mainstay::store
