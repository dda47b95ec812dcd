"""The programs of docs/clients.md: each must print exactly what stands under it."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from program import PORT, equal, main

TOP = Path(__file__).resolve().parent.parent.parent
FOLDER = Path(os.environ["CLIENT_FOLDER"])
TIMEOUT_S = 60
BLOCK = re.compile(r"^## (?P<title>[^\n]*)\n(?:(?!^## ).)*?^```(?P<language>python|js|c)\n"
                   r"(?P<program>.*?)^```\n\n```text\n(?P<output>.*?)^```\n", re.M | re.S)


def command(language, program):
    """Write the program down; the words that run it."""
    path = FOLDER / {"python": "example.py", "js": "example.mjs", "c": "example.c"}[language]
    path.write_text(program)
    if language == "python":
        return [sys.executable, path]
    if language == "js":
        modules = FOLDER / "node_modules"
        if not modules.exists():
            modules.symlink_to(os.environ["NODE_PATH"])
        return ["node", path]
    subprocess.run([os.environ.get("CC", "cc"), "-Wall", "-Wextra", "-Werror", "-o",
                    FOLDER / "example", path, "-lhiredis"], check=True)
    return [FOLDER / "example"]


def forget_everything():
    with socket.create_connection(("127.0.0.1", PORT)) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        equal(connection.recv(16), b"+OK\r\n")


def tests():
    text = (TOP / "docs" / "clients.md").read_text()
    found = list(BLOCK.finditer(text))
    # None may be lost because it is laid out differently.
    equal(len(found), len(re.findall(r"^```(?!text)\w", text, re.M)))
    for block in found:
        def test(block=block):
            assert "8256" in block["program"]
            forget_everything()
            words = command(block["language"], block["program"].replace("8256", str(PORT)))
            done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S)
            equal((done.returncode, done.stderr, done.stdout), (0, "", block["output"]))
        yield f"test_{block['title']}", test


main(dict(tests()))
