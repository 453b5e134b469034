// Reads the ERP: what is new, a part of the past, and what it holds now.
//
// The ERP has no feed of changes. `write_date` is when a transaction began, not when it ended: what
// is read again is everything behind the watermark less an overlap, longer than any transaction.
// What was seen there already is known by its version (`_timestamp` of a row and of those that
// belong to it). A slow sweep over all ids and versions finds what still was lost, and what was
// deleted.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/adapters/tryton/json_rpc.hpp"
#include "actors/adapters/tryton/models.hpp"
#include "actors/adapters/tryton/position.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters::tryton {

struct ReaderOptions {
  std::vector<ReadModel> models;
  Millis overlap{60'000};
  Millis sweep{600'000};  // from the end of one to the beginning of the next; 0: none
  std::size_t page_rows = 200;
  std::size_t seen_max = 1'000;                        // of one model, kept in the position
  std::vector<std::string> stock_types = {"storage"};  // of locations, for observe("stock")
};

class Reader {
 public:
  // `rpc` and `clock` must outlive this.
  Reader(JsonRpc& rpc, const sys::Clock& clock, ReaderOptions options);

  Result<integration::Page> fetch(const std::string& position, std::size_t messages_max);
  Result<integration::Page> backfill(const integration::Range& range, const std::string& position,
                                     std::size_t messages_max);
  Result<integration::ObservedPage> observe(const std::string& kind, const std::string& after);

 private:
  struct Stamp {  // a row without its content
    Id id = 0;
    std::string version;
    std::string modified;
  };
  struct Document {
    Stamp stamp;
    json::Value value;
  };

  const ReadModel* model_of_type(std::string_view type) const;
  const ReadModel* model_of_kind(std::string_view kind) const;

  Result<void> read_changes(const ReadModel& model, ModelPosition& at, std::size_t room,
                            integration::Page& page);
  Result<std::string> newest(const ReadModel& model);
  Result<std::vector<Stamp>> stamps(const ReadModel& model, json::Value domain, std::size_t limit);
  Result<std::vector<Document>> documents(const ReadModel& model, const Ids& which);
  Result<std::map<Id, json::Value>> children(const ChildModel& child, const Ids& which);
  Result<std::vector<std::string>> existing(const std::string& model,
                                            const std::vector<std::string>& fields);

  Result<void> sweep(Position& position, std::size_t room, integration::Page& page);
  Result<void> sweep_block(const ReadModel& model, Position& position, std::size_t room,
                           integration::Page& page);
  Result<void> next_block(const ReadModel& model, Position& position);

  Result<integration::ObservedPage> observe_stock(const std::string& after);

  JsonRpc& rpc_;
  const sys::Clock& clock_;
  const ReaderOptions options_;
  std::map<std::string, std::set<std::string>> fields_;  // of models, as the ERP says
};

}  // namespace mainstay::adapters::tryton
