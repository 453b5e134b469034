// XML as JSON, and back; the only place that sees pugixml. Pure. The convention:
//
//   <order no="7">             {"order": {"@no": "7",          an attribute: "@name"
//     <customer>C1</customer>    "customer": "C1",             only text: a text
//     <line><sku>A</sku></line>  "line": [{"sku": "A"},        several of a name: an array
//     <line>B<note/></line>               {"#text": "B",       text beside others: "#text"
//   </order>                               "note": ""}]}}      empty: ""
//
// A name that may come once or often is given in `arrays`: then it is an array always. Prefixes
// stay part of names. The order of elements of different names is not kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::adapters {

struct XmlForm {
  std::vector<std::string> arrays;
};

// {"root": ...}. Errors: invalid_argument with the byte: no XML, or deeper than JSON may be.
Result<json::Value> xml_to_json(std::string_view text, const XmlForm& form);
// The elements at a path "orders/order", each as a text of its own. Errors: as above.
Result<std::vector<std::string>> xml_elements(std::string_view text, std::string_view path);
// REQUIRES nothing of the document: what is no object with one member gets `root` around it.
// Errors: invalid_argument: a name that XML does not allow.
Result<std::string> json_to_xml(const json::Value& value, std::string_view root);

}  // namespace mainstay::adapters
