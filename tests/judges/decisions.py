"""Judges decisions on policies with cedarpy: the same policies, the same facts, the same answer for the same reason?

usage: python3 decisions.py FILE.jsonl

Each line is {"policies", "ids", "cases": [{"principal", "action", "label", "allowed", "because"}]}. How facts become
Cedar's entities is written down here once more, from the schema and not from the program that is judged.
"""

import json
import sys

import cedarpy

LEVELS = ["public", "internal", "confidential", "restricted", "secret"]


def entity(kind, name):
    return {"__entity": {"type": kind, "id": name}}


def entities(kind, names):
    return [entity(kind, name) for name in names]


def user(who):
    return {
        "tenant": entity("Tenant", who["tenant"]),
        "role": entity("Role", who["role"]),
        "clearance": 1 + LEVELS.index(who["clearance"]),
        "purposes": entities("Purpose", who["purposes"]),
        "scopes": who["scopes"],
        "compartments": who["compartments"],
    }


def label(of):
    return {
        "tenant": entity("Tenant", of["tenant"]),
        "kind": entity("Kind", of["kind"]),
        "type": of["type"],
        "classification": 1 + LEVELS.index(of["classification"]),
        "licence": entity("Licence", of["licence"]),
        "purposes": entities("Purpose", of["purposes"]),
        "retention": entity("Retention", of["retention"]),
        "personal": of["personal"],
        "source": of["source"],
        "compartments": of["compartments"],
    }


def decide(policies, case):
    who, of, action = case["principal"], case["label"], case["action"]
    shared = [purpose for purpose in who["purposes"] if purpose in of["purposes"]]
    facts = [
        {"uid": {"type": "User", "id": "somebody"}, "attrs": user(who), "parents": []},
        {"uid": {"type": "Label", "id": "something"}, "attrs": label(of), "parents": []},
        {"uid": {"type": "Action", "id": action}, "attrs": {}, "parents": [{"type": "Action", "id": "read"}]},
    ]
    request = {
        "principal": {"type": "User", "id": "somebody"},
        "action": {"type": "Action", "id": action},
        "resource": {"type": "Label", "id": "something"},
        "context": {"purposes": entities("Purpose", shared)},
    }
    return cedarpy.is_authorized(request, policies, facts)


def main():
    judged, allowed = 0, 0
    for line in open(sys.argv[1]):
        given = json.loads(line)
        policies = cedarpy.PolicySet.from_str(given["policies"])
        for case in given["cases"]:
            result = decide(policies, case)
            if result.diagnostics.errors:
                sys.exit(f"refused: an error in a policy that was taken: {result.diagnostics.errors} {line}")
            # cedarpy calls a policy by its place.
            because = sorted(given["ids"][int(name.removeprefix("policy"))] for name in result.diagnostics.reasons)
            if result.allowed != case["allowed"] or because != case["because"]:
                sys.exit(f"refused: {result.allowed} by {because}, not {case}\n{given['policies']}")
            judged, allowed = judged + 1, allowed + result.allowed
    print(f"accepted: {judged} decisions, {allowed} of them allowed")


main()
