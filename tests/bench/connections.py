#!/usr/bin/env python3
"""What connections cost: ten thousand that are idle, and floods of strangers.

  tests/bench/connections.py [--server build/valori-server] [--count 10000]

Needs descriptors: ulimit -n of at least count and 200. Prints
a table and exits with 1 when a bound is missed.
"""
import argparse
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

IDLE_LIMIT = 10 * 1024
FLOOD_LIMIT = 50 << 20

failed = False


class Server:
    def __init__(self, binary, *options):
        self.directory = tempfile.mkdtemp(prefix="valori-bench-")
        self.process = subprocess.Popen(
            [binary, "--port", "0", "--dir", self.directory, "--appendonly", "no", "--tcp-backlog", "4096",
             *options], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "connections on port" in line:
                self.port = int(line.split()[-1])
                break

    def memory(self, field):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))

    def info(self, field, password=None):
        with self.connect() as s:
            if password:
                s.sendall(b"AUTH %s\r\n" % password)
                s.recv(100)
            s.sendall(b"INFO everything\r\n")
            text = b""
            while b"# Keyspace" not in text:
                text += s.recv(65536)
        for line in text.decode().split("\r\n"):
            if line.startswith(field + ":"):
                return int(line.split(":")[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory)


def row(what, value, limit):
    global failed
    failed |= value >= limit
    print(f"{what:<58} {value:>12,} of {limit:,} bytes{'' if value < limit else '   MISSED'}", flush=True)


def idle(binary, count, names):
    server = Server(binary, "--maxclients", str(count + 10))
    begin = server.memory("VmRSS")
    clients = []
    for i in range(count):
        s = server.connect()
        if names:
            s.sendall(b"CLIENT SETNAME connection-%d\r\nHELLO 3\r\n" % i)
        s.sendall(b"PING\r\n")
        s.recv(1000)
        clients.append(s)
    peak = server.memory("VmHWM") - begin
    # After two seconds without a word the buffers go; the allocator returns pages within ten more.
    used = server.cpu_seconds()
    time.sleep(20)
    used = server.cpu_seconds() - used
    what = f"{count} idle clients{' with names' if names else ''}"
    row(f"{what}, resident, each", (server.memory("VmRSS") - begin) // count, IDLE_LIMIT)
    row(f"{what}, at the peak, each", peak // count, IDLE_LIMIT)
    print(f"{'  processor time meanwhile':<58} {used / 20:>12.2%}")
    print(f"{'  the account says, each':<58} {server.info('mem_clients_normal') // count:>12,}")
    for s in clients:
        s.close()
    server.stop()


FLOODS = {
    "announcing 10 arguments of 16 KiB": b"*10\r\n$4\r\nAUTH\r\n$16384\r\nx",
    "announcing what no stranger may": b"*2147483647\r\n$536870912\r\n",
    "lines of 65,000 bytes without an end": b"x" * 65000,
    "nine tenths of the largest request": b"*10\r\n" + (b"$16384\r\n" + b"x" * 16384 + b"\r\n") * 9,
    "never reading 30 refusals": b"PING\r\n" * 30,
    "never reading 3,000 refusals": b"PING\r\n" * 3000,
}


def flood(binary, count, what, body):
    server = Server(binary, "--maxclients", str(count + 10), "--requirepass", "secret",
                    "--authentication-timeout", "0")
    begin = server.memory("VmRSS")
    clients = []
    for _ in range(count):
        s = server.connect()
        s.setblocking(False)
        try:
            s.send(body)
        except OSError:
            pass
        clients.append(s)
    # What did not fit into the sockets at once, for those that are still there.
    for s in clients[:2000]:
        try:
            s.send(body[-1000:])
        except OSError:
            pass
    server.info("connected_clients", b"secret")
    row(f"{count} strangers {what}", server.memory("VmHWM") - begin, FLOOD_LIMIT)
    for s in clients:
        s.close()
    server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="build/valori-server")
    parser.add_argument("--count", type=int, default=10000)
    options = parser.parse_args()
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed < options.count + 200:
        sys.exit(f"ulimit -n is {allowed}; {options.count + 200} are needed")
    for names in (False, True):
        idle(options.server, options.count, names)
    for what, body in FLOODS.items():
        flood(options.server, options.count, what, body)
    sys.exit(1 if failed else 0)


main()
