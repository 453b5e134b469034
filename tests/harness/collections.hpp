// The collections that the clients of a simulated cluster use, and how they are declared.
#pragma once

#include <cstdint>

namespace mainstay::harness::names {

inline constexpr const char* stock = "stock";        // single records, judged for linearizability
inline constexpr const char* orders = "orders";      // schema, indexes, patches, field conditions
inline constexpr const char* accounts = "accounts";  // transfers: the sum never changes
inline constexpr const char* moves = "moves";        // a ledger
inline constexpr const char* scratch = "scratch";    // declared and undeclared all the time

inline constexpr const char* bulk = "bulk";  // many records, and an index that comes later

inline constexpr std::int64_t account_count = 4;
inline constexpr std::int64_t account_start = 100;

inline constexpr const char* plain_declaration = "{}";
inline constexpr const char* orders_declaration =
    R"({"schema":{"type":"object","properties":{"n":{"minimum":0}}},)"
    R"("indexes":[{"name":"by-n","pointer":"/n"},{"name":"by-state","pointer":"/state"}],)"
    R"("limits":{"records":12}})";
// The same with other indexes: what is declared over it in the middle of the work.
inline constexpr const char* orders_declaration_again =
    R"({"schema":{"type":"object","properties":{"n":{"minimum":0}}},)"
    R"("indexes":[{"name":"by-state","pointer":"/state"},{"name":"by-n-again","pointer":"/n"}],)"
    R"("limits":{"records":12}})";
inline constexpr const char* moves_declaration =
    R"({"kind":"ledger","ledger":{"dimensions":["item","location"],"scale":2,)"
    R"("never_below":"0","except":[{"location":"SUPPLIER"}]}})";
inline constexpr const char* scratch_declaration =
    R"({"indexes":[{"name":"by-n","pointer":"/n"}],"retention":{"history_hours":50}})";

inline constexpr const char* bulk_declaration = R"({"indexes":[{"name":"by-n","pointer":"/n"}]})";

}  // namespace mainstay::harness::names
