"""How Python's HTTP clients log in by Digest. Usage: digest_clients.py BASE"""

import json
import sys
import time

import httpx
import requests
from requests.auth import HTTPDigestAuth

BASE = sys.argv[1]
ANN = ("ann", "secret")


def report(client, behaviour, understood):
    print(json.dumps({"client": client, "behaviour": behaviour, "understood": understood}))


def log_in(client, session, auth, history):
    """Each with one login for several requests, so that its nonce is used again."""

    def get(path, login):
        answer = session.get(BASE + path, auth=login)
        return answer.json() if answer.status_code == 200 else answer.status_code

    report(client, "logs in by Digest", get("/both/who?a=%20b", auth(*ANN)))
    if client == "requests":
        report(client, "logs in by Digest where there is SHA-256 only", get("/sha256/who", auth(*ANN)))
    login = auth(*ANN)
    get("/sha256/who", login)
    report(client, "counts how often it used a nonce", get("/sha256/who", login))

    login = auth(*ANN)
    first = session.get(BASE + "/brief/who", auth=login)
    time.sleep(0.7)
    second = session.get(BASE + "/brief/who", auth=login)
    statuses = [answer.status_code for answer in [first, *history(second), second]]
    report(client, "goes on when its nonce ran out", statuses)
    report(client, "is refused by Digest with a wrong password", get("/sha256/who", auth("ann", "wrong")))


log_in("requests", requests.Session(), HTTPDigestAuth, lambda answer: answer.history)
log_in("httpx", httpx.Client(), httpx.DigestAuth, lambda answer: answer.history)
