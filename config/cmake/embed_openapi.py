"""Makes the OpenAPI document that a node serves: embed_openapi.py openapi.yaml openapi.json openapi_document.cpp"""
import json
import pathlib
import sys

import yaml


class NoDuplicates(yaml.SafeLoader):
    """A key that stands twice in a mapping is a mistake, not a change of mind."""


def mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise SystemExit(f"{node.start_mark}: given twice: {sorted(map(str, twice))}")
    return loader.construct_mapping(node, deep=True)


NoDuplicates.add_constructor("tag:yaml.org,2002:map", mapping)

source, as_json, as_cpp = map(pathlib.Path, sys.argv[1:])
text = json.dumps(yaml.load(source.read_text(encoding="utf-8"), NoDuplicates), ensure_ascii=False, separators=(",", ":"))
as_json.write_text(text, encoding="utf-8")
as_cpp.write_text(f"""// Made from schemas/openapi.yaml by config/cmake/embed_openapi.py.
#include "runtime/api/api.hpp"

namespace mainstay::api {{

std::string_view openapi_document() {{
  return R"openapi({text})openapi";
}}

}}  // namespace mainstay::api
""", encoding="utf-8")
