"""Judges schemas/openapi.yaml by what others made: the schema of the OpenAPI Initiative (oas-3.1-*.json, as published at
https://spec.openapis.org/oas/3.1/schema/2025-11-23, Apache-2.0), the metaschema of JSON Schema 2020-12 and the library python3-jsonschema.

The document as a whole, every schema in it, every example against its schema, and every reference.
"""
import json
import pathlib
import sys

import jsonschema
import yaml

HERE = pathlib.Path(__file__).parent
DOCUMENT = pathlib.Path("schemas/openapi.yaml")
METHODS = ("get", "put", "post", "patch", "delete")


def resolved(document, value):
    """What a "$ref" leads to; raises KeyError when that is nothing."""
    while isinstance(value, dict) and "$ref" in value:
        place = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            place = place[part.replace("~1", "/").replace("~0", "~")]
        value = place
    return value


def walk(value, path=""):
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from walk(item, f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}")


def contents(document):
    """(path, media type object) of every request body and answer."""
    for path, value in walk(document):
        if isinstance(value, dict) and path.endswith("/content"):
            for media, content in value.items():
                yield f"{path}/{media}", content


def examples_of(content):
    for name, example in content.get("examples", {}).items():
        yield name, example["value"]


class Judge:
    def __init__(self, document):
        self.document = document
        self.wrong = []
        self.schemas = self.examples = self.references = 0

    def check(self, place, schema, value):
        # References are relative to the whole document.
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": self.document["components"], **schema}
        for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
            self.wrong.append(f"{place}: {error.json_path}: {error.message}")

    def document_as_a_whole(self):
        published = json.loads(next(HERE.glob("oas-3.1-*.json")).read_text(encoding="utf-8"))
        for error in jsonschema.Draft202012Validator(published).iter_errors(self.document):
            self.wrong.append(f"{error.json_path}: {error.message[:300]}")

    def every_reference(self):
        for path, value in walk(self.document):
            if isinstance(value, dict) and isinstance(value.get("$ref"), str):
                self.references += 1
                try:
                    resolved(self.document, value)
                except (KeyError, TypeError):
                    self.wrong.append(f"{path}: {value['$ref']} leads to nothing")

    def every_schema(self):
        holders = [(f"/components/schemas/{name}", schema) for name, schema in self.document["components"]["schemas"].items()]
        holders += [(path, value["schema"]) for path, value in walk(self.document)
                    if isinstance(value, dict) and isinstance(value.get("schema"), dict) and "properties" not in path.rsplit("/", 2)[-2:]]
        for path, schema in holders:
            self.schemas += 1
            try:
                jsonschema.Draft202012Validator.check_schema(schema)
            except jsonschema.SchemaError as error:
                self.wrong.append(f"{path}: {error.message[:300]}")
            for example in schema.get("examples", []):
                self.examples += 1
                self.check(f"{path}/examples", schema, example)

    def every_example(self):
        for path, content in contents(self.document):
            for name, value in examples_of(content):
                self.examples += 1
                self.check(f"{path}/examples/{name}", content["schema"], value)
        for path, value in walk(self.document):
            if isinstance(value, dict) and "in" in value and "schema" in value and "example" in value:
                self.examples += 1
                self.check(path, value["schema"], value["example"])

    def every_operation(self):
        """What neither schema asks for: names once, path parameters that are declared, a body with an example."""
        names = set()
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                operation = item[method]
                if operation["operationId"] in names:
                    self.wrong.append(f"operationId {operation['operationId']} is given twice")
                names.add(operation["operationId"])
                given = [resolved(self.document, each) for each in item.get("parameters", []) + operation.get("parameters", [])]
                in_path = {each["name"] for each in given if each["in"] == "path"}
                if in_path != {part[1:-1] for part in path.split("/") if part.startswith("{")}:
                    self.wrong.append(f"{method} {path}: path parameters {sorted(in_path)}")
                body = operation.get("requestBody")
                if body and not all(list(examples_of(content)) for content in body["content"].values()):
                    self.wrong.append(f"{method} {path}: a body without an example")


def main():
    judge = Judge(yaml.safe_load(DOCUMENT.read_text(encoding="utf-8")))
    judge.document_as_a_whole()
    judge.every_reference()
    judge.every_schema()
    judge.every_example()
    judge.every_operation()
    for line in judge.wrong:
        print(line, file=sys.stderr)
    print(f"{judge.schemas} schemas, {judge.examples} examples, {judge.references} references: {len(judge.wrong)} mistakes")
    return 1 if judge.wrong or judge.schemas < 50 or judge.examples < 15 else 0


if __name__ == "__main__":
    sys.exit(main())
