"""Holds the JSON Schema against the reader in C, over one corpus: the library, the fuzzer's corpus, tests/schema/good and
tests/schema/bad. On each file both must say the same, right or wrong; where a schema cannot know, the file stands in
tests/schema/exceptions with the reason, and there they must differ, or the line is stale.

    schema.py LASTPORT
"""
import glob
import json
import re
import subprocess
import sys
import warnings

import jsonschema
import yaml


class Core(yaml.SafeLoader):
    """What an editor sees: YAML 1.2, in which `on` and `yes` are words. A key that stands twice is an error."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        keys = [str(key.value) for key, _ in node.value]
        if len(set(keys)) < len(keys):
            raise yaml.YAMLError("a key stands twice")
        return super().construct_mapping(node, deep)


class Plain(yaml.BaseLoader):
    """As if all were in quotes."""


for tag, pattern, first in [
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
]:
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(?:" + pattern + ")$"), list(first))
Core.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^$"), [""])
Core.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
Core.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))
Core.add_constructor("tag:yaml.org,2002:bool", lambda loader, node: node.value.lower() == "true")


def accepts(validator, path, loader):
    with open(path, "rb") as file:
        try:
            # libyaml's bytes: the reader refuses what is not UTF-8 itself
            return validator.is_valid(yaml.load(file.read().decode("utf-8-sig"), loader))
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            return False


def reads(lastport, path):
    return subprocess.run([lastport, "check", path], capture_output=True).returncode == 0


def exceptions(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def judge(validator, lastport, path, excepted):
    """What is wrong with what they say; None: nothing."""
    c, schema = reads(lastport, path), accepts(validator, path, Core)
    if excepted:
        return None if c != schema else f"the exception is stale, both say {c}: {excepted}"
    if c != schema:
        return f"the reader says {c}, the schema {schema}"
    if c and not accepts(validator, path, Plain):
        return "the schema refuses it with all values in quotes"
    directory = path.split("/")[-2]
    if directory in ("good", "bad") and c != (directory == "good"):
        return f"both say {c}"
    return None


def main(lastport):
    warnings.simplefilter("ignore")
    schema = json.loads(subprocess.run([lastport, "help", "schema"], capture_output=True, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    known = exceptions("tests/schema/exceptions")
    failed = 0
    paths = sorted(
        glob.glob("scenarios/*.yaml") + glob.glob("tests/schema/good/*") + glob.glob("tests/schema/bad/*")
        + glob.glob("tests/fuzz/corpus/scenario/*")
        + [path for path in glob.glob("tests/golden/*/*.yaml") if "/errors-" not in path])
    for path in paths:
        why = judge(validator, lastport, path, known.get(path))
        if why:
            failed += 1
            print(f"{path}: {why}")
    for path in set(known) - set(paths):
        failed += 1
        print(f"{path}: there is no such file, but an exception")
    print(f"schema: {len(paths) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not paths else 0


sys.exit(main(sys.argv[1]))
