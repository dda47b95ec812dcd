"""Writes small data directories by docs/format.md, for tests that must know what is in them.

It knows nothing about what entries do: a test that writes a SEAL says what the state is then
(class Expected). Times, keys and ids are made up from counters, so that every run writes the same
bytes."""

import os
from struct import pack

from naive import (B, EMPTY, H, ZERO, collection, enc, name_hash, part_hash, record, root,
                   tree_hash, trie, u32, u64)
from verify import siphash24

(SEAL, BATCH, CREATE, VADD, VREM, SETATTR, SETTAG, DEL, FLUSH, GROUP, RENAME, SET, REPLACE,
 INCR) = range(1, 15)
VECTOR, ATTRIBUTES, ERASABLE, TAG, FP32, NX, XX, CONFIG = (1 << bit for bit in range(8))
COSINE, L2, IP = 1, 2, 3
VADD_MADE, VCREATE_MADE = 0, 1
SEMANTICS = H(b"valori-semantics-test")
EVERYTHING = 0xFFFFFFFF


# --- Bodies --------------------------------------------------------------------------------

def config(dim, metric=L2, capacity=0, origin=VCREATE_MADE, quantisation=0, m=16, index=1,
           form=1):
    return (bytes([form, metric, index, quantisation]) + pack("<III", dim, m, 200)
            + u64(capacity) + u32(0) + bytes([origin]))


def plain(*values):
    return b"\x01" + u32(len(values)) + pack(f"<{len(values)}i", *values)


def scaled(exponent, *values):
    return b"\x03" + u32(len(values)) + pack(f"<b{len(values)}i", exponent, *values)


class Element:
    """One change: its type, its body, and the parts of its payload as (kind, bytes)."""

    def __init__(self, kind, body, *parts):
        self.kind, self.body, self.parts = kind, body, parts


def part(kind, data):
    return kind + bytes(3) + u32(len(data)) + data


def change(kind, flags, db, key, element=None, *more, parts=()):
    body = bytes([flags]) + u32(db) + name_hash(b"K", u32(db), key)
    found = [(b"K", key)]
    if element is not None:
        body += name_hash(b"R", element)
        found.append((b"R", element))
    return Element(kind, body + b"".join(more), *found, *parts)


def create(db, key, settings):
    return change(CREATE, CONFIG, db, key, None, B(settings))


def vadd(db, key, element, vector, attributes=None, tag=None, fp32=None, settings=None, flags=0):
    more, parts = [part_hash(b"V", vector)], [(b"V", vector)]
    flags |= VECTOR
    if attributes is not None:
        flags |= ATTRIBUTES
        more.append(part_hash(b"A", attributes))
        parts.append((b"A", attributes))
    if tag is not None:
        flags |= TAG
        more.append(u64(tag))
    if fp32 is not None:
        flags |= FP32
        more.append(part_hash(b"F", fp32))
        parts.append((b"F", fp32))
    if settings is not None:
        flags |= CONFIG
        more.append(B(settings))
    return change(VADD, flags, db, key, element, *more, parts=parts)


def vrem(db, key, element):
    return change(VREM, 0, db, key, element)


def setattr(db, key, element, attributes):
    return change(SETATTR, ATTRIBUTES, db, key, element, part_hash(b"A", attributes),
                  parts=[(b"A", attributes)])


def settag(db, key, element, tag):
    return change(SETTAG, TAG, db, key, element, u64(tag))


def delete(db, key):
    return change(DEL, 0, db, key)


def rename(db, key, target, flags=0):
    return change(RENAME, flags, db, key, None, name_hash(b"K", u32(db), target),
                  parts=[(b"D", target)])


def set_string(db, key, value, flags=0, kind=SET):
    return change(kind, flags | ATTRIBUTES, db, key, None, part_hash(b"A", value),
                  parts=[(b"A", value)])


def replace(db, key, value, flags=0):
    return set_string(db, key, value, flags, REPLACE)


def incr(db, key, delta):
    return change(INCR, 0, db, key, None, pack("<q", delta))


def flush(db):
    return Element(FLUSH, bytes([0]) + u32(db))


def group(count):
    return Element(GROUP, u32(count))


# --- What the state should be -----------------------------------------------------------------

class Expected:
    """The state as a test believes it to be: (db, key) -> [config, next_slot, records],
    records: element -> dict(widx, vector, attributes, tag, fp32); or (widx, value)."""

    def __init__(self):
        self.objects = {}

    def made(self, db, key, settings, next_slot=0):
        self.objects[db, key] = [settings, next_slot, {}]

    def put(self, db, key, element, widx, vector, attributes=None, tag=None, fp32=None):
        self.objects[db, key][2][element] = {"widx": widx, "vector": vector,
                                             "attributes": attributes, "tag": tag, "fp32": fp32}
        self.objects[db, key][1] += 1

    def string(self, db, key, widx, value):
        self.objects[db, key] = (widx, value)

    def string_hash(self, widx, value, content):
        only = record(0 if content else widx, ATTRIBUTES, ZERO, part_hash(b"A", value))
        return collection(2, b"", trie({name_hash(b"R", b""): only}), EMPTY, ZERO, 0)

    def record_hash(self, found, content):
        flags, attributes, more = VECTOR, ZERO, []
        if found["attributes"] is not None:
            flags |= ATTRIBUTES
            attributes = part_hash(b"A", found["attributes"])
        if found["tag"] is not None:
            flags |= TAG
            more.append(u64(found["tag"]))
        if found["fp32"] is not None:
            flags |= FP32
            more.append(part_hash(b"F", found["fp32"]))
        return record(0 if content else found["widx"], flags, part_hash(b"V", found["vector"]),
                      attributes, *more)

    def keyspace(self, content=False):
        leaves = {}
        for (db, key), found in self.objects.items():
            if isinstance(found, tuple):
                leaves[name_hash(b"K", u32(db), key)] = self.string_hash(*found, content)
                continue
            settings, next_slot, records = found
            inner = trie({name_hash(b"R", element): self.record_hash(found, content)
                          for element, found in records.items()})
            leaves[name_hash(b"K", u32(db), key)] = collection(1, settings, inner, EMPTY, ZERO,
                                                               next_slot)
        return trie(leaves)

    def root(self, content=False):
        return root(SEMANTICS, self.keyspace(content), EMPTY)


# --- Files -----------------------------------------------------------------------------------

def hashed(data):
    """A header or head slot: zeros up to the hash, and the hash."""
    data += bytes(480 - len(data))
    return data + H(data)


def padded(data):
    return data + bytes(-len(data) % 8)


class FrameAt:
    """Where a frame lies: bytes start..end of segment `segment` (from 0)."""

    def __init__(self, segment, start, end, sequence, durable, is_entry):
        self.segment, self.start, self.end = segment, start, end
        self.sequence, self.durable, self.is_entry = sequence, durable, is_entry


class Writer:
    def __init__(self, log_id=b"the id of a log."):
        self.log_id = log_id
        self.entries = []
        self.segments = []
        self.slots = [b"", b""]
        self.frames = []
        self.durable = 0
        self.start_segment()

    # Segments and head slots.

    def start_segment(self, version=1, zeros=b"", base=None):
        number = len(self.segments) + 1
        self.key = H(b"key", u64(number))[:16]
        self.durable = len(self.entries)
        base = len(self.entries) if base is None else base
        self.segments.append(bytearray(hashed(
            b"VALORILG" + u32(version) + u32(512) + self.log_id + u64(number)
            + u64(base) + tree_hash(self.entries) + self.key + self.key
            + u64(1_700_000_000_000_000) + zeros)))

    def head(self, durable=None, generation=1, version=1, log_root=None, segment=None, zeros=b""):
        """Write a slot; `segment` is the newest one's number unless the test says otherwise."""
        if durable is None:
            durable = len(self.entries)
        if segment is None:
            segment = len(self.segments)
        self.slots[generation % 2] = hashed(
            b"VALORIHD" + u32(version) + u32(0) + self.log_id + u64(generation) + u64(durable)
            + (log_root or tree_hash(self.entries[:durable])) + u64(segment) + zeros)

    def head_bytes(self):
        return b"".join(slot or bytes(512) for slot in self.slots) if any(self.slots) else None

    # Frames.

    def frame(self, kind, entry_type=0, flags=0, entry=b"", listed=b"", payload=b"",
              sequence=None, durable=None):
        """A frame with right checks, whatever its fields say."""
        body, after = padded(entry + listed), padded(payload)
        sequence = len(self.entries) if sequence is None else sequence
        durable = self.durable if durable is None else durable
        front = (b"VFRM" + pack("<BBHQQIIQ", kind, entry_type, flags, sequence, durable,
                                len(entry), len(listed), len(payload))
                 + u64(siphash24(self.key, after)))
        front += u64(siphash24(self.key, front))
        segment = self.segments[-1]
        start = len(segment)
        segment += front + u64(siphash24(self.key, front + body)) + body + after
        self.frames.append(FrameAt(len(self.segments) - 1, start, len(segment),
                                   sequence, durable, kind == 1))

    def mark(self):
        self.durable = len(self.entries)
        self.frame(2)

    def raw_entry(self, entry_type, body, payload=b"", listed=b"", flags=0, version=1,
                  frame_flags=0, sequence=None, time=None, principal_sequence=0, frame_type=None,
                  signature=b""):
        number = len(self.entries) if sequence is None else sequence
        entry = (pack("<BBHQQ", version, entry_type, flags, number,
                      1_700_000_000_000_000 + len(self.entries) if time is None else time)
                 + name_hash(b"P", b"default") + u64(principal_sequence) + B(body) + signature)
        self.frame(1, entry_type if frame_type is None else frame_type, frame_flags, entry,
                   listed, payload)
        self.entries.append(entry)
        return len(self.entries) - 1

    def alone(self, element, **options):
        payload = b"".join(part(*each) for each in element.parts)
        return self.raw_entry(element.kind, element.body, payload, **options)

    def batch(self, *elements, form=None):
        listed = b"".join(bytes([element.kind]) + u32(len(element.body)) + element.body
                          for element in elements)
        payload, previous = b"", None
        for element in elements:
            if element.parts:
                key_hash = element.body[5:37]
                kept = element.parts[1:] if key_hash == previous else element.parts
                payload += b"".join(part(*each) for each in kept)
                previous = key_hash
        if form is None:
            form = int(5 + len(listed) > 65_403)
        head = bytes([form]) + u32(len(elements))
        if form == 0:
            return self.raw_entry(BATCH, head + listed, payload)
        leaves = [bytes([element.kind]) + element.body for element in elements]
        return self.raw_entry(BATCH, head + tree_hash(leaves), payload, listed)

    def seal(self, expected, **wrong):
        fields = {"sequence": len(self.entries), "root": expected.root(), "semantics": SEMANTICS,
                  "keyspace": expected.keyspace(), "system": EMPTY, **wrong}
        return self.raw_entry(SEAL, u64(fields["sequence"]) + fields["root"]
                              + fields["semantics"] + enc(fields["keyspace"])
                              + enc(fields["system"]), flags=2)

    # The directory.

    def files(self):
        found = {f"valori-{number:08d}.log": bytes(data)
                 for number, data in enumerate(self.segments, 1)}
        if self.head_bytes():
            found["valori.head"] = self.head_bytes()
        return found

    def log_root(self):
        return tree_hash(self.entries)


def save(directory, files):
    """Make `directory` hold exactly these files."""
    for name in os.listdir(directory):
        if name not in files:
            os.remove(os.path.join(directory, name))
    for name, data in files.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(data)
