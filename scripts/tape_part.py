"""tape_part.py result|samples - reads a result.json or samples.jsonl, and prints what record-tapes.sh keeps of it."""
import json
import sys

FEW = 2  # destinations of a dump: with IPv4 and IPv6, one of each
DROPPED = {"effective": {}, "sysctl": {}, "causes": [], "expect": [], "sockets": {}}


def result(text):
    whole = json.loads(text)
    run = whole["runs"][0]
    run.update(DROPPED)
    run.pop("aborted", None)
    run.pop("latency", None)
    run.pop("destinations", None)
    run["file"] = run["sha256"] = ""
    whole["argv"] = []
    return json.dumps(whole, separators=(",", ":"))


def samples(text):
    for line in text.splitlines():
        sample = json.loads(line)
        sockets = sample.get("sockets", {})
        few = len(sockets.get("destinations", [])) <= FEW and "more" not in sockets
        for name in ("more", "map") if few else ("destinations", "more", "map"):
            sockets.pop(name, None)
        yield json.dumps(sample, separators=(",", ":"))


text = sys.stdin.read()
print(result(text) if sys.argv[1] == "result" else "\n".join(samples(text)))
