#!/usr/bin/env python3
"""Open many connections and send the same bytes into each, again and again, reading nothing.

    flood.py PORT CONNECTIONS ROUNDS <bytes
"""
import socket
import sys

port, count, rounds = map(int, sys.argv[1:])
body = sys.stdin.buffer.read()
connections = []
for _ in range(count):
    connections.append(socket.create_connection(("127.0.0.1", port)))
    connections[-1].setblocking(False)
for _ in range(rounds):
    for connection in connections:
        try:
            connection.send(body)
        except OSError:  # full, or closed by the server
            pass
