"""The whole flow of the Python MCP client: refused, logged in, refused again for a scope, stepped up.

Usage: mcp_client.py BASE
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlparse

import httpx
import httpx2
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

BASE = sys.argv[1]
CALLBACK = "http://127.0.0.1:9/callback"


class Memory:
    """Keeps what the authorization server gave."""

    tokens = None
    registration = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.registration

    async def set_client_info(self, registration):
        self.registration = registration


async def tools(path, memory):
    """The tools behind a path, and what the user was asked for on the way to them."""
    asked = []
    returned = {}

    async def redirect(url):
        query = parse_qs(urlparse(url).query)
        resource = query["resource"][0].removeprefix(BASE)
        asked.append({"scope": query["scope"][0], "resource": resource})
        async with httpx.AsyncClient() as browser:
            for _ in range(12):
                if url.startswith(CALLBACK):
                    break
                response = await browser.get(url)
                url = str(response.url.join(response.headers["location"]))
        returned.update(parse_qs(urlparse(url).query))

    async def callback():
        def one(name):
            return returned.get(name, [None])[0]

        return AuthorizationCodeResult(code=one("code"), state=one("state"), iss=one("iss"))

    metadata = OAuthClientMetadata(
        client_name="test",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    auth = OAuthClientProvider(
        server_url=BASE + path,
        client_metadata=metadata,
        storage=memory,
        redirect_handler=redirect,
        callback_handler=callback,
    )
    # A connection for each request: a server may close a connection when it responds before it has read the body, and
    # this client would use that connection again.
    limits = httpx2.Limits(max_keepalive_connections=0)
    async with httpx2.AsyncClient(auth=auth, timeout=10, limits=limits) as client:
        async with streamable_http_client(BASE + path, http_client=client) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
                listed = await session.list_tools()
                return asked, [tool.name for tool in listed.tools]


async def main():
    memory = Memory()
    for behaviour, path in [
        ("finds metadata and scope from a 401", "/api/mcp"),
        ("steps up on a 403", "/api/mcp/write"),
    ]:
        asked, names = await asyncio.wait_for(tools(path, memory), 60)
        understood = {"asked": asked, "tools": names}
        print(json.dumps({"client": "mcp (Python)", "behaviour": behaviour, "understood": understood}))


asyncio.run(main())
