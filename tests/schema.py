"""Holds the JSON Schema against the reader in C, over one corpus: the library, the fuzzer's corpus, tests/schema/good and
tests/schema/bad. On each file both must say the same, right or wrong; where a schema cannot know, the file stands in
tests/schema/exceptions with the reason, and there they must differ, or the line is stale. And over a row for each key at
and beyond its bounds (tests/schema_rows.py), of which both must say what is right: there are no exceptions among those.

    schema.py LASTPORT
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

import jsonschema
import yaml

import schema_rows


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


def reads(lastport, paths):
    """Those that the reader takes: it says so of each."""
    told = subprocess.run([lastport, "check", *paths], capture_output=True).stdout.decode("utf-8", "replace")
    return {line.split(": ok, ")[0] for line in told.splitlines() if ": ok, " in line}


def exceptions(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def judge(validator, c, path, excepted):
    """What is wrong with what they say, the reader `c`; None: nothing."""
    schema = accepts(validator, path, Core)
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


def judge_files(validator, lastport):
    """How many files there are, and how many of them are told wrong."""
    known = exceptions("tests/schema/exceptions")
    paths = sorted(
        glob.glob("scenarios/*.yaml") + glob.glob("tests/schema/good/*") + glob.glob("tests/schema/bad/*")
        + ["./" + path for path in glob.glob("tests/fuzz/corpus/scenario/*")]
        + [path for path in glob.glob("tests/golden/*/*.yaml") if "/errors-" not in path])
    read = reads(lastport, paths)
    wrong = [(path, judge(validator, path in read, path, known.get(path.removeprefix("./")))) for path in paths]
    wrong += [(path, "there is no such file, but an exception") for path in known if path not in {p.removeprefix("./") for p in paths}]
    wrong = [(path, why) for path, why in wrong if why]
    for path, why in wrong:
        print(f"{path}: {why}")
    return len(paths), len(wrong)


def judge_rows(validator, lastport):
    """The same of the rows."""
    rows, wrong = list(schema_rows.rows()), 0
    with tempfile.TemporaryDirectory() as directory:
        paths = [os.path.join(directory, f"{i}.yaml") for i in range(len(rows))]
        for path, (_, document, _) in zip(paths, rows):
            with open(path, "w", encoding="utf-8") as file:
                file.write(document)
        read = reads(lastport, paths)
        for path, (name, _, good) in zip(paths, rows):
            said = path in read, accepts(validator, path, Core)
            if said != (good, good):
                wrong += 1
                print(f"{name}: should be {good}, the reader says {said[0]}, the schema {said[1]}")
    return len(rows), wrong


def main(lastport):
    warnings.simplefilter("ignore")
    schema = json.loads(subprocess.run([lastport, "help", "schema"], capture_output=True, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    (files, files_wrong), (rows, rows_wrong) = judge_files(validator, lastport), judge_rows(validator, lastport)
    failed = files_wrong + rows_wrong
    print(f"schema: {files + rows - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not files or not rows else 0


sys.exit(main(sys.argv[1]))
