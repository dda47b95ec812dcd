"""redis-py as Debian has it (4.3, RESP2): the vector commands through execute_command."""

import struct
import threading

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import program
from program import PORT, equal, refused

LOST = [redis.ConnectionError, redis.TimeoutError]


def connect(**options):
    return redis.Redis(port=PORT, socket_timeout=30, **options)


def fp32(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


def log_size(client):
    state = client.execute_command("PROOF.STATE")
    return dict(zip(state[::2], state[1::2]))[b"log_size"]


def test_connect():
    with connect(client_name="worker") as client:
        assert client.ping()
        equal(client.client_getname(), "worker")
        equal(client.echo("caf\u00e9"), "caf\u00e9".encode())
        assert client.client_id() in [int(line["id"]) for line in client.client_list()]
        info = client.info()
        assert info["redis_version"] and info["tcp_port"] == PORT and info["loading"] == 0
        assert client.time()[0] > 1500000000
        assert client.command_count() == len(client.command())
        assert client.config_get("databases")["databases"]


def test_add_and_search():
    with connect(decode_responses=True) as client:
        run = client.execute_command
        equal(run("VADD", "fruits", "VALUES", 3, 1, 0.2, 0, "apple", "SETATTR", '{"n":1}'), 1)
        equal(run("VADD", "fruits", "VALUES", 3, 0.1, 1, 0, "banana"), 1)
        equal(run("VADD", "fruits", "VALUES", 3, 1, 0.2, 0.1, "apple"), 0)
        equal(run("VADD", "fruits", "FP32", fp32(0, 0, 1), "cherry"), 1)
        equal(run("VSIM", "fruits", "FP32", fp32(0, 0.1, 1), "COUNT", 2), ["cherry", "apple"])
        names = run("VSIM", "fruits", "ELE", "apple", "WITHSCORES", "WITHATTRIBS")
        equal(names[0::3][0], "apple")
        assert float(names[1]) == 1 and float(names[4]) < 1
        equal(names[2::3], ['{"n":1}', None, None])
        equal(run("VSEARCH", "fruits", "K", 1, "VALUES", 3, 0, 1, 0), ["banana"])
        equal([run("VCARD", "fruits"), run("VDIM", "fruits")], [3, 3])
        info = run("VINFO", "fruits")
        equal(dict(zip(info[::2], info[1::2]))["size"], 3)
        equal(run("VREM", "fruits", "cherry"), 1)
        equal(run("VSIM", "fruits", "VALUES", 3, 0, 0, 1, "COUNT", 1), ["apple"])


def test_floats_come_back():
    with connect() as client:
        run = client.execute_command
        wanted = [1, 4.32, 0.11, 0.5, 0.9]
        run("VADD", "exact", "VALUES", 5, *wanted, "e", "NOQUANT")
        single = struct.unpack("<5f", fp32(*wanted))
        equal([struct.unpack("<f", fp32(float(x)))[0] for x in run("VEMB", "exact", "e")],
              list(single))
        equal(run("VEMB", "exact", "nobody"), None)


def test_errors():
    with connect() as client:
        client.execute_command("VADD", "errors", "VALUES", 2, 1, 1, "a")
        error = redis.ResponseError
        equal(refused(client.execute_command, "VADD", "errors", "VALUES", 1, 1, "b", kind=error),
              "Vector dimension mismatch - got 1 but set has 2")
        assert refused(client.execute_command, "NOSUCH", "x").startswith("unknown command")
        equal(refused(client.execute_command, "VSIM", "errors", "ELE", "nobody", kind=error),
              "element not found in set")
        assert client.ping()


def test_transaction():
    with connect() as client:
        before = log_size(client)
        with client.pipeline(transaction=True) as queue:
            for i in range(100):
                queue.execute_command("VADD", "t", "VALUES", 2, i, 1, f"e{i}")
            queue.execute_command("VCARD", "t")
            equal(queue.execute(), [1] * 100 + [100])
        equal(log_size(client), before + 1)
        with client.pipeline(transaction=True) as queue:
            queue.execute_command("VADD", "t", "VALUES", 3, 1, 1, 1, "bad")
            queue.execute_command("VREM", "t", "e0")
            first, second = queue.execute(raise_on_error=False)
            assert isinstance(first, redis.ResponseError) and second == 1
        with client.pipeline(transaction=True) as queue:
            queue.execute_command("VREM", "t", "e1")
            queue.execute_command("NOSUCH")
            refused(queue.execute, kind=redis.ResponseError)
        equal(client.execute_command("VISMEMBER", "t", "e1"), 1)


def test_pipeline_without_transaction():
    with connect() as client, client.pipeline(transaction=False) as queue:
        for i in range(1000):
            queue.execute_command("VADD", "p", "FP32", fp32(i, 1), f"e{i}")
        queue.delete("p")
        equal(queue.execute(), [1] * 1000 + [1])


def test_threads_share_a_pool():
    with connect() as client:
        def add(who):
            for i in range(50):
                client.execute_command("VADD", "pool", "VALUES", 2, who, i, f"{who}:{i}")
        threads = [threading.Thread(target=add, args=(who,)) for who in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(client.execute_command("VCARD", "pool"), 400)


def test_strings():
    with connect(db=5, decode_responses=True) as client:
        assert client.set("name", "caf\u00e9") and client.get("name") == "caf\u00e9"
        equal(client.get("nothing"), None)
        equal([client.incr("counter"), client.incr("counter", 41)], [1, 42])
        equal(client.mget("counter", "nothing", "name"), ["42", None, "caf\u00e9"])
        client.execute_command("VADD", "fruits", "VALUES", 2, 1, 0, "apple")
        equal([client.type("name"), client.type("fruits")], ["string", "vectorset"])
        equal(refused(client.incr, "fruits", kind=redis.ResponseError),
              "WRONGTYPE Operation against a key holding the wrong kind of value")
        equal(client.unlink("name", "nothing"), 1)
        assert client.flushdb() and client.dbsize() == 0


def test_keys():
    with connect(db=5, decode_responses=True) as client:
        client.mset({"name": "value", "counter": 1})
        client.execute_command("VADD", "fruits", "VALUES", 2, 1, 0, "apple")
        assert client.rename("name", "title")
        equal(client.renamenx("title", "fruits"), False)
        equal(sorted(client.keys("*t*")), ["counter", "fruits", "title"])
        assert client.randomkey() in ("counter", "fruits", "title")
        assert client.flushdb() and client.dbsize() == 0


def test_scan():
    with connect(db=6, decode_responses=True) as client:
        with client.pipeline(transaction=False) as queue:
            for i in range(1000):
                queue.set(f"key:{i}", i)
            queue.execute_command("VADD", "vectors", "VALUES", 1, 1, "e")
            queue.execute()
        found = list(client.scan_iter(count=7))
        equal(sorted(found), sorted([f"key:{i}" for i in range(1000)] + ["vectors"]))
        equal(sorted(client.scan_iter(match="key:99*", count=100)),
              sorted(["key:99"] + [f"key:99{i}" for i in range(10)]))
        equal(list(client.scan_iter(_type="vectorset")), ["vectors"])


def test_memory_usage():
    with connect() as client:
        client.set("small", "x")
        client.set("large", "x" * 100000)
        assert 0 < client.memory_usage("small") < 1000
        assert 100000 < client.memory_usage("large") < 200000
        equal(client.memory_usage("nothing"), None)


def test_watch():
    with connect() as client, connect() as other:
        client.set("watched", 1)
        with client.pipeline() as queue:
            queue.watch("watched")
            equal(queue.get("watched"), b"1")
            other.incr("watched")
            queue.multi()
            queue.set("watched", 100)
            try:
                raise AssertionError(f"it ran: {queue.execute()}")
            except redis.WatchError:
                pass
        equal(client.get("watched"), b"2")
        tries = []

        def double(queue):
            value = int(queue.get("watched"))
            if not tries:
                other.incr("watched")
            tries.append(value)
            queue.multi()
            queue.set("watched", 2 * value)
        # It tries again for as long as somebody comes between.
        equal(client.transaction(double, "watched"), [True])
        equal((tries, client.get("watched")), ([2, 3], b"6"))


def test_password():
    with connect() as client:
        assert client.config_set("requirepass", "secret")
        try:
            with connect(password="secret") as known:
                assert known.ping()
            with connect() as unknown:
                equal(refused(unknown.ping, kind=redis.AuthenticationError),
                      "Authentication required.")
            with connect(username="default", password="guessed") as guessing:
                equal(refused(guessing.ping, kind=redis.ResponseError),
                      "WRONGPASS invalid username-password pair or user is disabled.")
        finally:
            client.config_set("requirepass", "")


def test_administration():
    with connect() as client, connect() as other:
        other.ping()
        equal(client.client_kill_filter(_id=other.client_id()), 1)
        assert client.client_pause(1) and client.client_unpause()
        client.echo("counted")
        assert client.info("commandstats")["cmdstat_echo"]["calls"] >= 1
        assert client.config_resetstat()
        assert "cmdstat_echo" not in client.info("commandstats")


def test_reconnect():
    with connect(retry=Retry(NoBackoff(), 3), retry_on_error=LOST) as client:
        client.execute_command("VADD", "kept", "VALUES", 2, 3, 4, "before")
        root = client.execute_command("PROOF.STATE", "SYNC")[1]
        program.restart()
        equal(client.execute_command("VSIM", "kept", "VALUES", 2, 3, 4), [b"before"])
        equal(client.execute_command("PROOF.STATE", "SYNC")[1], root)
        equal(client.execute_command("VADD", "kept", "VALUES", 2, 3, 4, "after"), 1)
    with connect() as client:
        pipeline = client.pipeline(transaction=True)
        pipeline.execute_command("VCARD", "kept")
        client.ping()
        program.restart()
        equal(pipeline.execute(), [2])


program.main(globals())
