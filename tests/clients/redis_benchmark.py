"""redis-benchmark: its own tests and commands of ours, without a warning and without an error."""

import csv
import io
import os
import struct
import subprocess

from program import PORT, equal, main

TIMEOUT_S = 60


def benchmark(*words, stdin=b"", code=0):
    """What one run prints. A warning or an error in it fails the test."""
    surroundings = {name: value for name, value in os.environ.items() if name != "REDISCLI_AUTH"}
    done = subprocess.run(["redis-benchmark", "-p", str(PORT), *map(str, words)], input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S,
                          env=surroundings)
    said = done.stdout.decode()
    equal((done.returncode, said if done.returncode != code else ""), (code, ""))
    if code == 0:
        for word in ("WARNING", "Error", "ERR", "Could not"):
            assert word not in said, said
    return said


def names(*words):
    """The tests whose rates a run reports."""
    return [row["test"] for row in csv.DictReader(io.StringIO(benchmark("--csv", *words)))
            if float(row["rps"]) > 0]


def test_ping():
    equal(names("-t", "ping", "-n", 5000), ["PING_INLINE", "PING_MBULK"])
    equal(names("-t", "ping", "-n", 5000, "-c", 20, "-P", 16, "-3", "--dbnum", 3, "--threads", 2),
          ["PING_INLINE", "PING_MBULK"])
    assert "requests per second" in benchmark("-t", "ping", "-n", 1000, "-q")
    assert "throughput summary" in benchmark("-t", "ping", "-n", 1000)


def test_set_and_get():
    equal(names("-t", "set,get", "-n", 5000, "-c", 20, "-P", 16, "-r", 1000, "-d", 100),
          ["SET", "GET"])
    equal(names("-t", "set,get,incr", "-n", 2000, "-3"), ["SET", "GET", "INCR"])
    equal(len(names("-n", 1000, "-r", 1000, "MSET", "a:__rand_int__", "b", "c:__rand_int__", "d")), 1)


def test_vadd_and_vsim():
    random = ["0.__rand_int__"] * 3
    equal(len(names("-n", 5000, "-c", 20, "-P", 16, "-r", 1000, "VADD", "bk", "VALUES", 3, *random,
                    "e:__rand_int__")), 1)
    # Each element is there, so that any of them can be asked for.
    load = "".join(f"VADD bk VALUES 3 {i} 1 1 e:{i:012}\r\n" for i in range(1000))
    subprocess.run(["redis-cli", "-p", str(PORT), "--pipe"], input=load.encode(), check=True,
                   stdout=subprocess.DEVNULL)
    for protocol in ([], ["-3"]):
        equal(len(names(*protocol, "-n", 2000, "-P", 4, "VSIM", "bk", "VALUES", 3, 0.1, 0.2, 0.3,
                        "COUNT", 10)), 1)
        equal(len(names(*protocol, "-n", 2000, "-r", 1000, "VSIM", "bk", "ELE", "e:__rand_int__",
                        "WITHSCORES")), 1)
    # No byte of this vector is zero: version 7.0 ends the argument there.
    vector = struct.pack("<3f", 0.1, 0.2, 0.3)
    assert "requests per second" in benchmark("-q", "-n", 1000, "-x", "VSIM", "bk", "FP32",
                                              stdin=vector)


def test_an_error_ends_it():
    said = benchmark("-n", 100, "VSIM", "bk", "ELE", "nobody", code=1)
    assert "Error from server: ERR element not found in set" in said, said


main(globals())
