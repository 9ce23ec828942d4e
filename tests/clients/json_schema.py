"""Validates a document with a JSON Schema: json_schema.py SCHEMA DOCUMENT."""

import json
import sys

from jsonschema.validators import validator_for

schema, document = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
validator = validator_for(schema)(schema)
errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
sys.exit("\n".join(errors) if errors else 0)
