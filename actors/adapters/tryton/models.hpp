// Which models of the ERP are read, as what type of message, and which of their fields. Constant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mainstay::adapters::tryton {

// Rows that belong to a row and stand in its document: the lines of an order.
struct ChildModel {
  std::string member;              // of the document
  std::vector<std::string> links;  // fields of the row that list their ids
  std::string changed;             // the field whose rows are searched for changes
  std::string model;
  std::vector<std::string> fields;
};

struct ReadModel {
  std::string model;
  std::string type;                 // of its messages
  std::string kind;                 // of its observations
  std::vector<std::string> fields;  // beside id, _timestamp, create_date, write_date
  std::vector<ChildModel> children;
  std::vector<std::string> states;  // only these; none: all
};

const std::vector<ReadModel>& known_models();
const ReadModel* known_model(std::string_view model);

}  // namespace mainstay::adapters::tryton
