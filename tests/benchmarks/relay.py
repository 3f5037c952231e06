"""The TLS of a server: takes encrypted connections on 127.0.0.1 and passes them on to a port in clear.

    python -m tests.benchmarks.relay PORT CERTIFICATE

CERTIFICATE is a PEM file that holds the key too. Prints the port it listens on, then serves until its standard input
ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import threading


async def relay(target: int, certificate: str) -> None:
    """Serve for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_pass_on(reader, here), _pass_on(there, writer))

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", ssl=context, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(
        OSError
    ):  # a client that is closed without a word is no news; who counts is told by the sink
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def _serve() -> None:
    asyncio.run(relay(int(sys.argv[1]), sys.argv[2]))


def main() -> None:
    """Serve in the background until standard input ends."""
    threading.Thread(target=_serve, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
