#include "runtime/daemon/adapter_kinds.hpp"

#include "actors/adapters/edi/edi_adapter.hpp"
#include "actors/adapters/file/file_adapter.hpp"
#include "actors/adapters/http/http_adapter.hpp"
#include "actors/adapters/mqtt/mqtt_adapter.hpp"
#include "actors/adapters/postgres/postgres_adapter.hpp"
#include "actors/adapters/tryton/tryton_adapter.hpp"

namespace mainstay::daemon {

void add_built_in_kinds(integration::AdapterKinds& kinds) {
  kinds.add("edi", adapters::make_edi_adapter);
  kinds.add("file", adapters::make_file_adapter);
  kinds.add("http", adapters::make_http_adapter);
  kinds.add("mqtt", adapters::make_mqtt_adapter);
  kinds.add("postgres", adapters::make_postgres_adapter);
  kinds.add("tryton", adapters::make_tryton_adapter);
}

}  // namespace mainstay::daemon
