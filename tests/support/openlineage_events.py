"""Run by a Python that has openlineage-python: makes the events of files again by that library's classes, and tells.

A field that a class does not have, one that it needs and is not there, and a value that it does not take are problems.
"""

import importlib
import inspect
import json
import pkgutil
import sys
from collections import Counter
from pathlib import Path

import attr
from openlineage.client import generated
from openlineage.client.generated import base


def classes():
    modules = [
        importlib.import_module(f"{generated.__name__}.{module_info.name}")
        for module_info in pkgutil.iter_modules(generated.__path__)
    ]
    members = [item for module in modules for item in vars(module).items()]
    return {name: kind for name, kind in members if inspect.isclass(kind) and attr.has(kind)}


def made(kind, values):
    """What is wrong with a facet's fields; empty when its class takes them."""
    fields = {item.name: item for item in attr.fields(kind) if not item.name.startswith("_")}
    needed = {name for name, item in fields.items() if item.default is attr.NOTHING}
    if wrong := (values.keys() - fields.keys()) | (needed - values.keys()):
        return f"{kind.__name__}: {sorted(wrong)}"
    kind(**values)
    return ""


def main(paths):
    known, counted, problems = classes(), Counter(), set()
    base.set_producer("urn:test:1")
    for line in (line for path in paths for line in Path(path).read_text().splitlines()):
        event = json.loads(line)
        data = [*event["inputs"], *event["outputs"]]
        holders = [event["run"]["facets"], event["job"]["facets"]]
        holders += [item.get(name, {}) for item in data for name in ("facets", "inputFacets", "outputFacets")]
        for facet in (facet for holder in holders for facet in holder.values()):
            kind = known[facet["_schemaURL"].rpartition("/")[2]]
            counted[kind.__name__] += 1
            problems.add(made(kind, {name: value for name, value in facet.items() if not name.startswith("_")}))
        base.RunEvent(
            eventTime=event["eventTime"],
            producer=event["producer"],
            eventType=base.EventType(event["eventType"]),
            run=base.Run(runId=event["run"]["runId"]),
            job=base.Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
            inputs=[base.InputDataset(item["namespace"], item["name"]) for item in event["inputs"]],
            outputs=[base.OutputDataset(item["namespace"], item["name"]) for item in event["outputs"]],
        )
        counted["RunEvent"] += 1
    json.dump({"counted": counted, "problems": sorted(problems - {""})}, sys.stdout)


main(sys.argv[1:])
