"""A client of WebSockets that knows which messages must come back, and how a WebSocket may end."""
import asyncio
import base64
import collections
import os
import random
import struct
import sys

# How WebSockets end that nobody has closed, and did nothing wrong.
ENDS = {1001: "the server is going away", 1012: "the app's worker has ended"}


class Talk:
    """A WebSocket, on the side of the client. Nobody may take longer than `patience`, in seconds."""
    TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
    MOST_WAITING = 8

    def __init__(self, reader, writer, patience):
        self.reader, self.writer, self.patience = reader, writer, patience
        self.waiting = collections.deque()

    async def begin(self):
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(f"GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                          f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n".encode())
        return int((await self.reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])

    async def run(self, counts, over):
        """Talks until the WebSocket ends; returns what is to be counted."""
        sender = asyncio.create_task(self.send_all(over))
        try:
            for number in range(sys.maxsize):
                kind, payload = await asyncio.wait_for(self.receive(), self.patience)
                if kind == self.CLOSE:
                    self.send(self.CLOSE, payload)
                    code, reason = struct.unpack("!H", payload[:2])[0], payload[2:].decode()
                    if over.is_set() and (code, reason) == (1000, "done") and not self.waiting:
                        return "did close a WebSocket"
                    is_meant = ENDS.get(code) == reason
                    return f"did see {code}" if is_meant else f"WebSocket ended by {code} {reason!r}"
                sent = self.waiting.popleft() if self.waiting else b""
                if payload != str(number).encode() + b" " + sent:
                    return f"message {payload[:60]!r} in place of {number} {sent[:60]!r}"
                counts["did message"] += 1
        finally:
            sender.cancel()
            # It may have failed with the connection.
            await asyncio.gather(sender, return_exceptions=True)

    async def send_all(self, over):
        number = 0
        while not over.is_set():
            if len(self.waiting) < self.MOST_WAITING:
                number += 1
                text = f"{number} \u00e9 ".encode() + b"m" * random.choice([0, 10, 1_000, 1_000, 150_000])
                self.waiting.append(text)
                self.send(self.TEXT, text)
                await self.writer.drain()
            await asyncio.sleep(random.random() * 0.05)
        while self.waiting:
            await asyncio.sleep(0.05)
        self.send(self.CLOSE, struct.pack("!H", 1000) + b"done")

    def send(self, kind, payload):
        """Sends a message, in two frames if it is long."""
        half = len(payload) // 2 if len(payload) > 100 else 0
        if half:
            self.frame(kind, payload[:half])
        self.frame(0x80 | (0 if half else kind), payload[half:])

    def frame(self, first, payload):
        mask, size = os.urandom(4), len(payload)
        length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0xFE, size) if size < 65536 \
            else struct.pack("!BQ", 0xFF, size)
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        self.writer.write(bytes([first]) + length + mask + (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big"))

    async def receive(self):
        """Returns the kind and the payload of the next message."""
        kind, parts = 0, []
        while True:
            first, length = await self.reader.readexactly(2)
            if length >= 126:
                form = "!H" if length == 126 else "!Q"
                length = struct.unpack(form, await self.reader.readexactly(struct.calcsize(form)))[0]
            payload = await self.reader.readexactly(length)
            # Both may come between the frames of a message.
            if first & 15 == self.PING:
                self.send(self.PONG, payload)
                continue
            if first & 15 == self.CLOSE:
                return self.CLOSE, payload
            kind = first & 15 or kind
            parts.append(payload)
            if first & 0x80:
                return kind, b"".join(parts)
