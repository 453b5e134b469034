// The kinds of files: how one is cut into messages, what a message says, and how a document is
// written. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/adapters/common/settings.hpp"
#include "actors/adapters/file/csv.hpp"
#include "actors/adapters/file/xml.hpp"
#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::adapters {

enum class FileFormat : std::uint8_t { csv, json, ndjson, xml };
enum class FileEncoding : std::uint8_t { utf8, latin1, windows1252, utf16 };

struct FileForm {
  FileFormat format = FileFormat::json;
  FileEncoding encoding = FileEncoding::utf8;
  CsvDialect csv;
  XmlForm xml;
  bool whole = true;                  // a file is one message; else each row is one
  std::vector<std::string> group_by;  // CSV: rows in a row with the same values are one message
  std::string rows;                   // JSON: pointer to the array; XML: path of the elements
  std::string root = "document";      // XML written: the outer element if there is none
};

// Takes format, encoding, split and what belongs to them.
FileForm take_form(Settings& settings);

// The text in UTF-8, without a byte order mark. Errors: invalid_argument, with the byte.
Result<std::string> to_utf8(std::string content, FileEncoding encoding);

// One part of a file: its number from 1, and what stands there (CSV: below the header).
struct FilePart {
  std::size_t number = 1;
  std::string body;
};
// `text` is UTF-8. Errors: invalid_argument: it cannot be cut.
Result<std::vector<FilePart>> cut(std::string text, const FileForm& form);

// The document that a part is. CSV: an object for a row; {"rows": [...]} for a group or a file.
// NDJSON: the line's value; {"rows": [...]} for a file. Errors: invalid_argument.
Result<json::Value> read_part(std::string_view body, const FileForm& form);

// A document as a file. CSV: columns of the form (pointers or names), a line for the document or,
// with `rows`, one for each item there. Errors: invalid_argument.
Result<std::string> write_file(const json::Value& document, const FileForm& form);

}  // namespace mainstay::adapters
