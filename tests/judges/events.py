"""Sends events made by the official CloudEvents library, in each mode, twice: python3 events.py URL TOKEN SOURCE.

Prints each answer as a line of JSON.
"""

import json
import sys
import urllib.request

from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

url, token, source = sys.argv[1:]
FORMAT = JSONFormat()


def event(name):
    attributes = {"id": name, "source": "/sensors/gr\u00fc\u00dfe", "type": "org.example.seen", "specversion": "1.0",
                  "datacontenttype": "application/json"}
    return CloudEvent(attributes=attributes, data={"id": name, "type": "host", "attributes": {"name": "h\u00f6st"}})


def send(headers, body):
    headers = {**headers, "authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/api/v1/events?source={source}", data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        print(json.dumps(json.load(answer)))


for _ in range(2):
    message = to_structured(event("sdk-structured"), FORMAT)
    send(message.headers, message.body)
    message = to_binary(event("sdk-binary"), FORMAT)
    send(message.headers, message.body)
    batch = [json.loads(to_structured(event(f"sdk-batch-{number}"), FORMAT).body) for number in range(3)]
    send({"content-type": "application/cloudevents-batch+json"}, json.dumps(batch).encode())
