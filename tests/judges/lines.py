"""Lets schemathesis send lines of JSON, of which it knows nothing by itself: as text."""

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
