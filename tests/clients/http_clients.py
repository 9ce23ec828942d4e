"""What Python's HTTP clients make of the answers. Usage: http_clients.py BASE TOKEN"""

import json
import sys

import httpx
import requests
from requests.utils import parse_dict_header

BASE, TOKEN = sys.argv[1:]
ANN = ("ann", "secret")


def report(client, behaviour, understood):
    print(json.dumps({"client": client, "behaviour": behaviour, "understood": understood}))


def challenges(lines):
    """Each line by the parser that requests has for such fields."""
    found = []
    for line in lines:
        scheme, _, parameters = line.partition(" ")
        found.append({"scheme": scheme, **parse_dict_header(parameters)})
    return found


refused = requests.get(BASE + "/profile")
lines = refused.raw.headers.getlist("www-authenticate")
report("requests", "sees both challenges", {"status": refused.status_code, "challenges": challenges(lines)})
report("requests", "logs in by Basic", requests.get(BASE + "/profile", auth=ANN).status_code)
wrong = requests.get(BASE + "/profile", auth=("ann", "wrong"))
report("requests", "is refused with a wrong password", wrong.status_code)
denied = requests.post(BASE + "/api/files", headers={"Authorization": f"Bearer {TOKEN}"})
lines = denied.raw.headers.getlist("www-authenticate")
report("requests", "reads which scopes are missing", {"status": denied.status_code, "challenges": challenges(lines)})

refused = httpx.get(BASE + "/profile")
lines = refused.headers.get_list("www-authenticate")
report("httpx", "sees both challenges", {"status": refused.status_code, "challenges": challenges(lines)})
report("httpx", "logs in by Basic", httpx.get(BASE + "/profile", auth=httpx.BasicAuth(*ANN)).status_code)
report("httpx", "is not confused when it offers Digest", httpx.get(BASE + "/profile", auth=httpx.DigestAuth(*ANN)).status_code)
