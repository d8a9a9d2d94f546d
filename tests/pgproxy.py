"""A line between a client and a server that can be cut, or fall silent, at the worst moment."""

from __future__ import annotations

import select
import socket
import threading

COMMIT = b"COMMIT\0"


class Proxy:
    """Passes bytes on, both ways, for any number of connections.

    `cut` says at what: `before`, the commit never reaches the server; `after`, its answer never reaches the client. It happens once, at
    the next commit; later connections are whole. With `silent`, nothing is passed on any more and nothing is closed.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self.cut = ""
        self.silent = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Closes everything."""
        for sock in (self._listener, *self._sockets):
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server))
            self._sockets += [client, server]
            threading.Thread(target=self._pass, args=(client, server), daemon=True).start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while self._step(client, server):
                pass
        except (OSError, ValueError):
            pass
        client.close()
        server.close()

    def _step(self, client: socket.socket, server: socket.socket) -> bool:
        for sock in select.select([client, server], [], [])[0]:
            data = sock.recv(1 << 16)
            if not data:
                return False
            if self.silent:
                continue
            cut, committing = self.cut, sock is client and data.endswith(COMMIT)
            if committing and cut:
                self.cut = ""
                if cut == "after":
                    server.sendall(data)
                    server.recv(1 << 16)
                return False
            (server if sock is client else client).sendall(data)
        return True
