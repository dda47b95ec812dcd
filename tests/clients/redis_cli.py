"""redis-cli: single commands, the prompt with its hints, and the modes that watch a server."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import program
from program import PORT, equal

TIMEOUT_S = 30
GREY = "\x1b[0;90;49m"  # what hints are written in
SURROUNDINGS = {**os.environ, "TERM": "xterm", "REDISCLI_HISTFILE": "/dev/null",
                "REDISCLI_RCFILE": "/dev/null"}


def cli(*words, stdin=b"", code=0):
    """What one run prints, which must end with that exit code."""
    done = subprocess.run(["redis-cli", "-p", str(PORT), *map(str, words)], input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S,
                          env=SURROUNDINGS)
    said = done.stdout.decode()
    equal((done.returncode, said if done.returncode != code else ""), (code, ""))
    return said


def resp(*words):
    """A command as it goes over the wire."""
    bulks = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(bulks) + b"".join(b"$%d\r\n%s\r\n" % (len(b), b) for b in bulks)


class Terminal:
    """redis-cli before somebody: what is typed, and what the screen shows."""

    def __init__(self, *options):
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job would ignore it
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 240, 0, 0))
            os.execvpe("redis-cli", ["redis-cli", "-p", str(PORT), *options], SURROUNDINGS)
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def read(self, until):
        """False if it has ended; the pseudo-terminal says so by an error."""
        if not select.select([self.screen], [], [], max(0, until - time.monotonic()))[0]:
            raise AssertionError(f"it does not come; the screen shows: {self.shown[-2000:]!r}")
        try:
            some = os.read(self.screen, 65536)
        except OSError:
            return False
        self.shown += some.decode(errors="replace")
        return bool(some)

    def wait(self, pattern):
        """Wait until the screen shows it; the match. What came before it is forgotten."""
        until = time.monotonic() + TIMEOUT_S
        while not (found := re.search(pattern, self.shown, re.DOTALL)):
            if not self.read(until):
                raise AssertionError(f"it ended; the screen shows: {self.shown[-2000:]!r}")
        self.shown = self.shown[found.end():]
        return found

    def type(self, text):
        os.write(self.screen, text.encode())

    def run(self, line, answer):
        """Type a line, wait for the prompt; the answer must match."""
        self.type(line + "\r")
        # The editor writes the line anew after each key, and \r\n once it is entered.
        self.wait(r"\r\n")
        lines = self.wait(r"(.*?)(?:127\.0\.0\.1:\d+|not connected)[^\n]*> $").group(1)
        text = re.sub(r"\r|\x1b\[[\d;]*m", "", lines).strip("\n")
        assert re.fullmatch(answer, text, re.DOTALL), f"{line}: {text!r}, expected {answer!r}"

    def end(self, how=signal.SIGKILL):
        """Its exit code, or the number of the signal as a negative one."""
        if self.pid:
            os.kill(self.pid, how)
            status = self.leave()
            return status

    def leave(self):
        until = time.monotonic() + TIMEOUT_S
        while self.read(until):
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.screen)
        self.pid = 0
        return status


# --- Single commands ------------------------------------------------------------------------------

def test_single_commands():
    equal(cli("ping"), "PONG\n")
    equal(cli("VADD", "one", "VALUES", 2, 1, 0, "a", "SETATTR", '{"x":1}'), "1\n")
    equal(cli("VADD", "one", "VALUES", 2, 0, 1, "b"), "1\n")
    equal(cli("--no-raw", "VSIM", "one", "VALUES", 2, 1, 0), '1) "a"\n2) "b"\n')
    equal(cli("--csv", "VSIM", "one", "ELE", "a", "WITHSCORES"), '"a","1","b","0.5"\n')
    equal(json.loads(cli("--json", "VSIM", "one", "ELE", "a", "WITHSCORES")), {"a": 1, "b": 0.5})
    equal(cli("--json", "VGETATTR", "one", "a"), '"{\\"x\\":1}"\n')
    equal(cli("-3", "VISMEMBER", "one", "a"), "(true)\n")
    assert '"quant-type","int8"' in cli("--csv", "VINFO", "one")
    equal(cli("-n", 3, "DBSIZE"), "0\n")
    equal(cli("-u", f"redis://127.0.0.1:{PORT}/0", "VCARD", "one"), "2\n")
    equal(cli("-r", 3, "-i", 0.01, "PING"), "PONG\n" * 3)
    # The only way to give it bytes: the last argument from standard input.
    equal(cli("-x", "VSIM", "one", "FP32", stdin=struct.pack("<2f", 0, 1)), "b\na\n")
    equal(cli(stdin=b"PING\nVCARD one\nECHO 'two words'\n"), "PONG\n2\ntwo words\n")
    equal(cli(stdin=b"MULTI\nVCARD one\nVDIM one\nEXEC\n"), "OK\nQUEUED\nQUEUED\n2\n2\n")


def test_errors_and_exit_codes():
    equal(cli("NOSUCH", "x"), "ERR unknown command 'NOSUCH', with args beginning with: 'x' \n\n")
    equal(cli("-e", "VDIM", "nothing", code=1), "ERR key does not exist\n")
    assert "refused" in subprocess.run(["redis-cli", "-p", "1", "ping"], capture_output=True,
                                       text=True).stderr


def test_pipe():
    stream = b"".join(resp("VADD", "pipe", "VALUES", 2, 1, i, f"e{i}") for i in range(10000))
    said = cli("--pipe", stdin=stream)
    assert "errors: 0, replies: 10000\n" in said, said
    equal(cli("VCARD", "pipe"), "10000\n")
    said = cli("--pipe", stdin=resp("PING") + resp("NOSUCH") + b"PING\r\n", code=1)
    assert "errors: 1, replies: 3\n" in said, said


def test_scan_and_sizes():
    fill = "".join(f"SET key:{i} value{i}\r\n" for i in range(1000))
    fill += "".join(f"VADD set:{i} VALUES 2 1 {i} e\r\n" for i in range(100))
    assert "errors: 0, replies: 1100\n" in cli("-n", 7, "--pipe", stdin=fill.encode())
    found = cli("-n", 7, "--scan").splitlines()
    equal((len(found), len(set(found))), (1100, 1100))
    equal(sorted(cli("-n", 7, "--scan", "--pattern", "set:9*").splitlines()),
          ["set:9"] + [f"set:9{i}" for i in range(10)])
    said = cli("-n", 7, "--bigkeys")
    assert "Sampled 1100 keys in the keyspace!" in said and "Warning" not in said, said
    assert "1000 strings with 7890 bytes" in said, said
    assert "100 vectorsets with 0 " in said, said
    equal(cli("-n", 7, "FLUSHDB"), "OK\n")


def test_memory_of_keys():
    cli("-n", 7, "MSET", *[word for i in range(100) for word in (f"key:{i}", "value")])
    cli("-n", 7, "VADD", "set", "VALUES", 2, 1, 1, "e")
    said = cli("-n", 7, "--memkeys")
    assert "Sampled 101 keys in the keyspace!" in said and "Warning" not in said, said
    assert re.search(r"100 strings with [1-9]\d+ bytes", said), said
    assert re.search(r"1 vectorsets with [1-9]\d+ bytes", said), said
    equal(cli("-n", 7, "FLUSHDB"), "OK\n")


def test_password():
    equal(cli("CONFIG", "SET", "requirepass", "secret"), "OK\n")
    try:
        equal(cli("ping"), "NOAUTH Authentication required.\n\n")
        equal(cli("-a", "secret", "--no-auth-warning", "ping"), "PONG\n")
        equal(cli("--user", "default", "--pass", "secret", "--no-auth-warning", "-3", "ping"),
              "PONG\n")
        assert "WRONGPASS" in cli("-a", "guessed", "--no-auth-warning", "ping")
        with prompt() as terminal:
            terminal.run("DBSIZE", r"\(error\) NOAUTH Authentication required\.")
            terminal.run("AUTH secret", "OK")
            terminal.run("DBSIZE", r"\(integer\) \d+")
    finally:
        equal(cli("-a", "secret", "--no-auth-warning", "CONFIG", "SET", "requirepass", ""), "OK\n")


# --- At the prompt --------------------------------------------------------------------------------

def prompt(*options):
    terminal = Terminal(*options)
    terminal.wait(r"127\.0\.0\.1:\d+> $")
    return terminal


def hints(options):
    with prompt(*options) as terminal:
        terminal.type("VADD ")
        shown = terminal.wait(re.escape(GREY) + "(key [^\x1b]*)").group(1)
        assert shown.startswith("key [REDUCE dim] FP32 blob|VALUES num value [value ...] element ["), shown
        terminal.type("fruits VALUES 2 1 0 apple ")
        terminal.wait(r"\[value \.\.\.\] element \[SETATTR json\]")
        terminal.type("\x15VSEARCH fruits ")
        terminal.wait(r"fruits " + re.escape(GREY) + r"K k ELE element\|FP32 blob\|VALUES num value")
        terminal.type("\x15client kill ")
        terminal.wait(r"kill " + re.escape(GREY) + r"ip-port\|ID client-id")
        terminal.type("\x15vca\t")
        terminal.wait("VCARD")
        terminal.run(" nothing", r"\(integer\) 0")
        for group in ("@vector_set", "@connection", "@server"):
            terminal.run(f"help {group}", r".*summary: .*since: .*")
        terminal.run("help vsim", r".*VSIM.* key ELE element\|FP32 blob\|VALUES num value.*"
                     r"\[COUNT num\].*summary:.*since:.*group:.*vector_set.*")
        terminal.run("help nosuch", "")


def test_hints():
    hints([])


def test_hints_over_resp3():
    hints(["-3"])


def test_prompt_follows_the_connection():
    with prompt() as terminal:
        terminal.run("MULTI", "OK")
        terminal.run("VADD tx VALUES 2 1 0 a", "QUEUED")
        terminal.run("VCARD tx", "QUEUED")
        terminal.run("EXEC", r"1\) \(integer\) 1\n2\) \(integer\) 1")
        terminal.run("SELECT 3", "OK")
        terminal.run("DBSIZE", r"\(integer\) 0")
        terminal.run("HELLO 3", r'1# "server" => "valori"\n.*3# "proto" => \(integer\) 3\n.*')
        terminal.run("SELECT 0", "OK")
        terminal.run("VISMEMBER tx a", r"\(true\)")
        terminal.run("VSIM tx ELE a WITHSCORES", r'1# "a" => \(double\) 1')
        terminal.run("VEMB tx a", r"1\) \(double\) 1\n2\) \(double\) 0")
        terminal.run("VGETATTR tx a", r"\(nil\)")
        terminal.run("INFO server", r"# Server\n.*valori_version:.*")
        terminal.run("VDIM nothing", r"\(error\) ERR key does not exist")
        terminal.type("quit\r")
        equal(terminal.leave(), 0)


def test_prompt_reconnects():
    with prompt() as terminal:
        terminal.run("VADD kept VALUES 2 3 4 before", r"\(integer\) 1")
        program.restart()
        # The loss is noticed by the first command, the second has a new connection.
        terminal.run("PING", "Error: Server closed the connection")
        terminal.run("VISMEMBER kept before", r"\(integer\) 1")


# --- Watching -------------------------------------------------------------------------------------

def test_stat():
    with Terminal("--stat", "-i", "0.1") as terminal:
        terminal.wait(r"keys +mem +clients +blocked +requests +connections")
        before = int(terminal.wait(r"\n\d+ +[\d.]+[KMG] +\d+ +\d+ +(\d+) \(\+0\)").group(1))
        cli("ping")
        after = terminal.wait(r"\n\d+ +[\d.]+[KMG] +\d+ +\d+ +(\d+) \(\+\d+\) +\d+")
        assert int(after.group(1)) > before
        equal(terminal.end(signal.SIGINT), -signal.SIGINT)


def test_latency():
    with Terminal("--latency") as terminal:
        terminal.wait(r"min: \d+, max: \d+, avg: \d+\.\d+ \(\d+ samples\)")
        terminal.end(signal.SIGINT)
    with Terminal("--latency-history", "-i", "1") as terminal:
        terminal.wait(r"\(\d+ samples\) -- 1\.\d+ seconds range")
        terminal.end(signal.SIGINT)
    with Terminal("--latency-dist", "-i", "1") as terminal:
        terminal.wait(r"From 0 to 100%: .*From 0 to 100%|milliseconds.*\x1b\[38;5;")
        terminal.end(signal.SIGINT)
    # Where nobody looks it measures for a second and ends.
    assert re.fullmatch(r"\d+ \d+ [\d.]+ \d+\n", cli("--latency"))


program.main(globals())
