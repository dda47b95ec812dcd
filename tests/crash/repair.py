"""valori-check on damaged directories: the place it names, the copy it writes, what it refuses.

A server makes one log; each test damages a copy of it. BUILD is the folder with the programs.
The last line is `N passed, N failed`.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
BUILD = BUILD if BUILD.is_absolute() else TOP / BUILD
FIRST = "valori-00000001.log"


def check(*arguments):
    ended = subprocess.run([BUILD / "valori-check", *arguments], capture_output=True, text=True)
    return ended.returncode, ended.stdout + ended.stderr


def request(*words):
    parts = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.02)
    sys.exit("the server does not answer")


def make_log(directory):
    """A log of 60 changes, each synced by itself, cleanly stopped."""
    directory.mkdir(mode=0o700)
    port = free_port()
    server = subprocess.Popen([BUILD / "valori-server", "--port", str(port), "--dir", directory],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with connect(port) as client:
        for i in range(60):
            client.sendall(request("VADD", "k", "VALUES", 3, i + 1, 2, 3, f"element:{i}"))
            assert client.recv(4096).startswith(b":"), "VADD was refused"
    server.send_signal(signal.SIGTERM)
    assert server.wait(10) == 0, "the server did not stop cleanly"


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def change(directory, name, edit):
    path = directory / name
    data = bytearray(path.read_bytes())
    path.write_bytes(edit(data) or data)


def flip(directory, offset):
    def edit(data):
        data[offset] ^= 0x20
    change(directory, FIRST, edit)


def whole_logs_need_no_repair(directory):
    code, said = check("log", directory)
    assert code == 0 and said.startswith("whole: "), said
    code, said = check("log", directory, "--json")
    assert code == 0 and json.loads(said)["status"] == "whole", said
    code, said = check("repair", directory)
    assert code == 0 and "nothing to repair" in said, said
    assert not directory.with_name(directory.name + ".repaired").exists()


def G8_loss_of_acknowledged_entries_needs_their_number(directory):
    flip(directory, 5000)
    before = contents(directory)
    code, said = check("log", directory, "--json")
    place = json.loads(said)
    assert code == 3 and place["bad_file"] == FIRST and place["bad_offset"] <= 5000, said
    kept = place["bad_sequence"] - 1
    code, said = check("log", directory)
    assert code == 3 and "valori-check repair" in said, said
    copy = directory.with_name(directory.name + ".repaired")
    for arguments in ([], ["--accept-loss-after", str(kept + 1)], ["--accept-loss-after", "none"]):
        code, said = check("repair", directory, *arguments)
        assert code == 3 and f"--accept-loss-after {kept}" in said, said
        assert "Nothing was written" in said and not copy.exists(), said
    code, said = check("repair", directory, "--accept-loss-after", str(kept))
    assert code == 0 and f"kept: entries 0 to {kept} " in said, said
    assert "still sound by themselves" in said, said
    assert contents(directory) == before, "the damaged directory was changed"
    code, said = check("log", copy, "--json")
    assert code == 0 and json.loads(said)["entries"] == kept + 1, said
    ended = subprocess.run([sys.executable, TOP / "utils" / "verify.py", copy],
                           capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    code, said = check("repair", directory, "--accept-loss-after", str(kept))
    assert code == 74 and "exists" in said, said


def copies_go_where_they_are_told(directory):
    flip(directory, 9000)
    kept = json.loads(check("log", directory, "--json")[1])["bad_sequence"] - 1
    out = directory.with_name("elsewhere")
    code, said = check("repair", directory, "--out", out, "--accept-loss-after", str(kept))
    assert code == 0 and out.is_dir(), said


def damaged_first_entries_leave_nothing(directory):
    flip(directory, 600)
    code, said = check("repair", directory)
    assert code == 3 and "--accept-loss-after none" in said, said
    code, said = check("repair", directory, "--accept-loss-after", "none")
    assert code == 0 and "kept: no entry at all" in said, said


def G9_missing_segments_are_exit_5(directory):
    (directory / FIRST).unlink()
    code, said = check("log", directory)
    assert code == 5 and "FATAL foreign" in said, said


def torn_tails_are_the_servers_business(directory):
    change(directory, FIRST, lambda data: data + b"x" * 100)
    code, said = check("log", directory)
    assert code == 0 and "100 bytes behind the last entry" in said, said
    code, said = check("repair", directory)
    assert code == 0 and "torn tail" in said, said


def wrong_use_is_exit_1(directory):
    for arguments in ([], ["frob"], ["log"], ["log", directory, "--frob"],
                      ["repair", directory, "--accept-loss-after", "x"]):
        code, said = check(*arguments)
        assert code == 1 and "--help" in said, said
    assert check("--help")[0] == 0 and check("--version")[0] == 0
    code, said = check("log", directory / "nowhere")
    assert code != 0 and "nowhere" in said, said


def main():
    tests = [whole_logs_need_no_repair, G8_loss_of_acknowledged_entries_needs_their_number,
             copies_go_where_they_are_told, damaged_first_entries_leave_nothing,
             G9_missing_segments_are_exit_5, torn_tails_are_the_servers_business,
             wrong_use_is_exit_1]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as top:
        original = pathlib.Path(top) / "original"
        make_log(original)
        for test in tests:
            directory = pathlib.Path(top) / test.__name__
            shutil.copytree(original, directory)
            try:
                test(directory)
                passed += 1
            except AssertionError as error:
                print(f"  FAIL {test.__name__}: {error}")
                failed += 1
            shutil.rmtree(top + "/elsewhere", ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
