// The workers that write: sets, counters, ledgers, transactions.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/torture/worker.hpp"

namespace mainstay::torture {

namespace {

constexpr const char* json_type = "application/json";
constexpr std::size_t told_max = 5;  // rows of one comparison
constexpr Millis list_patience{20'000};

std::string record_target(const std::string& collection, const std::string& key) {
  return "/v1/collections/" + collection + "/records/" + key;
}

Ask put(const std::string& collection, const std::string& key, std::string body,
        std::string operation) {
  return {http::Method::put,
          record_target(collection, key),
          std::move(body),
          std::move(operation),
          {{"Content-Type", json_type}}};
}

// Every row of a list at one node, page by page. False: the node did not give them.
template <class Take>
bool each_row(Courier& courier, std::uint32_t node, const std::string& target,
              const std::string& member, const Take& take) {
  std::string after;
  for (;;) {
    const Answer answer = courier.ask_node(
        node, {http::Method::get, fmt::format("{}&limit=1000&after={}", target, after)},
        list_patience);
    if (!answer.good()) return false;
    const json::Value page = object_in(answer.body);
    const json::Value* rows = page.find(member);
    if (rows == nullptr) return false;
    for (const json::Value& row : rows->items()) take(row);
    after = text_of(page, "next");
    if (after.empty()) return true;
  }
}

void tell(Evidence& evidence, const char* check, const std::string& what, std::uint32_t node,
          const std::vector<std::string>& rows) {
  if (rows.empty()) return;
  std::string text = fmt::format("{} {} at node {}:", rows.size(), what, node);
  for (std::size_t i = 0; i < std::min(rows.size(), told_max); ++i)
    text.append(" ").append(rows[i]);
  evidence.wrong(check, std::move(text));
}

// What all writers of numbered rows do: each row once, with a definite outcome; and at the end the
// rows of every node compared.
class NumberedWriter : public Worker {
 public:
  NumberedWriter(Courier& courier, Evidence& evidence, const std::string& name)
      : Worker{courier, evidence}, made_{name} {}

 protected:
  // Whether it happened. `operation` is named after the row.
  bool write(const Ask& ask) {
    const Answer answer = courier_.ask(ask);
    evidence_.looked(check::outcome);
    if (answer.good()) return true;
    Courier::Fate fate = Courier::Fate::refused;
    if (answer.status == 0) fate = courier_.settle(ask.operation);
    if (fate == Courier::Fate::committed) return true;
    if (fate == Courier::Fate::unknown) {
      made_.doubt_last();
      evidence_.wrong(check::outcome, ask.operation + " stayed unknown");
    } else {
      made_.drop_last();
      if (answer.status != 0 && answer.status != 412 && answer.status != 409)
        evidence_.wrong(check::outcome, fmt::format("{} was refused with {}: {:.120}",
                                                    ask.operation, answer.status, answer.body));
    }
    return false;
  }

  void compare(std::uint32_t node, const std::string& target, const std::string& member,
               const std::string& key) {
    Numbered::Comparison comparison{made_};
    std::vector<std::string> doubled;
    const bool whole = each_row(courier_, node, target + "?prefix=" + made_.prefix() + "-", member,
                                [&](const json::Value& row) {
                                  comparison.see(text_of(row, key));
                                  if (number_of(row, "version") > 1)
                                    doubled.push_back(text_of(row, key));
                                });
    comparison.end();
    evidence_.looked(check::acknowledged, comparison.seen());
    evidence_.looked(check::doubled, comparison.seen());
    if (!whole) evidence_.wrong(check::acknowledged, fmt::format("node {} lists no rows", node));
    tell(evidence_, check::acknowledged, "rows missing", node, comparison.missing());
    tell(evidence_, check::doubled, "rows that must not be", node, comparison.foreign());
    tell(evidence_, check::doubled, "rows written twice", node, doubled);
  }

  Numbered made_;
};

class SetWriter final : public NumberedWriter {
 public:
  SetWriter(Courier& courier, Evidence& evidence, const std::string& name, std::uint32_t nodes)
      : NumberedWriter{courier, evidence, name}, nodes_{nodes} {}

  void step() override {
    const std::string key = made_.next();
    write(put("torture-set", key, fmt::format(R"({{"by":"{}"}})", key), key));
  }

  void finish(std::uint64_t /*revision*/) override {
    for (std::uint32_t node = 1; node <= nodes_; ++node)
      compare(node, "/v1/collections/torture-set/records", "records", "key");
  }

  void plant_lost_write() override { made_.next(); }

 private:
  const std::uint32_t nodes_;
};

struct Transfer {
  std::size_t from = 0, to = 0;
  std::int64_t quantity = 0;

  static Transfer draw(Random& random) {
    Transfer transfer;
    transfer.from = random.between(0, accounts_count - 1);
    transfer.to = (transfer.from + random.between(1, accounts_count - 1)) % accounts_count;
    transfer.quantity = static_cast<std::int64_t>(random.between(1, 1000));
    return transfer;
  }

  std::string members() const {
    return fmt::format(R"("quantity":"{}","from":{{"account":"A{}"}},"to":{{"account":"A{}"}})",
                       quantity, from, to);
  }

  void add_to(Sums& sums) const {
    sums.accounts[from] -= quantity;
    sums.accounts[to] += quantity;
  }
};

class LedgerWriter final : public NumberedWriter {
 public:
  LedgerWriter(Courier& courier, Evidence& evidence, Sums& sums, const std::string& name,
               std::uint64_t seed)
      : NumberedWriter{courier, evidence, name}, sums_{sums}, random_{seed} {}

  void step() override {
    const std::string id = made_.next();
    const Transfer transfer = Transfer::draw(random_);
    const Ask ask{http::Method::post,
                  "/v1/collections/torture-ledger/entries",
                  fmt::format(R"({{"id":"{}",{}}})", id, transfer.members()),
                  id,
                  {{"Content-Type", json_type}}};
    if (write(ask)) transfer.add_to(sums_);
  }

  void finish(std::uint64_t /*revision*/) override {
    compare(1, "/v1/collections/torture-ledger/entries", "entries", "id");
  }

 private:
  Sums& sums_;
  SeededRandom random_;
};

class PairWriter final : public NumberedWriter {
 public:
  PairWriter(Courier& courier, Evidence& evidence, Sums& sums, const std::string& name,
             std::uint64_t seed)
      : NumberedWriter{courier, evidence, name}, sums_{sums}, random_{seed} {}

  void step() override {
    if (random_.between(0, 2) == 0)
      look();
    else
      change();
  }

  void finish(std::uint64_t /*revision*/) override {
    look();
    compare(1, "/v1/collections/torture-ledger/entries", "entries", "id");
  }

 private:
  void change() {
    const std::string id = made_.next();
    const Transfer transfer = Transfer::draw(random_);
    const std::uint64_t pair = random_.between(1, pairs);
    const std::string record =
        R"({{"put":{{"collection":"torture-pairs","key":"{}-{}","value":"{}"}}}})";
    const Ask ask{
        http::Method::post,
        "/v1/transactions",
        fmt::format(
            R"({{"operations":[{},{},{{"post":{{"collection":"torture-ledger","id":"{}","entry":{{{}}}}}}}]}})",
            fmt::format(fmt::runtime(record), pair, "a", id),
            fmt::format(fmt::runtime(record), pair, "b", id), id, transfer.members()),
        id,
        {{"Content-Type", json_type}}};
    if (write(ask)) transfer.add_to(sums_);
  }

  // One page is a view of one moment: both of a pair are of the same commit.
  void look() {
    const Answer answer =
        courier_.ask({http::Method::get, "/v1/collections/torture-pairs/records?limit=1000"});
    if (!answer.good()) return;
    std::map<std::string, std::vector<std::string>> values;
    const json::Value page = object_in(answer.body);
    if (const json::Value* rows = page.find("records"); rows != nullptr)
      for (const json::Value& row : rows->items()) {
        const std::string key = text_of(row, "key");
        values[key.substr(0, key.find('-'))].push_back(text_of(row, "value") + "@" +
                                                       std::to_string(number_of(row, "revision")));
      }
    evidence_.looked(check::atomic, values.size());
    for (const auto& [pair, both] : values)
      if (both.size() != 2 || both[0] != both[1])
        evidence_.wrong(check::atomic, fmt::format("pair {} at revision {}: {}", pair,
                                                   answer.revision, fmt::join(both, " and ")));
  }

  static constexpr std::uint64_t pairs = 8;
  Sums& sums_;
  SeededRandom random_;
};

class CounterWriter final : public NumberedWriter {
 public:
  CounterWriter(Courier& courier, Evidence& evidence, Sums& sums, const std::string& name,
                std::uint64_t seed)
      : NumberedWriter{courier, evidence, name}, sums_{sums}, random_{seed} {}

  void step() override {
    const std::size_t counter = random_.between(0, counters_count - 1);
    const std::string key = fmt::format("C{}", counter);
    const Answer before = courier_.ask({http::Method::get, record_target("torture-counters", key)});
    if (before.status == 0 || (!before.good() && before.status != 404)) return;
    const std::int64_t value = before.good() ? signed_in(before.body) : 0;
    Ask next = put("torture-counters", key, std::to_string(value + 1), made_.next());
    if (before.good())
      next.headers.emplace_back("If-Match", fmt::format("\"{}\"", before.version));
    else
      next.headers.emplace_back("If-None-Match", "*");
    if (write(next)) ++sums_.counters[counter];
  }

 private:
  Sums& sums_;
  SeededRandom random_;
};

}  // namespace

std::unique_ptr<Worker> set_writer(Courier& courier, Evidence& evidence, const std::string& name,
                                   std::uint32_t nodes) {
  return std::make_unique<SetWriter>(courier, evidence, name, nodes);
}

std::unique_ptr<Worker> counter_writer(Courier& courier, Evidence& evidence, Sums& sums,
                                       const std::string& name, std::uint64_t seed) {
  return std::make_unique<CounterWriter>(courier, evidence, sums, name, seed);
}

std::unique_ptr<Worker> ledger_writer(Courier& courier, Evidence& evidence, Sums& sums,
                                      const std::string& name, std::uint64_t seed) {
  return std::make_unique<LedgerWriter>(courier, evidence, sums, name, seed);
}

std::unique_ptr<Worker> pair_writer(Courier& courier, Evidence& evidence, Sums& sums,
                                    const std::string& name, std::uint64_t seed) {
  return std::make_unique<PairWriter>(courier, evidence, sums, name, seed);
}

void compare_sums(Courier& courier, Evidence& evidence, const Sums& sums, std::uint32_t nodes) {
  for (std::uint32_t node = 1; node <= nodes; ++node) {
    for (std::size_t i = 0; i < counters_count; ++i) {
      const Answer answer = courier.ask_node(
          node, {http::Method::get, record_target("torture-counters", fmt::format("C{}", i))},
          list_patience);
      const std::int64_t found = answer.good() ? signed_in(answer.body) : 0;
      evidence.looked(check::doubled);
      if (found != sums.counters[i])
        evidence.wrong(
            found > sums.counters[i] ? check::doubled : check::acknowledged,
            fmt::format("counter C{} is {} at node {}, and {} increments were acknowledged", i,
                        found, node, sums.counters[i].load()));
    }
    std::map<std::string, std::int64_t> balances;
    std::int64_t total = 0;
    const bool whole = each_row(courier, node, "/v1/collections/torture-ledger/balances?by=account",
                                "balances", [&](const json::Value& row) {
                                  const std::int64_t quantity = signed_in(text_of(row, "quantity"));
                                  balances[text_of(row, "account")] += quantity;
                                  total += quantity;
                                });
    evidence.looked(check::ledger, balances.size());
    if (!whole) evidence.wrong(check::ledger, fmt::format("node {} gives no balances", node));
    if (total != 0)
      evidence.wrong(check::ledger,
                     fmt::format("the balances of node {} add up to {}", node, total));
    for (std::size_t i = 0; i < accounts_count; ++i)
      if (balances[fmt::format("A{}", i)] != sums.accounts[i])
        evidence.wrong(check::ledger,
                       fmt::format("A{} has {} at node {}, and {} by what was acknowledged", i,
                                   balances[fmt::format("A{}", i)], node, sums.accounts[i].load()));
  }
}

Result<void> declare_collections(Courier& courier) {
  const std::pair<const char*, const char*> declarations[] = {
      {"torture-registers", "{}"},
      {"torture-set", "{}"},
      {"torture-counters", "{}"},
      {"torture-pairs", "{}"},
      {"torture-ledger", R"({"kind":"ledger","ledger":{"dimensions":["account"],"scale":0}})"}};
  for (const auto& [name, declaration] : declarations) {
    const Answer answer = courier.ask_quietly({http::Method::put,
                                               std::string{"/v1/collections/"} + name,
                                               declaration,
                                               std::string{"declare-"} + name,
                                               {{"Content-Type", json_type}}},
                                              Millis{30'000});
    if (!answer.good())
      return fail(Errc::unavailable, fmt::format("collection {} was not declared: {} {:.200}", name,
                                                 answer.status, answer.body));
  }
  return {};
}

}  // namespace mainstay::torture
