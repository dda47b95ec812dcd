#!/usr/bin/env python3
"""Verify what a valori server hands out: proofs of keys and records, signed checkpoints, receipts.

  utils/verify_proof.py FILE [--key KEY] [--json]

FILE ("-" is stdin) is told by its first line. KEY is a verifier key, name+id+base64, or a file that
begins with one; without it signatures are not looked at, and that is said. Exit codes: 0 right,
1 usage, 3 wrong, 5 signed by another key. Written from docs/format.md, section 11, and the
specifications it names; standard library only.
"""
import argparse
import base64
import binascii
import json
import sys
from hashlib import sha256, sha512

from verify import EMPTY_TRIE, H, KH, ZERO, enc, object_hash, record_hash, u32

RIGHT, USAGE, WRONG, FOREIGN = 0, 1, 3, 5


class Wrong(Exception):
    def __init__(self, reason, code=WRONG):
        super().__init__(reason)
        self.code = code


def require(condition, reason, code=WRONG):
    if not condition:
        raise Wrong(reason, code)


# --- Ed25519 (RFC 8032), strict ------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    """Extended coordinates: x, y, z, x*y."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(data):
    """None for what is no canonical encoding of a point."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of(bytes([0x58]) + b"\x66" * 31)


def ed25519_verify(key, message, signature):
    if len(signature) != 64:
        return False
    a, r = point_of(key), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    if same(times(8, a), (0, 1, 1, 0)) or same(times(8, r), (0, 1, 1, 0)):
        return False  # of small order
    h = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(h, a)))


# --- Texts ---------------------------------------------------------------------------------------

def number(word):
    require(word.isascii() and word.isdigit() and (word == "0" or word[0] != "0"), "not a number")
    require(int(word) < 1 << 64, "a number beyond 64 bits")
    return int(word)


def from_base64(word, size=None):
    if word == "-" and size is None:
        return b""
    try:
        data = base64.b64decode(word, validate=True)
    except binascii.Error:
        raise Wrong("not base64") from None
    require(base64.b64encode(data).decode() == word, "base64 that is not in its one form")
    require(size is None or len(data) == size, "another size than is due")
    return data


class Lines:
    def __init__(self, text):
        require(text.endswith("\n"), "the text ends too early")
        self.lines, self.at = text[:-1].split("\n"), 0

    def next(self, first=None):
        require(self.at < len(self.lines), "the text ends too early")
        words = self.lines[self.at].split(" ")
        self.at += 1
        require(first is None or words[0] == first, f"line {self.at}: {first} is due")
        return words if first is None else words[1:]

    def rest(self):
        return "".join(line + "\n" for line in self.lines[self.at:])


# --- Notes and checkpoints -----------------------------------------------------------------------

class Key:
    def __init__(self, text):
        name, given, encoded = text.split("+", 2)
        data = from_base64(encoded, 33)
        self.name, self.kind, self.public = name, data[0], data[1:]
        self.id = sha256(name.encode() + b"\n" + data).digest()[:4]
        require(self.kind in (1, 4) and given == self.id.hex(), "no verifier key")

    def verify(self, text, signature):
        if self.kind == 1:
            return ed25519_verify(self.public, text.encode(), signature)
        time = int.from_bytes(signature[:8], "big")
        message = f"cosignature/v1\ntime {time}\n{text}"
        return len(signature) == 72 and ed25519_verify(self.public, message.encode(), signature[8:])


def check_note(note, key):
    """The checkpoint in a signed note: origin, size, root."""
    text, separator, signatures = note.rpartition("\n\n")
    require(separator and not any(c < " " and c != "\n" for c in note), "no signed note")
    text += "\n"
    lines = Lines(text)
    origin, size = lines.lines[0], number(lines.lines[1] if len(lines.lines) > 1 else "")
    root = from_base64(lines.lines[2] if len(lines.lines) > 2 else "", 32)
    require(origin, "no origin")
    if key is None:
        return origin, size, root
    require(key.kind == 4 or origin == key.name, "a checkpoint of another origin", FOREIGN)
    for line in Lines(signatures).lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        require(dash == "\u2014" and name, "a signature line that is none")
        signature = from_base64(encoded)
        if name == key.name and signature[:4] == key.id:
            require(key.verify(text, signature[4:]), "the signature was not made with that key", FOREIGN)
            return origin, size, root
    raise Wrong("no signature of the key", FOREIGN)


# --- Proofs of keys and records --------------------------------------------------------------------

def bit(key, depth):
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def read_path(lines, name):
    words = lines.next(name)
    path = []
    for _ in range(number(words[0])):
        count, root = lines.next("side")
        path.append((number(count), from_base64(root, 32)))
    require(len(words) == 1 and len(path) <= 256, "a path that is too long")
    return path


def climb_trie(key, path, end):
    """(count, root) over the leaf `end` = (KH, VH), or over nothing, at the end of the path."""
    if end is None:
        total = EMPTY_TRIE
    else:
        require(all(bit(end[0], d) == bit(key, d) for d in range(len(path))), "a leaf off its path")
        total = 1, H(b"\x10", *end)
    for depth in range(len(path) - 1, -1, -1):
        side = path[depth]
        require((side[0] == 0) == (side[1] == ZERO), "an empty side that is not written as one")
        require(2 <= total[0] + side[0] < 1 << 64, "counts that no trie has")
        pair = (side, total) if bit(key, depth) else (total, side)
        total = total[0] + side[0], H(b"\x11", enc(pair[0]), enc(pair[1]))
    return total


def read_absence(words, key):
    """The leaf that stands in the place of what is not there, or None."""
    if words == ["none"]:
        return None
    require(words[0] == "other" and len(words) == 3, "neither what was asked for nor its absence")
    other = from_base64(words[1], 32), from_base64(words[2], 32)
    require(other[0] != key, "the other leaf is the one asked for")
    return other


def read_record(words):
    widx, flags = number(words[0]), number(words[1])
    rest = words[4:]
    tag = number(rest.pop(0)) if flags & 8 else None
    fp32 = from_base64(rest.pop(0), 32) if flags & 16 else None
    require(not rest, "more words than belong there")
    return widx, record_hash(widx, flags, from_base64(words[2], 32), from_base64(words[3], 32), tag, fp32)


def check_seal(entry):
    """(keyspace, state root, sequence) of a SEAL's entry."""
    require(len(entry) == 220 and entry[:4] == b"\x01\x01\x02\x00", "no SEAL")
    body = entry[68:]
    require(int.from_bytes(entry[60:68], "little") == len(body), "no SEAL")
    require(entry[4:12] == body[:8], "a SEAL that names another place")
    root = H(b"\x18", u32(1), body[40:])
    require(root == body[8:40], "the state root is not made of the tries that the SEAL names")
    count = int.from_bytes(body[72:80], "little")
    return (count, body[80:112]), root, int.from_bytes(body[:8], "little")


def check_records(lines, question, records, found):
    key = KH(b"R", found["element"])
    path = read_path(lines, "records")
    words = lines.next()
    found["present"] = words[0] == "value"
    if found["present"]:
        found["index"], value = read_record(words[1:])
        end = key, value
    else:
        end = read_absence(words, key)
    require(climb_trie(key, path, end) == records, "the record's path does not lead to the object")
    if question == "sample":
        rank = sum(side[0] for depth, side in enumerate(path) if bit(key, depth))
        require(found["present"] and rank == found["rank"], "another rank than the one asked for")


def check_object(lines, question, keyspace, found):
    key = KH(b"K", u32(found["db"]), found["key"])
    path = read_path(lines, "keyspace")
    words = lines.next()
    if words[0] != "object":
        found["present"] = False
        require(question != "sample", "a sample without a key")
        require(climb_trie(key, path, read_absence(words, key)) == keyspace, "not in this keyspace")
        return
    require(len(words) == 9, "an object of another form")
    records = number(words[3]), from_base64(words[4], 32)
    nodes = number(words[5]), from_base64(words[6], 32)
    value = object_hash(number(words[1]), from_base64(words[2]), records, nodes,
                        from_base64(words[7], 32), number(words[8]))
    require(climb_trie(key, path, (key, value)) == keyspace, "the key's path does not lead to the SEAL")
    found["present"], found["count"] = True, records[0]
    if question != "key":
        check_records(lines, question, records, found)


def check_proof(text, key):
    lines = Lines(text)
    lines.next("valori.proof/v1")
    question, *words = lines.next()
    sizes = {"record": 3, "key": 2, "sample": 4}
    require(sizes.get(question) == len(words), "no question of that form")
    found = {"question": question, "db": number(words[0]), "key": from_base64(words[1])}
    if question == "sample":
        found["rank"] = number(words.pop(2))
    if question != "key":
        found["element"] = from_base64(words[2])
    entry = from_base64(lines.next("seal")[0])
    keyspace, found["state_root"], sequence = check_seal(entry)
    root = H(b"\x00", entry)
    depth = number(lines.next("log")[0])
    require(depth == bin(sequence).count("1"), "another number of log hashes than the size asks for")
    for _ in range(depth):
        root = H(b"\x01", from_base64(lines.next()[0], 32), root)
    check_object(lines, question, keyspace, found)
    found["log_size"], found["log_root"] = sequence + 1, root
    note = lines.rest()
    if note:
        require(lines.next() == [""], "an empty line is due")
        origin, size, signed = check_note(lines.rest(), key)
        require((size, signed) == (sequence + 1, root), "the checkpoint is of another log or size")
        found["origin"] = origin
    else:
        require(key is None, "there is no checkpoint to be signed", FOREIGN)
    return found


# --- Receipts (c2sp.org/tlog-proof) ----------------------------------------------------------------

def fold_inclusion(index, size, node, hashes):
    """The root over a leaf (RFC 9162, 2.1.3.2)."""
    require(index < size, "an entry beyond the checkpoint")
    last = size - 1
    for side in hashes:
        require(last, "too many hashes")
        if index & 1 or index == last:
            node = H(b"\x01", side, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = H(b"\x01", node, side)
        index, last = index >> 1, last >> 1
    require(last == 0, "too few hashes")
    return node


def check_receipt(text, key):
    lines = Lines(text)
    lines.next("c2sp.org/tlog-proof@v1")
    entry = from_base64(lines.next("extra")[0])
    index = number(lines.next("index")[0])
    hashes = []
    while (line := lines.next()) != [""]:
        hashes.append(from_base64(line[0], 32))
    origin, size, root = check_note(lines.rest(), key)
    require(int.from_bytes(entry[4:12], "little") == index, "the entry names another place")
    require(fold_inclusion(index, size, H(b"\x00", entry), hashes) == root,
            "the hashes do not lead from the entry to the checkpoint's root")
    return {"index": index, "type": entry[1], "origin": origin, "log_size": size, "log_root": root}


# --- The command ---------------------------------------------------------------------------------

CHECKS = {"valori.proof/v1": check_proof, "c2sp.org/tlog-proof@v1": check_receipt}


def check(text, key=None):
    """What the text proves, as a dict; raises Wrong."""
    if text.endswith("\n\n"):  # redis-cli ends what it prints with a line end of its own
        text = text[:-1]
    first = text.partition("\n")[0]
    if first in CHECKS:
        return CHECKS[first](text, key)
    origin, size, root = check_note(text, key)
    return {"origin": origin, "log_size": size, "log_root": root}


def read_key(word):
    if word.count("+") < 2:
        with open(word, encoding="utf-8") as file:
            word = file.readline().rstrip("\n")
    return Key(word)


def shown(value):
    return value.hex() if isinstance(value, bytes) and len(value) == 32 else \
        value.decode("latin-1") if isinstance(value, bytes) else value


def main():
    parser = argparse.ArgumentParser(description="Verify proofs, checkpoints and receipts.")
    parser.add_argument("--key")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("file")
    options = parser.parse_args()
    try:
        key = read_key(options.key) if options.key else None
        data = sys.stdin.buffer.read() if options.file == "-" else open(options.file, "rb").read()
        try:
            found = check(data.decode("utf-8"), key)
        except (UnicodeDecodeError, ValueError, IndexError) as error:
            raise Wrong(f"malformed: {error}") from None
    except OSError as error:
        print(f"verify_proof.py: {error}", file=sys.stderr)
        return USAGE
    except Wrong as wrong:
        print(json.dumps({"exit": wrong.code, "error": str(wrong)}) if options.json else f"WRONG: {wrong}")
        return wrong.code
    found = {name: shown(value) for name, value in found.items()}
    found["signature"] = "right" if key else "not looked at: give --key"
    if options.json:
        print(json.dumps({"exit": RIGHT, **found}))
    else:
        print("right: " + ", ".join(f"{name} {value}" for name, value in found.items()))
    return RIGHT


if __name__ == "__main__":
    sys.exit(main())
