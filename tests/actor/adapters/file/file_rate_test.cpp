// How many orders a second pass through: far above what is promised, so that a slow machine passes
// too. Prints the rates.
#include <chrono>

#include "actors/adapters/file/file_adapter.hpp"
#include "tests/actor/adapters/adapter_fixture.hpp"

namespace mainstay::adapters {
namespace {

constexpr double rate_min = 2'000;

class FileRateTest : public FolderTest {
 protected:
  // Everything from fetch to archive.
  void measure(std::string_view settings, std::size_t orders, const char* what) {
    const auto adapter = std::move(make_file_adapter(context(settings)).value());
    std::string position;
    std::size_t count = 0;
    const auto begin = sys::system_clock().monotonic();
    for (bool more = true; more;) {
      const auto page = adapter->fetch(position, 500);
      ASSERT_TRUE(page);
      for (const auto& message : page->messages) count += adapter->decode(message).value().size();
      position = page->position;
      ASSERT_TRUE(adapter->acknowledge(position));
      more = page->more;
    }
    const std::chrono::duration<double> took = sys::system_clock().monotonic() - begin;
    ASSERT_EQ(count, orders);
    const double rate = static_cast<double>(orders) / took.count();
    std::printf("%s: %zu orders, %.0f orders/s\n", what, orders, rate);
    EXPECT_GT(rate, rate_min);
  }
};

TEST_F(FileRateTest, RowsOfOneFile) {
  std::string text = "number,customer,item,quantity,price,due\n";
  for (int i = 0; i < 100'000; ++i)
    text += "SO-" + std::to_string(i) + ",C-17,ITEM-" + std::to_string(i % 500) +
            ",12,\"9,90\",2026-11-28\n";
  write("in/orders.csv", text);
  measure(R"({"arrival":"rename","in":[{"type":"order","pattern":"*.csv","format":"csv",
    "split":"row","subject":"/number"}]})",
          100'000, "rows of one CSV file");
}

TEST_F(FileRateTest, AFileAnOrder) {
  for (int i = 0; i < 5'000; ++i)
    write("in/order" + std::to_string(i) + ".json",
          R"({"number":"SO-)" + std::to_string(i) + R"(","lines":[{"item":"A","quantity":1.50}]})");
  measure(R"({"arrival":"rename","in":[{"type":"order","pattern":"*.json","format":"json",
    "subject":"/number"}]})",
          5'000, "a JSON file an order");
}

TEST_F(FileRateTest, Effects) {
  const auto adapter =
      std::move(make_file_adapter(
                    context(R"({"out":[{"type":"shipment","name":"{key}.json","format":"json"}]})"))
                    .value());
  const json::Value document = json_of(R"({"number":"S-17","lines":[{"item":"A","quantity":1}]})");
  constexpr int effects = 500;
  const auto begin = sys::system_clock().monotonic();
  for (int i = 0; i < effects; ++i)
    ASSERT_EQ(adapter->apply({"shipment/" + std::to_string(i), "shipment", "s", document}).verdict,
              integration::Verdict::done);
  const std::chrono::duration<double> took = sys::system_clock().monotonic() - begin;
  // The disk's sync decides; no promise.
  std::printf("effects, each synced: %.0f files/s\n", effects / took.count());
}

}  // namespace
}  // namespace mainstay::adapters
