"""What PyJWT makes of tokens. Usage: python differential_jwt.py FILE"""
import datetime
import json
import sys

import jwt
from jwt import api_jwt

given = json.load(open(sys.argv[1], encoding="utf-8"))


class Clock(datetime.datetime):
    """The time of the test, since PyJWT has no setting for it."""

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(given["now"], tz)


api_jwt.datetime = Clock


def subject(token):
    header = jwt.get_unverified_header(token)
    if "kid" in header and header["kid"] != given["id"]:
        raise ValueError("another key")
    # A key for each algorithm, all of one name.
    key = given["keys"][header["alg"]]
    claims = jwt.decode(
        token, key, algorithms=[header["alg"]], issuer=given["issuer"], audience=given["audience"],
        leeway=given["leeway"], options={"require": ["iss", "aud", "sub", "exp"]},
    )
    return claims["sub"]


results = []
for token in given["tokens"]:
    try:
        results.append({"subject": json.dumps(subject(token))})
    except Exception as error:  # also those that PyJWT does not mean to raise
        results.append({"error": repr(error)})
print(json.dumps(results))
