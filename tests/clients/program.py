"""What the Python programs of tests/clients share: telling tests/clients/run what happened.

A program defines functions test_*, takes PORT from here and ends on `program.main(globals())`.
"""

import sys
import traceback

PORT = int(sys.argv[1])


def restart():
    """Have the server killed and started again; clients are accepted when this returns."""
    print("restart", flush=True)
    line = sys.stdin.readline()
    assert line == "restarted\n", f"no server after the restart: {line!r}"


def refused(call, *arguments, kind=Exception):
    """The text of the error that the call must end in."""
    try:
        answer = call(*arguments)
    except kind as error:
        return str(error)
    raise AssertionError(f"{arguments} was answered: {answer!r}")


def equal(found, wanted):
    assert found == wanted, f"{found!r}, expected {wanted!r}"


def main(names):
    failed = 0
    for name, test in list(names.items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            print("ok", name[5:], flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL {name[5:]}: {type(error).__name__}", flush=True)
            text = traceback.format_exc()
            print(text if len(text) < 4000 else f"{text[:2000]}\n...\n{text[-2000:]}", flush=True)
    sys.exit(1 if failed else 0)
