#include "runtime/store/log_format.hpp"

#include <cstring>

#include <fmt/format.h>

#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {
namespace {

Failure damaged(consensus::Index index, std::string_view why) {
  return fail(Errc::corrupt, fmt::format("log record {} is damaged: {}", index, why));
}

}  // namespace

Hash128 next_chain(const Hash128& previous, consensus::Index index, consensus::Term term,
                   std::string_view encoded) {
  const Hash128 content = xxh3_128(encoded);
  char link[48];
  put_little(link, previous[0]);
  put_little(link + 8, previous[1]);
  put_little(link + 16, index);
  put_little(link + 24, term);
  put_little(link + 32, content[0]);
  put_little(link + 40, content[1]);
  return xxh3_128({link, sizeof link});
}

Hash128 write_log_record(char* out, const consensus::Entry& entry, std::string_view encoded,
                         const Hash128& previous) {
  const Hash128 chain = next_chain(previous, entry.index, entry.term, encoded);
  out[4] = static_cast<char>(log_record_version);
  out[5] = static_cast<char>(entry.kind);
  put_little<std::uint16_t>(out + 6, 0);
  put_little(out + 8, chain[0]);
  put_little(out + 16, chain[1]);
  put_little(out + 24, entry.index);
  put_little(out + 32, entry.term);
  std::memcpy(out + log_header_bytes, encoded.data(), encoded.size());
  put_little(out, crc32c({out + 4, log_header_bytes - 4 + encoded.size()}));
  return chain;
}

Result<LogHeader> read_log_header(std::string_view record, consensus::Index expected) {
  if (record.size() < log_header_bytes) return damaged(expected, "too short");
  if (!MUTANT(crc_not_checked) &&
      get_little<std::uint32_t>(record.data()) != crc32c(record.substr(4)))
    return damaged(expected, "the checksum does not match");
  if (const auto version = static_cast<std::uint8_t>(record[4]); version != log_record_version)
    return fail(Errc::wrong_version,
                fmt::format("log record {} has the unknown version {}", expected, version));
  LogHeader header;
  header.kind = static_cast<consensus::EntryKind>(record[5]);
  header.chain = get_hash(record.data() + 8);
  header.index = get_little<std::uint64_t>(record.data() + 24);
  header.term = get_little<std::uint64_t>(record.data() + 32);
  if (header.index != expected && !MUTANT(crc_not_checked))
    return damaged(expected, fmt::format("it says it is record {}", header.index));
  return header;
}

Result<LogHeader> check_log_record(std::string_view record, consensus::Index expected,
                                   const Hash128& previous) {
  TRY_ASSIGN(const LogHeader header, read_log_header(record, expected));
  const std::string_view encoded = record.substr(log_header_bytes);
  if (!MUTANT(crc_not_checked) &&
      header.chain != next_chain(previous, header.index, header.term, encoded))
    return damaged(expected, "it does not follow the record before it");
  return header;
}

Result<consensus::Entry> decode_log_record(std::string_view record, const LogHeader& header) {
  const Bytes whole{
      std::string{record}};  // out of the database page, which the next write may reuse
  const Bytes encoded = whole.slice(log_header_bytes, record.size() - log_header_bytes);
  TRY_ASSIGN(consensus::Entry entry, wire::decode_entry(encoded));
  if (entry.index != header.index || entry.term != header.term || entry.kind != header.kind)
    return damaged(header.index, "header and entry disagree");
  return entry;
}

}  // namespace mainstay::store
