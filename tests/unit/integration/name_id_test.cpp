#include "runtime/integration/name_id.hpp"

#include <gtest/gtest.h>

namespace mainstay::integration {
namespace {

// As any other implementation of RFC 4122 makes them:
// uuid.uuid5(uuid.UUID("6d61696e-7374-5179-8000-687562000005"), "order|erp|SO-1") in Python.
TEST(NameId, IsTheSameEverywhere) {
  EXPECT_EQ(name_id({"order", "erp", "SO-1"}), "a2439f4f-66f4-540e-a44c-8c224b674969");
  EXPECT_EQ(name_id({"a|b", "c\\"}), "3f27618d-f1f7-56f3-9534-19803cfedabf");
}

TEST(NameId, PartsDoNotRunTogether) {
  EXPECT_NE(name_id({"a", "b"}), name_id({"a|b"}));
  EXPECT_NE(name_id({"a\\", "b"}), name_id({"a\\|b"}));
}

}  // namespace
}  // namespace mainstay::integration
