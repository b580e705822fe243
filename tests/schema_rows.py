"""A corpus of one-key scenarios, made of words/keys.def: each key at its least and its most, in each unit that it can be
written in, just below and just above, with a unit of another kind, and of other types. Both the reader and the schema must
take what is within, and neither what is not: of these there are no exceptions.

What is exact here is worked out anew, in fractions: nothing is asked of lastport.
"""
import json
import re
from fractions import Fraction

SECTIONS = {
    "TOP": "", "NETWORK": "network.", "NAT": "network.nat.", "SERVER": "server.", "LOAD": "load.",
    "OPTION": "load.options.", "KEEPALIVE": "load.options.keepalive.", "BURST": "load.burst.", "REQUEST": "load.request.",
    "POOL": "load.pool.", "FAILURE": "load.on_failure.", "SQUAT": "squat.", "SAMPLE": "sample.", "STOP": "stop.",
}

# What a unit is worth in one that all of a kind share, and how many decimals it can have.
WHOLE = {"": (1, 0), "k": (1000, 3), "M": (1000000, 6)}
TIMES = {"us": (1000, 3), "ms": (10**6, 6), "s": (10**9, 9), "m": (60 * 10**9, 10), "h": (3600 * 10**9, 11)}
SECONDS = {unit: (TIMES[unit][0], 0) for unit in "smh"}
UNITS = {
    "COUNT": WHOLE,
    "ADDRESSES": WHOLE,
    "SERVICES": WHOLE,
    "TIME": TIMES,
    "MILLIS": {"ms": (10**6, 0), "s": (10**9, 3), "m": (60 * 10**9, 4), "h": (3600 * 10**9, 5)},
    "SECONDS": SECONDS,
    "LINGER": SECONDS,
    "RATE": {"/min": (1, 6), "k/min": (1000, 9), "M/min": (10**6, 12), "/s": (60, 7), "k/s": (60000, 10), "M/s": (60 * 10**6, 13)},
    "SIZE": {"B": (1, 0), "KiB": (1 << 10, 0), "MiB": (1 << 20, 0), "GiB": (1 << 30, 0)},
    "SHARE": {"%": (1, 12), "": (100, 14)},
}

# Of no kind of number, and of some of these: a unit of another.
WRONG_UNITS = {
    "COUNT": ["1s", "1B", "1%", "1/s", "1K", "0x10", "1 k", "+1k", "1.5"],
    "TIME": ["1", "1B", "1/s", "1d", "1S", "1 s", "1.s", ".5s", "-1s", "1ns", "1s1s"],
    "MILLIS": ["1", "1us", "1.5ms", "0.0005s", "1B", "-1ms"],
    "SECONDS": ["1", "1us", "1000ms", "1.5s", "0.5m", "-1s"],
    "LINGER": ["1", "1000ms", "0.5s", "off", "-1s"],
    "RATE": ["1", "1s", "1/h", "1/sec", "1 /s", "-1/s", "k/s"],
    "SIZE": ["1", "1KB", "1kB", "1TiB", "1.5KiB", "0.5B", "-1B", "1 B"],
    "SHARE": ["101%", "-1%", "1 %", "50%%", "1s"],
}

ALL_PORTS = {"network.ports": "1-65535", "network.sysctl": {"net.ipv4.ip_unprivileged_port_start": 1}, "network.services": [7000]}
# What else a key needs to mean something (scenario/rules*.c).
NEEDS = {
    "network.nat.": {"network.topology": "nat"},
    "network.nat.mapping_time": {"network.nat.mapping": "endpoint-independent"},
    "network.nat.redirect": {"network.servers": 2},
    "network.dad": {"network.family": "ipv6"},
    "server.jitter": {"server.delay": "1s"},
    "load.connected": {"load.protocol": "udp", "load.request.send": "8B"},
    "load.scope": {"network.family": "ipv6", "network.servers": ["fe80::2"]},
    "load.duration": {"stop.time": "1h"},
    "load.start": {"stop.time": "1h"},
    "load.on_failure.wait": {"load.on_failure.retry": 1},
    "load.on_failure.grow": {"load.on_failure.retry": 1},
    "load.on_failure.jitter": {"load.on_failure.retry": 1},
    "load.on_failure.flush_pool": {"load.pool.max_idle": 1},
    "load.options.v6only": {"network.family": "ipv6"},
    "load.options.keepalive.interval": {"load.options.keepalive.idle": "1s"},
    "load.options.keepalive.count": {"load.options.keepalive.idle": "1s"},
    "load.burst.every": {"load.burst.size": 1},
    "load.request.receive": {"load.request.send": "8B"},
    "load.request.read": {"load.request.send": "8B", "load.request.receive": "1B"},
    "load.pool.idle_timeout": {"load.pool.max_idle": 1},
    "squat.start": {"squat.ports": [40010], "stop.time": "1h"},
    "squat.protocol udp": {"load.protocol": "udp", "load.bind": "none", "squat.ports": [40010]},
    "squat.unbound": ALL_PORTS,
    "squat.bind": ALL_PORTS,
    "squat.address": {"squat.ports": [40010]},
    "squat.family": {"squat.ports": [40010]},
    "stop.after": {"stop.time": "1h"},
    "load.end wait": {"server.behaviour": "close"},
    "load.mix wait": {"server.behaviour": "close"},
}


def keys():
    """(path, kind, lowest, highest) of each."""
    with open("harness/words/keys.def", encoding="utf-8") as file:
        rows = re.findall(r'^([A-Z]+)\(\s*\w+,\s*"([^"]*)",\s*(\w+),\s*"[^"]*",\s*"([^"]*)",\s*"([^"]*)"', file.read(), re.M)
    return [(SECTIONS[macro] + key, kind, low, high) for macro, key, kind, low, high in rows]


def choices(kind):
    """The words of a kind that takes one of a few; none of another."""
    with open("harness/words/choices.def", encoding="utf-8") as file:
        return re.findall(rf'^{kind}\(\w+,\s*"([^"]*)"', file.read(), re.M)


def number(text, units):
    match = re.fullmatch(r"([0-9.]+)(.*)", text)
    return Fraction(match[1]) * units[match[2]][0] if match else Fraction(0)  # "none" is below all


def decimal(n, places):
    """Without zeros that say nothing; None where that many places do not do."""
    digits = n * 10**places
    if digits.denominator != 1:
        return None
    text = str(digits.numerator).zfill(places + 1)
    return (text[:-places] + "." + text[-places:]).rstrip("0").rstrip(".") if places else text


def written(value, units):
    """The value in each unit in which it can be written."""
    texts = [(decimal(Fraction(value) / worth, places), unit) for unit, (worth, places) in units.items()]
    return [text + unit for text, unit in texts if text is not None]


def numbers(kind, low, high):
    units = UNITS[kind]
    least, most = number(low, units), number(high, units)
    step = min(Fraction(worth, 10**places) for worth, places in units.values())
    for value in {least, most}:
        for text in written(value, units):
            yield text, True
            yield "0" + text, True
            yield json.dumps(text), True
    for value in [most + step] + ([least - step] if least > 0 else []):
        for text in written(value, units):
            yield text, False
            yield json.dumps(text), False
    for text in WRONG_UNITS.get(kind, WRONG_UNITS["COUNT"]):
        yield text, False


def words(kind):
    for word in choices(kind):
        yield word, True
    for word in ["nothing-such", "1", "true", '""']:
        yield word, False


LONG = "x" * 200
# Of kinds that are no number, and no word of a few: what can be, and what cannot.
OTHERS = {
    "FLAG": (["true", "false", '"true"'], ["yes", "on", "1", "TRUEE", '""']),
    "SLUG": (["a", "a" * 63, "7", "a-"], ["a" * 64, "A", "-a", '"a b"', '""']),
    "LINE": ([LONG, "7", "true", "é"], [LONG + "x", '"a\\nb"', '"\\x07"']),
    "PROSE": ([LONG + LONG, '"a\\nb"', "7"], ['"\\x07"']),
    "LINES": (["[]", f"[{LONG}]", "[7]"], [f"[{LONG}x]", '[""]', "[[a]]", "[{a: b}]"]),
    "RANGE": (["1024-65535", "40000-40000", "9999-10000", "40000-40031"],
              ["0-40000", "40000-65536", "40031-40000", "10000-9999", "40010-40009", "40k-41k", "40000", "40000-", "-40000",
               "040000-40031", "40000-40031-40032", "40000.0-40031", "40000 - 40031"]),
    "PORTS": (["[]", "[40010]", "[40010.0]", '["40010"]', "[40010-40011, 40014]", "[65535]"],
              ["[0]", "[65536]", '["65536"]', "[40011-40010]", "[40k]", "[-1]", "[[1]]", "[1.5]", "[a]", "[40010-65536]"]),
    "ADDRESSES": (['["10.77.9.1"]', '["10.77.9.1", "10.77.9.2"]'],
                  ["[]", '["10.77.9.999"]', '["10.77.9.01"]', '["10.77.9"]', '["0.0.0.0"]', '["224.0.0.1"]', "[a]", "[1]",
                   '["255.255.255.255"]', '["::"]', '["ff02::1"]', '["fd77:::1"]', '["fd77::1::2"]', '["1:2:3:4:5:6:7"]',
                   '["1:2:3:4:5:6:7:8:9"]', '["1:2:3:4:5:6:7::8"]', '["fd77::12345"]', '["10.77.9.1", "10.77.9.1"]']),
    "SERVICES": (["[7000]", "[7000.0]", '["7000"]', "[1, 65535]"], ["[]", "[0]", "[65536]", "[7k]", "[7000, 7000]", "[-1]", "[a]"]),
    "SYSCTL": (["{}", "{net.core.somaxconn: 1}", f"{{net.core.somaxconn: {'x' * 64}}}"],
               [f"{{net.core.somaxconn: {'x' * 65}}}", '{net.core.somaxconn: ""}', "{kernel.pid_max: 1}", "{net.: 1}", "{net: 1}",
                "{net.Core.x: 1}", "{net..x: 1}", "{net.core.somaxconn: [1]}", "{net.ipv4.tcp_tw_reuse: 3}",
                "{net.ipv4.tcp_tw_reuse: on}", "{net.core.somaxconn/x: 1}"]),
    "BIND": (["none", "address", "any", "address-no-port", "port 40010", "ports 40000-40031", "local-port-range 40000-40031",
              "address 10.77.9.9", "address   10.77.9.9"],
             ["port", "port 0", "port 65536", "port 40k", "ports 40031-40000", "ports 40000", "ports", "none 1", "any 10.77.9.9",
              "address 10.77.9", "address 0.0.0.0", "address 224.0.0.1", "local-port-range 40031-40000", "nothing", "1"]),
    "ADDRESS": (["any", "10.77.0.1"], ["10.77.0", "10.77.0.01", "none", "a", "1", "10.77.0.1/24", '""']),
    "DEVICE": (["any", "veth0", "lo", "x" * 15, "7"], ["x" * 16, "a/b", '"a b"', "a:b", "é", '""']),
    "RAMP": (["[]", "[{to: 1M/s, over: 1h}]", "[{to: 1/s, over: 0s}, {to: 0/s, over: 1s}]"],
             ["[{to: 1000000.0000001/s, over: 1s}]", "[{to: 1/s, over: 3600.000000001s}]", "[{to: 1/s}]", "[{over: 1s}]",
              "[{to: 1/s, over: 1s, x: 1}]", "[{to: 1, over: 1s}]", "[1/s]", "[{to: 1/s, over: 1}]"]),
    "MIX": (["{}", "{leak: 100%}", "{leak: 0.05}", "{leak: 5%, inherit: 5%}"],
            ["{leak: 100.000000000001%}", "{leak: 1.01}", "{leak: -1%}", "{nothing: 1%}", "{leak: 5}", "{leak: many}", "{5%: leak}"]),
}
LISTS, MAPS = ("LINES", "PORTS", "RAMP"), ("SYSCTL", "MIX")


def of_another_type(path, kind):
    """Lists, maps and words where another is due; a list will do for a number of some, and a word for some maps."""
    if kind not in LISTS + ("ADDRESSES", "SERVICES"):
        yield "[a]", False
    if kind not in MAPS:
        yield "{a: b}", False
    if kind in LISTS + MAPS:
        yield "a", False
        yield "1", False
        yield "true", False
    yield "", kind in ("LINE", "PROSE")


def values(path, kind, low, high):
    """(text, whether it can be) of a key."""
    if path == "version":
        yield from [("1", True), ("0", False), ("2", False), ("1s", False), ("a", False)]
        return
    if kind in UNITS:
        yield from numbers(kind, low, high)
    if kind == "LINGER":
        yield "none", True
    if kind in OTHERS:
        yield from ((text, good) for texts, good in zip(OTHERS[kind], (True, False)) for text in texts)
    if kind not in UNITS and kind not in OTHERS:
        yield from words(kind)
    yield from of_another_type(path, kind)


def needs(path, text):
    for prefix in NEEDS:
        if path == prefix or (prefix.endswith(".") and path.startswith(prefix)) or f"{path} {text}" == prefix:
            yield from NEEDS[prefix].items()


def document(path, text):
    """One key, and what it needs; each on a line of its own, as a path of maps."""
    lines = {"version": "1", "name": "test", **{need: json.dumps(value) for need, value in needs(path, text)}, path: text}
    tree = {}
    for place, value in lines.items():
        *maps, key = place.split(".")
        branch = tree
        for name in maps:
            branch = branch.setdefault(name, {})
        branch[key] = value
    return flow(tree)


def flow(tree, depth=0):
    return "".join(
        "  " * depth + key + ":" + ("\n" + flow(value, depth + 1) if isinstance(value, dict) else f" {value}\n")
        for key, value in tree.items())


def rows():
    """(name, document, whether it can be), each once."""
    seen = set()
    for path, kind, low, high in keys():
        for text, good in values(path, kind, low, high):
            name = f"{path}: {text}"
            if name not in seen:
                seen.add(name)
                yield name, document(path, text), good
