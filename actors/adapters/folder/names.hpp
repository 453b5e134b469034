// Names of files: patterns, names made from templates, names of archived files. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters {

// `*`: any run of characters, `?`: one.
bool matches(std::string_view pattern, std::string_view name);

// "orders.csv" -> "orders.<first 16 digits of the hash>.csv"; and back. nullopt: no such name.
std::string archive_name(std::string_view name, std::string_view hash);
std::optional<std::string> name_of_archived(std::string_view archived);

// One text as a part of a file name: different texts give different parts, whatever they hold.
// '/' becomes '_', everything but letters, digits, '.' and '-' becomes %xx; a long one ends in its
// hash.
std::string file_name_part(std::string_view text);

// "{key}.json", with {key}, {type}, {subject} and {/pointer/into/the/document}.
Result<void> check_template(std::string_view text);
Result<std::string> fill_template(std::string_view text, const integration::Effect& effect);

// 32 hexadecimal digits.
std::string content_hash(std::string_view content);

}  // namespace mainstay::adapters
