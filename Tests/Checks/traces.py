"""Opens the traces of a real run as their readers would.

    python traces.py path/to/wafermark FOLDER

Trains a small job on two workers in a state directory of its own under FOLDER, exports its trace twice, and checks

- the Trace Event Format (docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU): kinds and types of every
  field, slices of a track that nest and never cross, flows whose ends have one id and lie within slices, named tracks;
- the same file in Perfetto's own trace processor, where the Python package 'perfetto' is installed and can get it: as many
  slices and flows as events, and no error in its statistics. Where not, that is said;
- Chakra's execution trace against the schema (mlcommons/chakra, schema/protobuf/et_def.proto) and what its feeder reads
  (src/feeder/et_feeder_node.cpp): kinds of attributes, known node types, dependencies without a cycle.

Prints one line for each check and ends with status 1 if any fails.
"""
import argparse
import json
import pathlib
import subprocess
import sys

JOB = """
name: traced
model: {layers: 2, hidden: 64, heads: 2}
corpus: {synthetic: {documents: 200, seed: 1}, vocabulary: 400}
lanes: 2
seed: 1
phases: [{sequence: 32, global_batch: 4, steps: 4, learning_rate: 1e-3}]
evaluation: {every_steps: 4, sequences: 4}
"""

NODE_TYPES = {"COMP_NODE", "COMM_COLL_NODE"}
VALUE_KINDS = {"int64Val": str, "uint64Val": str, "doubleVal": (int, float), "stringVal": str, "boolVal": bool}
FED = {"is_cpu_op": "boolVal", "num_ops": "int64Val", "tensor_size": "uint64Val", "comm_type": "int64Val",
       "comm_size": "int64Val"}


def run(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=300).stdout


def require(holds, what):
    if not holds:
        raise ValueError(what)


def slices_by_track(events):
    tracks = {}
    for event in events:
        if event["ph"] == "X":
            tracks.setdefault((event["pid"], event["tid"]), []).append((event["ts"], -event["dur"], event))
    return {track: [event for _, _, event in sorted(found, key=lambda s: s[:2])] for track, found in tracks.items()}


def check_trace_events(document):
    events = document["traceEvents"]
    named = set()
    for event in events:
        require(isinstance(event["name"], str) and event["name"], "an event without a name")
        require(event["ph"] in "MXsf", f"an event of kind {event['ph']}")
        require(type(event["pid"]) is int and type(event["tid"]) is int, "a track that is no number")
        if event["ph"] == "M":
            require(isinstance(event["args"]["name"], str), "a track's name that is none")
            named.add((event["pid"], event["tid"]))
            continue
        require(isinstance(event["ts"], (int, float)) and event["ts"] >= 0, "a time that is none")
        if event["ph"] == "X":
            require(isinstance(event["dur"], (int, float)) and event["dur"] >= 0, "a duration that is none")
    tracks = slices_by_track(events)
    require(tracks and set(tracks) <= named, "a track without a name")
    for track, found in tracks.items():
        open_ends = []
        for event in found:
            # Rounding of microseconds is no crossing.
            while open_ends and open_ends[-1] <= event["ts"] + 1e-3:
                open_ends.pop()
            end = event["ts"] + event["dur"]
            require(not open_ends or end <= open_ends[-1] + 1e-3, f"slices that cross on track {track}")
            open_ends.append(end)
    flows = {}
    for event in events:
        if event["ph"] in "sf":
            within = [s for s in tracks[(event["pid"], event["tid"])] if s["ts"] - 1 <= event["ts"] <= s["ts"] + s["dur"] + 1]
            require(within, f"a flow's end outside of slices, at {event['ts']}")
            flows.setdefault(event["id"], []).append(event)
    for number, ends in flows.items():
        require(sorted(e["ph"] for e in ends) == ["f", "s"], f"flow {number} has not two ends")
        times = {e["ph"]: e["ts"] for e in ends}
        require(times["s"] <= times["f"] + 1, f"flow {number} arrives before it leaves")
    return f"{sum(map(len, tracks.values()))} slices on {len(tracks)} tracks, {len(flows)} flows"


def check_trace_processor(path, document):
    try:
        from perfetto.trace_processor import TraceProcessor
    except ImportError:
        return "SKIPPED: the Python package 'perfetto' is not installed"
    try:
        processor = TraceProcessor(trace=str(path))
    except Exception as error:  # It fetches its program from the network, and says so in many ways.
        return f"SKIPPED: Perfetto's trace processor can't be had here ({str(error).splitlines()[0][:60]})"
    with processor:
        def count(query):
            return next(iter(processor.query(query))).n

        events = document["traceEvents"]
        require(count("select count(*) as n from slice") == sum(e["ph"] == "X" for e in events), "slices were lost")
        require(count("select count(*) as n from flow") == sum(e["ph"] == "s" for e in events), "flows were lost")
        require(count("select count(*) as n from stats where severity = 'error' and value > 0") == 0, "errors in its statistics")
    return "opened by Perfetto's trace processor"


def check_chakra(document):
    require(document["globalMetadata"]["version"] == "0.0.4", "another schema's version")
    nodes = document["nodes"]
    seen = set()
    for attribute in document["globalMetadata"]["attr"] + [a for node in nodes for a in node["attr"]]:
        kinds = [key for key in attribute if key != "name"]
        require(len(kinds) == 1 and kinds[0] in VALUE_KINDS, f"attribute {attribute} has not one value")
        require(isinstance(attribute[kinds[0]], VALUE_KINDS[kinds[0]]), f"attribute {attribute} of another kind")
        require(FED.get(attribute["name"], kinds[0]) == kinds[0], f"attribute {attribute} is not what the feeder reads")
        if kinds[0].endswith("64Val"):
            require(-(2**63) <= int(attribute[kinds[0]]) < 2**64, f"attribute {attribute} has more than 64 bits")
    for node in nodes:
        number = int(node["id"])
        require(number not in seen, f"node {number} is there twice")
        require(node["type"] in NODE_TYPES, f"node {number} of type {node['type']}")
        # Nodes come after what they depend on, so there is no cycle.
        require(all(int(d) in seen for d in node["dataDeps"]), f"node {number} depends on what comes later")
        names = {a["name"] for a in node["attr"]}
        wanted = {"is_cpu_op", "tensor_size"} | (
            {"comm_type", "comm_size"} if node["type"] == "COMM_COLL_NODE" else {"num_ops"})
        require(wanted <= names, f"node {number} lacks {wanted - names}")
        seen.add(number)
    collectives = sum(node["type"] == "COMM_COLL_NODE" for node in nodes)
    require(collectives > 0, "no collective")
    return f"{len(nodes)} nodes, {collectives} of them collectives"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    folder = arguments.folder / "traces"
    folder.mkdir(parents=True)
    job = folder / "job.yaml"
    job.write_text(JOB)
    state = str(folder / "state")
    summary = json.loads(run(arguments.program, "compare", str(job), "--workers", "2", "--state", state, "--out",
                             str(folder / "report"), "--json"))
    identity = summary["cluster"]["run_id"]

    def export(kind):
        path = folder / f"{kind}.json"
        run(arguments.program, "trace", "export", identity, "--format", kind, "--out", str(path), "--state", state)
        return path, json.loads(path.read_text())

    failed = False
    path, events = export("perfetto")
    _, graph = export("chakra-json")
    for name, check in [
        ("trace events", lambda: check_trace_events(events)),
        ("Perfetto", lambda: check_trace_processor(path, events)),
        ("Chakra", lambda: check_chakra(graph)),
    ]:
        try:
            print(f"{name}: {check()}")
        except (ValueError, KeyError, TypeError) as error:
            failed = True
            print(f"{name}: FAILED: {error!r}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
