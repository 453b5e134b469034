"""Makes the canonical records part of the library: embed_records.py canonical_records.cpp record.json..."""
import json
import pathlib
import sys


def members_once(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise SystemExit(f"given twice: {sorted(name for name in names if names.count(name) > 1)}")
    return dict(pairs)


target, *sources = map(pathlib.Path, sys.argv[1:])
rows = []
for source in sorted(sources):
    declaration = json.loads(source.read_text(encoding="utf-8"), object_pairs_hook=members_once)
    name = declaration.pop("name")
    if name != source.stem:
        raise SystemExit(f"{source}: is named {name}")
    text = json.dumps(declaration, ensure_ascii=False, separators=(",", ":"))
    rows.append(f'      {{"{name}", R"record({text})record"}},\n')
target.write_text(f"""// Made from schemas/records by config/cmake/embed_records.py.
#include "runtime/integration/hub.hpp"

namespace mainstay::integration {{

const std::vector<DeclaredCollection>& canonical_collections() {{
  static const std::vector<DeclaredCollection> collections = {{
{"".join(rows)}  }};
  return collections;
}}

}}  // namespace mainstay::integration
""", encoding="utf-8")
