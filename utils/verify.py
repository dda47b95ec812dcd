#!/usr/bin/env python3
"""Verify a valori data directory, from docs/format.md alone.

    utils/verify.py [--json] [--state] [--content] DIRECTORY

Reads every segment and head slot, checks every frame and commitment, applies every entry to
a naive model and compares every SEAL's roots with that model's. It only reads, takes no lock
and shares no code with the server: what both say is true was said twice. Owner, mode and link
count protect a server that writes; they are not looked at here.

Graphs of HNSW collections are built again link by link, which takes some ten milliseconds an
insertion, more with many dimensions; on a terminal it says how far it is. `valori-check log` does
the same work in C.

Exit codes: 0 whole, 1 bad usage or not a regular file, 3 damaged, 4 a newer format, 5 a file
is missing, doubled, swapped or of another log, 70 a fault in this program, 74 could not read.

Section numbers below are those of docs/format.md.
"""

import argparse
import errno
import json
import os
import re
import stat
import struct
import sys
import time
from bisect import bisect_left
from collections import defaultdict
from hashlib import sha256

from verify_hnsw import Graph

# H of docs/semantics-1.md.
SEMANTICS_ID = bytes.fromhex("50254c7fd11c5be5cf81462930c5243719825d4458bd65589c4c19ce5a5e3b34")

WHOLE, UNSAFE, DAMAGED, NEWER, MISPLACED, FAULT, UNREADABLE = 0, 1, 3, 4, 5, 70, 74


class Refusal(Exception):
    """The directory is not whole; `code` is the exit code of section 9."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def damaged(text):
    return Refusal(DAMAGED, text)


def newer(text):
    return Refusal(NEWER, text)


def misplaced(text):
    return Refusal(MISPLACED, text)


# --- Hashes (sections 3 and 7) -----------------------------------------------------------

ZERO = bytes(32)
EMPTY_TRIE = (0, ZERO)


def H(*parts):
    return sha256(b"".join(parts)).digest()


def u32(number):
    return struct.pack("<I", number)


def u64(number):
    return struct.pack("<Q", number)


def B(data):
    return u64(len(data)) + data


def KH(kind, *parts):
    """Key hash of a name: kind b'K' (u32 db, key), b'R' (element), b'P' (user), b'N' (node),
    b'L' (u32 db, key, element), b'E' (type, destination) or b'I' (type, source)."""
    return H(b"\x12", kind, ZERO, *map(B, parts))


def C(kind, data):
    """Payload commitment: kind b'V' vector bytes, b'A' attributes, b'F' FP32 bits."""
    return H(b"\x14", kind, ZERO, data)


def enc(trie_sum):
    count, root = trie_sum
    return u64(count) + root


def record_hash(widx, flags, vector, attributes, tag=None, fp32=None):
    """RV. `attributes` is 0^32 when absent; tag and fp32 are left out when None."""
    return H(b"\x13", u64(widx), bytes([flags]), vector, attributes,
             b"" if tag is None else u64(tag), fp32 or b"")


def node_hash(widx, flags, properties, link, edges_out, edges_in, kind=None):
    """NV. `properties` and `link` are 0^32 when absent; the kind is left out when None."""
    return H(b"\x15", u64(widx), bytes([flags]), properties, link, enc(edges_out), enc(edges_in),
             b"" if kind is None else B(kind))


def edge_hash(widx, flags, properties, weight=None):
    """EV: the edge as its source has it. `weight` is its four bytes."""
    return H(b"\x16", u64(widx), bytes([flags]), properties, weight or b"")


def edge_in_hash(widx):
    """EI: the edge as its destination has it."""
    return H(b"\x1a", u64(widx))


def object_hash(kind, config, records, nodes, chain, next_slot):
    """OV."""
    return H(b"\x17", bytes([kind]), B(config), enc(records), enc(nodes), chain, u64(next_slot))


def root_hash(semantics, keyspace, system):
    return H(b"\x18", u32(1), semantics, enc(keyspace), enc(system))


def trie(leaves):
    """(count, root) of the counted trie over {KH: VH}. Depth is at most 256."""
    items = sorted(leaves.items())
    keys = [int.from_bytes(key, "big") for key, _ in items]

    def build(low, high, depth):
        if low == high:
            return EMPTY_TRIE
        if high - low == 1:
            return 1, H(b"\x10", *items[low])
        shift = 255 - depth
        middle = bisect_left(keys, (keys[low] >> shift | 1) << shift, low, high)
        left, right = build(low, middle, depth + 1), build(middle, high, depth + 1)
        return high - low, H(b"\x11", enc(left), enc(right))

    return build(0, len(items), 0)


class LogTree:
    """MTH of RFC 6962, grown a leaf at a time. `peaks`: the roots of its perfect subtrees."""

    def __init__(self):
        self.size = 0
        self.peaks = []

    def append(self, data):
        node, size = H(b"\x00", data), self.size
        while size & 1:
            node = H(b"\x01", self.peaks.pop(), node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self):
        if not self.peaks:
            return H()
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = H(b"\x01", peak, node)
        return node


def MTH(leaves):
    tree = LogTree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def siphash24(key, data):
    mask = 0xFFFFFFFFFFFFFFFF
    k0, k1 = struct.unpack("<QQ", key)
    v0, v1 = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D
    v2, v3 = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    steps = [(word, 2) for word in struct.unpack(f"<{len(padded) // 8}Q", padded)]
    for word, rounds in steps + [(0, 4)]:
        if rounds == 4:
            v2 ^= 255
        v3 ^= word
        for _ in range(rounds):
            v0 = v0 + v1 & mask
            v1 = (v1 << 13 | v1 >> 51) & mask ^ v0
            v0 = (v0 << 32 | v0 >> 32) & mask
            v2 = v2 + v3 & mask
            v3 = (v3 << 16 | v3 >> 48) & mask ^ v2
            v0 = v0 + v3 & mask
            v3 = (v3 << 21 | v3 >> 43) & mask ^ v0
            v2 = v2 + v1 & mask
            v1 = (v1 << 17 | v1 >> 47) & mask ^ v2
            v2 = (v2 << 32 | v2 >> 32) & mask
        v0 ^= word
    return v0 ^ v1 ^ v2 ^ v3


# --- Segments, frames and head slots (sections 1 to 4) -------------------------------------

HEADER_SIZE = 512
FRAME_HEADER = struct.Struct("<4sBBHQQIIQQQQ")
FRAME_ENTRY, FRAME_MARK = 1, 2
FRAME_ERASED = 1


class SegmentHeader:
    LAYOUT = struct.Struct("<8sII16sQQ32s16s16sQ360s32s")

    def __init__(self, data):
        (_, _, _, self.log_id, self.number, self.base, self.root, self.key, _,
         self.created, _, _) = self.LAYOUT.unpack(data)


def read_segment_header(data):
    """The header, or None when it is not valid."""
    if len(data) < HEADER_SIZE or data[:8] != b"VALORILG" or data[480:512] != H(data[:480]):
        return None
    version, length = struct.unpack_from("<II", data, 8)
    if version != 1:
        raise newer(f"segment of format {version}")
    if length != HEADER_SIZE or data[80:96] != data[96:112] or any(data[120:480]):
        return None
    return SegmentHeader(data[:HEADER_SIZE])


class HeadSlot:
    LAYOUT = struct.Struct("<8sII16sQQ32sQ392s32s")

    def __init__(self, data):
        (_, _, _, self.log_id, self.generation, self.durable, self.root, self.segment, _,
         _) = self.LAYOUT.unpack(data)


def read_head_slots(data):
    """The slots whose hash fits."""
    slots = []
    for start in (0, HEADER_SIZE):
        slot = data[start:start + HEADER_SIZE]
        if len(slot) < HEADER_SIZE or slot[:8] != b"VALORIHD" or slot[480:] != H(slot[:480]):
            continue
        version, zero = struct.unpack_from("<II", slot, 8)
        if version != 1:
            raise newer(f"valori.head: slot of format {version}")
        if zero == 0 and not any(slot[88:480]):
            slots.append(HeadSlot(slot))
    return slots


class Frame:
    """A self-valid frame; the next one begins at `end`."""

    __slots__ = ("kind", "type", "flags", "sequence", "durable", "entry", "list", "payload",
                 "end")


def round_up(number):
    return number + 7 & ~7


def read_frame(data, start, key):
    """The self-valid frame at `start`, or None."""
    header = data[start:start + FRAME_HEADER.size]
    if len(header) < FRAME_HEADER.size or header[:4] != b"VFRM":
        return None
    (_, kind, kind_of_entry, flags, sequence, durable, entry_size, list_size, payload_size,
     payload_check, header_check, body_check) = FRAME_HEADER.unpack(header)
    if header_check != siphash24(key, header[:48]):
        return None
    if kind not in (FRAME_ENTRY, FRAME_MARK):
        raise newer(f"frame of kind {kind}")
    if flags & ~FRAME_ERASED:
        raise newer(f"frame with flags {flags:#06x}")
    entry_at = start + FRAME_HEADER.size
    list_at = entry_at + entry_size
    payload_at = round_up(list_at + list_size)
    end = round_up(payload_at + payload_size)
    if end > len(data) or durable > sequence:
        return None
    if kind == FRAME_MARK and (kind_of_entry or flags or entry_size or list_size or payload_size):
        return None
    if any(data[list_at + list_size:payload_at]) or any(data[payload_at + payload_size:end]):
        return None
    if body_check != siphash24(key, header[:56] + data[entry_at:payload_at]):
        return None
    if payload_check != siphash24(key, data[payload_at:end]):
        return None
    frame = Frame()
    frame.kind, frame.type, frame.flags = kind, kind_of_entry, flags
    frame.sequence, frame.durable = sequence, durable
    frame.entry = data[entry_at:list_at]
    frame.list = data[list_at:list_at + list_size]
    frame.payload = data[payload_at:payload_at + payload_size]
    frame.end = end
    return frame


def frames_speak_for(data, start, key, sequence):
    """Is there a self-valid frame at or after `start` that knew `sequence` to be durable?"""
    at = data.find(b"VFRM", start)
    while at >= 0:
        try:
            frame = read_frame(data, at, key) if at % 8 == 0 else None
        except Refusal:
            frame = None  # Of a newer format: no evidence.
        if frame and frame.durable > sequence:
            return True
        at = data.find(b"VFRM", at + 1)
    return False


# --- Entries and bodies (sections 5 and 6) -------------------------------------------------

(SEAL, BATCH, CREATE, VADD, VREM, SETATTR, SETTAG, DEL, FLUSH, GROUP, RENAME, SET, REPLACE,
 INCR, EXPIRE) = range(1, 16)
SYSTEM = 40

GCREATE, NODE, NODEDEL, EDGE, EDGEDEL = OF_GRAPHS = range(20, 25)
ALL = 25

GROUPS = (GROUP, ALL)
ELEMENT_TYPES = {*range(CREATE, EXPIRE + 1), *OF_GRAPHS, ALL, SYSTEM}
ENTRY_TYPES = {SEAL, BATCH, *ELEMENT_TYPES} - {*GROUPS}
SYSTEM_KINDS = {1}  # users

SIGNED, NO_STATE = 1, 2

(HAS_VECTOR, HAS_ATTRIBUTES, ERASABLE, HAS_TAG, HAS_FP32, IF_NEW, IF_EXISTING,
 HAS_CONFIG) = (1 << bit for bit in range(8))

# What some of these bits mean in the bodies of graphs.
HAS_LINK, HAS_KIND, HAS_WEIGHT, LOSES_LINK = HAS_VECTOR, HAS_TAG, HAS_TAG, HAS_FP32

# The flags that a body of each type must have, and those that it may have besides.
BODY_FLAGS = {
    CREATE: (HAS_CONFIG, 0),
    VADD: (HAS_VECTOR,
           HAS_ATTRIBUTES | HAS_TAG | HAS_FP32 | IF_NEW | IF_EXISTING | HAS_CONFIG),
    VREM: (0, 0),
    SETATTR: (HAS_ATTRIBUTES, 0),
    SETTAG: (HAS_TAG, 0),
    DEL: (0, 0),
    FLUSH: (0, 0),
    RENAME: (0, IF_NEW),
    SET: (HAS_ATTRIBUTES, HAS_TAG | IF_NEW | IF_EXISTING),
    REPLACE: (HAS_ATTRIBUTES, HAS_TAG | IF_NEW | IF_EXISTING),
    INCR: (0, 0),
    EXPIRE: (HAS_TAG, 0),
    GCREATE: (HAS_CONFIG, 0),
    NODE: (0, HAS_LINK | HAS_ATTRIBUTES | HAS_KIND | LOSES_LINK | IF_NEW | IF_EXISTING
           | HAS_CONFIG),
    NODEDEL: (0, 0),
    EDGE: (0, HAS_ATTRIBUTES | HAS_WEIGHT | IF_NEW | IF_EXISTING),
    EDGEDEL: (0, 0),
    SYSTEM: (0, HAS_ATTRIBUTES),
}

COSINE = 1
FLAT, HNSW = 1, 2
FORM_PLAIN, FORM_SCALED = 1, 3
DATABASES, EVERY_DATABASE = 16, 0xFFFFFFFF
LONGEST_NAME = LONGEST_ATTRIBUTES = LARGEST_DIMENSION = 65_536
LONGEST_STRING = 262_144
LONGEST_WORD = 255
SCALED_LIMIT = 1 << 17
LONGEST_ENTRY = 65_535
LONGEST_INLINE_BATCH = 65_403


class Cursor:
    """Takes fields off the front of some bytes; running out of them is damage."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def left(self):
        return len(self.data) - self.at

    def bytes(self, size):
        if size > self.left():
            raise damaged(f"{self.what} is too short")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.bytes(size), "little")

    def sized(self):
        return self.bytes(self.number(8))

    def finish(self):
        if self.left():
            raise damaged(f"{self.what} has {self.left()} bytes too many")


class Entry:
    def __init__(self, data):
        cursor = Cursor(data, "the entry")
        if len(data) > LONGEST_ENTRY:
            raise damaged("the entry is too long")
        version = cursor.number(1)
        if version != 1:
            raise newer(f"entry of version {version}")
        self.type = cursor.number(1)
        self.flags = cursor.number(2)
        self.sequence = cursor.number(8)
        self.time = cursor.number(8)
        self.principal = cursor.bytes(32)
        principal_sequence = cursor.number(8)
        if self.flags & ~(SIGNED | NO_STATE):
            raise newer(f"entry with flags {self.flags:#06x}")
        self.passed_over = self.type not in ENTRY_TYPES
        if self.passed_over and not self.flags & NO_STATE:
            raise newer(f"entry of unknown type {self.type}")
        self.body = cursor.sized()
        if self.flags & SIGNED:
            cursor.bytes(64)
        elif principal_sequence:
            raise damaged("an unsigned entry has a principal sequence")
        cursor.finish()
        if not self.passed_over and bool(self.flags & NO_STATE) != (self.type == SEAL):
            raise damaged("the entry's flag about state does not fit its type")


class Config:
    def __init__(self, data):
        cursor = Cursor(data, "the config")
        form = cursor.number(1)
        if form not in (1, 2):
            raise newer(f"config of form {form}")
        self.bytes = data
        self.metric, self.index, self.quantisation = (cursor.number(1) for _ in range(3))
        self.dimension, self.links, self.effort = (cursor.number(4) for _ in range(3))
        self.capacity = cursor.number(8)
        self.reduced_from = cursor.number(4)
        self.origin = cursor.number(1)
        self.schema = [] if form == 1 else self.read_schema(cursor)
        cursor.finish()
        if not 1 <= self.metric <= 3 or self.quantisation > 2 or self.origin > 1:
            raise newer("config with an unknown metric, quantisation or origin")
        if self.index not in (FLAT, HNSW):
            raise newer(f"config with index kind {self.index}")
        if not 1 <= self.dimension <= LARGEST_DIMENSION:
            raise damaged(f"config with dimension {self.dimension}")

    @staticmethod
    def read_schema(cursor):
        """Form 2: fields that are indexed, (type, name). They change no root but by these bytes."""
        count = cursor.number(1)
        if count == 0:
            raise damaged("config with an empty schema")
        if count > 8:
            raise newer(f"config with {count} fields")
        fields = []
        for _ in range(count):
            kind, size = cursor.number(1), cursor.number(1)
            if kind not in (1, 2):
                raise newer(f"config with a field of type {kind}")
            if not 1 <= size <= 30:
                raise damaged(f"config with a field name of {size} bytes")
            fields.append((kind, cursor.bytes(size)))
        return fields


class GraphConfig:
    def __init__(self, data):
        cursor = Cursor(data, "the graph's config")
        form = cursor.number(1)
        if form != 1:
            raise newer(f"graph config of form {form}")
        self.bytes = data
        self.nodes, self.edges = cursor.number(8), cursor.number(8)
        self.origin = cursor.number(1)
        cursor.finish()
        if self.origin > 1:
            raise newer("graph config with an unknown origin")


class Change:
    """One decoded body with its payload, checked against each other."""

    key = element = object_hash = element_hash = target = target_hash = None
    vector = attributes = tag = fp32 = config = None  # the hashes of the parts, None when absent
    values = None  # of the vector
    attributes_empty = False
    value = None  # of SET and REPLACE, the bytes
    form = dimension = None
    group = delta = 0
    destination = word = link = weight = None  # of nodes and edges, the first in `element`
    destination_hash = link_hash = None

    def __init__(self, kind, body, payload, previous):
        """`previous` is the change before it in a batch that had a key, or None."""
        self.type = kind
        cursor = Cursor(body, "the body")
        if kind in GROUPS:
            self.group = cursor.number(4)
        else:
            self.read_body(cursor)
        cursor.finish()
        if kind not in (FLUSH, *GROUPS):
            self.read_payload(payload, previous)

    def read_body(self, cursor):
        self.flags = cursor.number(1)
        must, may = BODY_FLAGS[self.type]
        if self.flags & must != must:
            raise damaged(f"a body of type {self.type} has flags {self.flags}")
        if self.flags & ~(must | may):
            raise newer(f"a body of type {self.type} has flags {self.flags}")
        self.db = cursor.number(4)
        if self.type == SYSTEM and self.db not in SYSTEM_KINDS:
            raise newer(f"a system record of kind {self.db}")
        if self.db >= DATABASES and not (self.type == FLUSH and self.db == EVERY_DATABASE):
            raise damaged(f"database {self.db}")
        if self.type == FLUSH:
            return
        self.object_hash = cursor.bytes(32)
        if self.type in OF_GRAPHS:
            self.read_graph_body(cursor)
            return
        if self.type in (VADD, VREM, SETATTR, SETTAG):
            self.element_hash = cursor.bytes(32)
        if self.type == RENAME:
            self.target_hash = cursor.bytes(32)
        if self.flags & HAS_VECTOR:
            self.vector = cursor.bytes(32)
        if self.flags & HAS_ATTRIBUTES:
            self.attributes = cursor.bytes(32)
        if self.flags & HAS_TAG:
            self.tag = cursor.number(8)
        if self.flags & HAS_FP32:
            self.fp32 = cursor.bytes(32)
        if self.flags & HAS_CONFIG:
            self.config = Config(cursor.sized())
        if self.type in (INCR, EXPIRE):
            self.delta = int.from_bytes(cursor.bytes(8), "little", signed=True)
        if self.type == EXPIRE and not 0 <= self.delta <= 5:
            raise newer(f"a deadline with condition {self.delta}")

    def read_graph_body(self, cursor):
        of_edge = self.type in (EDGE, EDGEDEL)
        if self.type != GCREATE:
            self.element_hash = cursor.bytes(32)
        if of_edge:
            self.destination_hash = cursor.bytes(32)
            self.word = cursor.sized()
        if self.type == NODE and self.flags & HAS_LINK:
            self.link_hash = cursor.bytes(32)
            if self.flags & LOSES_LINK:
                raise damaged("a node with a link that goes and comes")
        if self.flags & HAS_ATTRIBUTES:
            self.attributes = cursor.bytes(32)
        if self.type == NODE and self.flags & HAS_KIND:
            self.word = cursor.sized()
        if of_edge and self.flags & HAS_WEIGHT:
            self.weight = cursor.bytes(4)
        if self.flags & HAS_CONFIG:
            self.config = GraphConfig(cursor.sized())
        if len(self.word or b"") > LONGEST_WORD or (of_edge and not self.word):
            raise damaged(f"a kind or a type of {len(self.word)} bytes")

    def read_graph_payload(self, payload):
        def name(kind, what):
            data = read_part(payload, kind)
            check_size(what, data, LONGEST_NAME)
            return data

        if self.element_hash:
            self.element = name(b"N", "node")
            check_part("node", self.element_hash, KH(b"N", self.element))
        if self.destination_hash:
            self.destination = name(b"M", "destination")
            check_part("destination", self.destination_hash, KH(b"N", self.destination))
        if self.link_hash:
            self.link = name(b"L", "link's key"), name(b"R", "link's element")
            check_part("link", self.link_hash, KH(b"L", u32(self.db), *self.link))
        if self.attributes:
            data = read_part(payload, b"A")
            check_size("properties", data, LONGEST_ATTRIBUTES)
            check_part("properties", self.attributes, C(b"A", data))
            self.attributes_empty = not data

    def read_payload(self, payload, previous):
        if previous and previous.object_hash == self.object_hash:
            self.key = previous.key
        else:
            self.key = read_part(payload, b"K")
            check_size("key", self.key, LONGEST_NAME)
        name = (b"S", bytes([self.db])) if self.type == SYSTEM else (b"K", u32(self.db))
        check_part("key", self.object_hash, KH(*name, self.key))
        if self.type in OF_GRAPHS:
            self.read_graph_payload(payload)
            return
        if self.target_hash:
            self.target = read_part(payload, b"D")
            check_size("new name", self.target, LONGEST_NAME)
            check_part("new name", self.target_hash, KH(b"K", u32(self.db), self.target))
        if self.element_hash:
            self.element = read_part(payload, b"R")
            check_size("element", self.element, LONGEST_NAME)
            check_part("element", self.element_hash, KH(b"R", self.element))
        if self.vector:
            data = read_part(payload, b"V")
            check_part("vector", self.vector, C(b"V", data))
            self.read_vector(data)
        if self.attributes:
            data = read_part(payload, b"A")
            string = self.type in (SET, REPLACE)
            check_size("attributes", data, LONGEST_STRING if string else LONGEST_ATTRIBUTES)
            check_part("attributes", self.attributes, C(b"A", data))
            self.attributes_empty = not data
            self.value = data if string else None
        if self.fp32:
            data = read_part(payload, b"F")
            check_part("FP32 bits", self.fp32, C(b"F", data))
            if len(data) != 4 * self.dimension:
                raise damaged("the FP32 bits are not of the vector's dimension")

    def read_vector(self, data):
        cursor = Cursor(data, "the vector")
        self.form = cursor.number(1)
        if self.form not in (FORM_PLAIN, FORM_SCALED):
            raise newer(f"vector of form {self.form}")
        self.dimension = cursor.number(4)
        if not 1 <= self.dimension <= LARGEST_DIMENSION:
            raise damaged(f"vector of dimension {self.dimension}")
        if self.form == FORM_SCALED:
            cursor.number(1)
        values = struct.unpack(f"<{self.dimension}i", cursor.bytes(4 * self.dimension))
        self.values = values
        cursor.finish()
        if self.form == FORM_SCALED and not -SCALED_LIMIT <= min(values) <= max(values) <= SCALED_LIMIT:
            raise damaged("a scaled vector with an element above 2^17")


def read_part(payload, kind):
    found, salted, zero = payload.bytes(1), payload.number(1), payload.number(2)
    if found != kind or zero:
        raise damaged(f"part {found!r} of the payload should be {kind!r}")
    if salted:
        raise newer("a salted part of a payload")
    return payload.bytes(payload.number(4))


def check_part(what, committed, computed):
    if committed != computed:
        raise damaged(f"the {what} is not the one that the entry commits to")


def check_size(what, data, limit):
    if len(data) > limit:
        raise damaged(f"the {what} has {len(data)} bytes, more than {limit}")


def read_batch(body, frame):
    """The changes of a BATCH entry."""
    head = Cursor(body, "the batch")
    form, count = head.number(1), head.number(4)
    if form == 0:
        elements = head
        if frame.list:
            raise damaged("a batch of form 0 has a list")
        if len(body) > LONGEST_INLINE_BATCH:
            raise damaged("a long batch is in form 0")
    elif form == 1:
        elements = Cursor(frame.list, "the list of the batch")
        root = head.bytes(32)
        head.finish()
        if 5 + len(frame.list) <= LONGEST_INLINE_BATCH:
            raise damaged("a short batch is in form 1")
    else:
        raise newer(f"batch of form {form}")

    payload = Cursor(frame.payload, "the payload")
    changes, leaves, previous = [], LogTree(), None
    for _ in range(count):
        kind = elements.number(1)
        data = elements.bytes(elements.number(4))
        if kind in (SEAL, BATCH):
            raise damaged(f"a batch holds an entry of type {kind}")
        if kind not in ELEMENT_TYPES:
            raise newer(f"a batch holds an element of type {kind}")
        leaves.append(bytes([kind]) + data)
        change = Change(kind, data, payload, previous)
        if change.object_hash:
            previous = change
        changes.append(change)
    elements.finish()
    payload.finish()
    if not changes:
        raise damaged("an empty batch")
    if form == 1 and leaves.root() != root:
        raise damaged("the list is not the one that the batch commits to")
    return changes


# --- The state (section 6.1) -----------------------------------------------------------------

class Record:
    __slots__ = ("element", "widx", "vector", "attributes", "tag", "fp32", "values", "point")

    def __init__(self, element):
        self.element = element
        self.attributes = self.tag = self.fp32 = self.values = None
        self.point = 0  # in the collection's graph

    def flags(self):
        return (HAS_VECTOR
                | (HAS_ATTRIBUTES if self.attributes else 0)
                | (HAS_TAG if self.tag is not None else 0)
                | (HAS_FP32 if self.fp32 else 0))

    def hash(self, content=False):
        return record_hash(0 if content else self.widx, self.flags(), self.vector,
                           self.attributes or ZERO, self.tag, self.fp32)


def end(found):
    """What a deadline adds to the config of an object."""
    return b"\x80" + u64(found.deadline) if found.deadline else b""


KEPT_DEADLINE = 0xFFFFFFFFFFFFFFFF


class Collection:
    TYPE = 1
    deadline = 0

    def __init__(self, db, key, config):
        self.db, self.key, self.config = db, key, config
        self.records = {}
        self.next_slot = 0
        self.chain = ZERO
        self.graph = Graph(config, siphash24) if config.index == HNSW else None
        self.changed = True  # since known_sum was computed
        self.known_sum = None

    def sum(self, content=False):
        """(count, root) of the trie of records."""
        if content:
            return trie({name: record.hash(True) for name, record in self.records.items()})
        if self.changed:
            self.known_sum = trie({name: record.hash() for name, record in self.records.items()})
            self.changed = False
        return self.known_sum

    def hash(self, content=False):
        return object_hash(self.TYPE, self.config.bytes + end(self), self.sum(content), EMPTY_TRIE,
                           ZERO if content else self.chain, self.next_slot)

    def tend_graph(self, sequence, record=None, values=None):
        """docs/semantics-hnsw-1.md, 4: the record gets `values`, or goes (None); without a
        record only the repair goes on."""
        if self.graph is None:
            return
        if record and record.values != values:
            if record.point:
                self.graph.remove(record.point)
            record.point = self.graph.insert(self.next_slot, values) if values else 0
            record.values = values
        self.graph.repair()
        delta = self.graph.delta()
        if delta:
            self.chain = H(b"\x19", self.chain, u64(sequence), B(delta))


class String:
    TYPE = 2
    deadline = 0

    def __init__(self, db, key, value, widx):
        self.db, self.key, self.value, self.widx = db, key, value, widx

    def hash(self, content=False):
        record = record_hash(0 if content else self.widx, HAS_ATTRIBUTES, ZERO,
                             C(b"A", self.value))
        return object_hash(self.TYPE, end(self), trie({KH(b"R", b""): record}), EMPTY_TRIE, ZERO,
                           0)

    def number(self):
        """The value as INCR reads it, or None."""
        if not re.fullmatch(rb"0|-?[1-9][0-9]{0,18}", self.value):
            return None
        return int(self.value) if fits_i64(int(self.value)) else None


class Node:
    __slots__ = ("name", "widx", "kind", "properties", "link", "link_hash", "edges")

    def __init__(self, name):
        self.name = name
        self.kind = self.properties = self.link = self.link_hash = None
        self.edges = {}, {}  # out and in: KH 'E' or 'I' -> Edge

    def hash(self, content=False):
        flags = ((HAS_LINK if self.link else 0) | (HAS_ATTRIBUTES if self.properties else 0)
                 | (HAS_KIND if self.kind else 0))
        edges_out = trie({key: edge.hash(content) for key, edge in self.edges[0].items()})
        edges_in = trie({key: edge_in_hash(0 if content else edge.widx)
                         for key, edge in self.edges[1].items()})
        return node_hash(0 if content else self.widx, flags, self.properties or ZERO,
                         self.link_hash or ZERO, edges_out, edges_in, self.kind)


class Edge:
    __slots__ = ("source", "type", "destination", "widx", "weight", "properties")

    def __init__(self, source, kind, destination):
        self.source, self.type, self.destination = source, kind, destination
        self.weight = self.properties = None

    def hash(self, content=False):
        flags = ((HAS_ATTRIBUTES if self.properties else 0)
                 | (HAS_WEIGHT if self.weight is not None else 0))
        return edge_hash(0 if content else self.widx, flags, self.properties or ZERO, self.weight)


class Knowledge:
    """A graph: nodes by the hash of their name. (A Graph is the index of a collection.)"""

    TYPE = 3
    deadline = 0

    def __init__(self, db, key, config):
        self.db, self.key, self.config = db, key, config
        self.nodes = {}
        self.edge_count = 0
        self.sums = {}  # NV of the nodes that have not changed since it was computed

    def hash(self, content=False):
        if content:
            sums = {name: node.hash(True) for name, node in self.nodes.items()}
        else:
            for name, node in self.nodes.items():
                if name not in self.sums:
                    self.sums[name] = node.hash()
            sums = self.sums
        return object_hash(self.TYPE, self.config.bytes + end(self), EMPTY_TRIE, trie(sums), ZERO,
                           0)

    def set_node(self, sequence, change):
        node = self.nodes.get(change.element_hash)
        if change.flags & IF_NEW and node:
            return "the node exists"
        if change.flags & IF_EXISTING and not node:
            return "no such node"
        if not node:
            if 0 < self.config.nodes <= len(self.nodes):
                return "the capacity in nodes is reached"
            node = self.nodes[change.element_hash] = Node(change.element)
        if change.link:
            node.link, node.link_hash = change.link, change.link_hash
        if change.flags & LOSES_LINK:
            node.link = node.link_hash = None
        if change.attributes:
            node.properties = None if change.attributes_empty else change.attributes
        if change.word is not None:
            node.kind = change.word or None
        node.widx = sequence
        self.sums.pop(change.element_hash, None)
        return None

    def find_edge(self, change):
        """Source, destination and KH 'E'; the edge is in the source's edges, or not."""
        source = self.nodes.get(change.element_hash)
        destination = self.nodes.get(change.destination_hash)
        return source, destination, KH(b"E", change.word, change.destination)

    def set_edge(self, sequence, change):
        source, destination, key = self.find_edge(change)
        if not source or not destination:
            return "no such node"
        edge = source.edges[0].get(key)
        if change.flags & IF_NEW and edge:
            return "the edge exists"
        if change.flags & IF_EXISTING and not edge:
            return "no such edge"
        if not edge:
            if 0 < self.config.edges <= self.edge_count:
                return "the capacity in edges is reached"
            edge = source.edges[0][key] = Edge(change.element, change.word, change.destination)
            destination.edges[1][KH(b"I", change.word, change.element)] = edge
            self.edge_count += 1
        if change.attributes:
            edge.properties = None if change.attributes_empty else change.attributes
        if change.weight is not None:
            edge.weight = change.weight
        edge.widx = sequence
        self.sums.pop(change.element_hash, None)
        self.sums.pop(change.destination_hash, None)
        return None

    def drop_edge(self, edge):
        source, destination = KH(b"N", edge.source), KH(b"N", edge.destination)
        del self.nodes[source].edges[0][KH(b"E", edge.type, edge.destination)]
        del self.nodes[destination].edges[1][KH(b"I", edge.type, edge.source)]
        self.edge_count -= 1
        self.sums.pop(source, None)
        self.sums.pop(destination, None)

    def delete_edge(self, change):
        source, destination, key = self.find_edge(change)
        if not source or not destination:
            return "no such node"
        if key not in source.edges[0]:
            return "no such edge"
        self.drop_edge(source.edges[0][key])
        return None

    def delete_node(self, change):
        node = self.nodes.get(change.element_hash)
        if not node:
            return "no such node"
        for edges in node.edges:
            for edge in list(edges.values()):
                self.drop_edge(edge)
        del self.nodes[change.element_hash]
        self.sums.pop(change.element_hash, None)
        return None


def fits_i64(number):
    return -(1 << 63) <= number < 1 << 63


class Model:
    """The state: object hash -> Collection, String or Knowledge. A refused change says why and does nothing."""

    def __init__(self):
        self.objects = {}
        self.records = {}  # system records: SKH -> (widx, C of the value)

    def system(self, content=False):
        return trie({name: record_hash(0 if content else widx, HAS_ATTRIBUTES, ZERO, value)
                     for name, (widx, value) in self.records.items()})

    def keyspace(self, content=False):
        return trie({name: found.hash(content) for name, found in self.objects.items()})

    def record_count(self):
        return sum(len(found.records) for found in self.objects.values()
                   if found.TYPE == Collection.TYPE)

    def apply(self, sequence, change):
        """Apply one change; None, or why it was refused."""
        if change.type == FLUSH:
            for name, found in list(self.objects.items()):
                if change.db in (found.db, EVERY_DATABASE):
                    del self.objects[name]
            return None
        if change.type == SYSTEM:
            return self.govern(sequence, change)
        if change.type == CREATE:
            return self.create(change)
        if change.type == VADD:
            return self.add(sequence, change)
        if change.type in (SET, REPLACE):
            return self.set(sequence, change)
        if change.type == INCR:
            return self.increment(sequence, change)
        if change.type in OF_GRAPHS:
            return self.change_graph(sequence, change)
        return self.change_existing(sequence, change)

    def govern(self, sequence, change):
        if change.attributes:
            self.records[change.object_hash] = (sequence, change.attributes)
        elif self.records.pop(change.object_hash, None) is None:
            return "no such record"
        return None

    def create(self, change):
        if change.object_hash in self.objects:
            return "the key exists"
        self.objects[change.object_hash] = Collection(change.db, change.key, change.config)
        return None

    def refuse_add(self, change, count_matters=True, lent=None):
        """Rules (a) to (h) of VADD; without `count_matters`, (a) to (g). A config `lent` by the
        first member of a group serves where the key is missing."""
        found = self.objects.get(change.object_hash)
        if found and found.TYPE != Collection.TYPE:
            return "(b) no vector collection"
        config = found.config if found else lent or change.config
        if config is None:
            return "(a) no such key"
        if change.config and config.origin == change.config.origin == 0:
            if config.quantisation != change.config.quantisation:
                return "(c) another quantisation"
            if config.links != change.config.links:
                return "(d) another M"
        form = FORM_SCALED if config.metric == COSINE else FORM_PLAIN
        if change.dimension != config.dimension or change.form != form:
            return "(e) another dimension or form"
        records = found.records if found else {}
        exists = change.element_hash in records
        if change.flags & IF_NEW and exists:
            return "(f) the element exists"
        if change.flags & IF_EXISTING and not exists:
            return "(g) no such element"
        if count_matters and not exists and 0 < config.capacity <= len(records):
            return "(h) the capacity is reached"
        return None

    def add(self, sequence, change):
        refusal = self.refuse_add(change)
        if refusal:
            return refusal
        found = self.objects.get(change.object_hash)
        if found is None:
            self.create(change)
            found = self.objects[change.object_hash]
        record = found.records.get(change.element_hash)
        if record is None:
            record = found.records[change.element_hash] = Record(change.element)
            record.attributes = change.attributes
        elif change.attributes:
            record.attributes = None if change.attributes_empty else change.attributes
        if change.tag is not None:
            record.tag = change.tag
        record.vector, record.fp32, record.widx = change.vector, change.fp32, sequence
        found.tend_graph(sequence, record, change.values)
        found.next_slot += 1
        found.changed = True
        return None

    def change_existing(self, sequence, change):
        """VREM, SETATTR, SETTAG, DEL, RENAME and EXPIRE."""
        found = self.objects.get(change.object_hash)
        if found is None:
            return "no such key"
        if change.type == DEL:
            del self.objects[change.object_hash]
            return None
        if change.type == RENAME:
            return self.rename(found, change)
        if change.type == EXPIRE:
            return self.expire(found, change)
        if found.TYPE != Collection.TYPE:
            return "no vector collection"
        record = found.records.get(change.element_hash)
        if record is None:
            return "no such element"
        found.changed = True
        if change.type == VREM:
            del found.records[change.element_hash]
            found.tend_graph(sequence, record)
            if not found.records and found.config.origin == 0:
                del self.objects[change.object_hash]
            return None
        if change.type == SETATTR:
            record.attributes = None if change.attributes_empty else change.attributes
        else:
            record.tag = change.tag
        found.tend_graph(sequence)
        record.widx = sequence
        return None

    def change_graph(self, sequence, change):
        found = self.objects.get(change.object_hash)
        made = Knowledge(change.db, change.key, change.config)
        if change.type == GCREATE:
            return "the key exists" if found else self.put(change, made)
        if found and found.TYPE != Knowledge.TYPE:
            return "no graph"
        if change.type == NODE and not found and change.config:
            return made.set_node(sequence, change) or self.put(change, made)
        if not found:
            return "no such key"
        if change.type == NODE:
            return found.set_node(sequence, change)
        if change.type == EDGE:
            return found.set_edge(sequence, change)
        if change.type == EDGEDEL:
            return found.delete_edge(change)
        refusal = found.delete_node(change)
        if not refusal and not found.nodes and found.config.origin == 0:
            del self.objects[change.object_hash]
        return refusal

    def put(self, change, found):
        self.objects[change.object_hash] = found

    def rename(self, found, change):
        if change.flags & IF_NEW and change.target_hash in self.objects:
            return "the new name exists"
        del self.objects[change.object_hash]
        found.key = change.target
        self.objects[change.target_hash] = found
        return None

    def expire(self, found, change):
        old, new = found.deadline, change.tag
        refused = [False, old != 0, old == 0, old == 0 or new <= old, old != 0 and new >= old,
                   old == 0 or new >= old]
        if refused[change.delta]:
            return "the condition"
        found.deadline = new
        return None

    def set(self, sequence, change):
        found = self.objects.get(change.object_hash)
        if change.type == REPLACE and found and found.TYPE != String.TYPE:
            return "no string"
        if change.flags & IF_NEW and found:
            return "the key exists"
        if change.flags & IF_EXISTING and not found:
            return "no such key"
        deadline = change.tag or 0
        if deadline == KEPT_DEADLINE:
            deadline = found.deadline if found else 0
        made = String(change.db, change.key, change.value, sequence)
        made.deadline = deadline
        self.objects[change.object_hash] = made
        return None

    def increment(self, sequence, change):
        found = self.objects.get(change.object_hash)
        if found and found.TYPE != String.TYPE:
            return "no string"
        number = found.number() if found else 0
        if number is None:
            return "not an integer"
        if not fits_i64(number + change.delta):
            return "the sum is outside i64"
        made = String(change.db, change.key, b"%d" % (number + change.delta), sequence)
        made.deadline = found.deadline if found else 0
        self.objects[change.object_hash] = made
        return None

    def apply_batch(self, sequence, changes):
        at = 0
        while at < len(changes):
            change = changes[at]
            at += 1
            if change.type in GROUPS:
                members = changes[at:at + change.group]
                check_group(change, members)
                refuse = self.refuse_group if change.type == GROUP else self.refuse_all
                if refuse(members):
                    at += change.group
            else:
                self.apply(sequence, change)

    def refuse_group(self, members):
        """All or nothing, decided in the state before the group."""
        for member in members:
            if self.refuse_add(member, count_matters=False, lent=members[0].config):
                return True
        found = self.objects.get(members[0].object_hash)
        capacity = (found or members[0]).config.capacity  # A string was refused above.
        return 0 < capacity < (len(found.records) if found else 0) + len(members)


    def refuse_all(self, members):
        """The same of an ALL: edges may join nodes that its earlier members make."""
        made, new_nodes, new_edges = None, set(), 0
        for member in members:
            found = self.objects.get(member.object_hash)
            if member.type == VADD:
                if self.refuse_add(member):
                    return True
                continue
            if member.type == VREM:
                if not isinstance(found, Collection) or member.element_hash not in found.records:
                    return True
                continue
            if found and found.TYPE != Knowledge.TYPE:
                return True
            if not found and member.type == NODE:
                made = made or member.config
            config = found.config if found else made
            if not config:
                return True
            known = found.nodes if found else {}
            if member.type == NODE:
                if member.element_hash in known or member.element_hash in new_nodes:
                    continue
                new_nodes.add(member.element_hash)
                if 0 < config.nodes < len(known) + len(new_nodes):
                    return True
                continue
            ends = (member.element_hash, member.destination_hash)
            if any(end not in known and end not in new_nodes for end in ends):
                return True
            source, _, key = found.find_edge(member) if found else (None, None, None)
            if source and key in source.edges[0]:
                continue
            new_edges += 1
            if 0 < config.edges < (found.edge_count if found else 0) + new_edges:
                return True
        return False


def check_all(members):
    graphs = {member.object_hash for member in members if member.type in (NODE, EDGE)}
    others = [member for member in members if member.type not in (NODE, EDGE)]
    kinds = [member.type for member in others]
    if (len(graphs) > 1 or len({member.object_hash for member in others}) > 1
            or len(set(kinds)) != len(kinds) or not set(kinds) <= {VADD, VREM}
            or any(member.type in (NODE, EDGE) and member.flags & (IF_NEW | IF_EXISTING)
                   for member in members)):
        raise damaged("an ALL holds what it may not")


def check_group(group, members):
    if not members:
        raise damaged("an empty group")
    if len(members) != group.group:
        raise damaged("a group is longer than its batch")
    if group.type == ALL:
        check_all(members)
        return
    for member in members:
        if member.type != VADD or member.object_hash != members[0].object_hash:
            raise damaged("a group holds something other than VADDs of one object")


def state_root(model, content=False, semantics=SEMANTICS_ID):
    """The state root of the model; with `content` the content root: every widx taken as 0."""
    return root_hash(semantics, model.keyspace(content), model.system(content))


# --- The directory (section 8) ---------------------------------------------------------------

SEGMENT_NAME = re.compile(r"valori-([0-9]{8,})\.log")


def open_regular(path):
    """Open a file for reading that must be a regular one; never waits for a pipe's other end."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Refusal(UNSAFE, f"{os.path.basename(path)} is a symbolic link") from None
        raise
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return open(handle, "rb")
    os.close(handle)
    raise Refusal(UNSAFE, f"{os.path.basename(path)} is not a regular file")


def read_file(path):
    with open_regular(path) as file:
        return file.read()


class Progress:
    """One line on a terminal, written again from the second second on; nothing elsewhere."""

    def __init__(self, stream, clock=time.monotonic):
        self.stream = stream if stream.isatty() else None
        self.clock = clock
        self.due = clock() + 1
        self.said = False

    def tell(self, name, part, entries):
        if self.stream is None or self.clock() < self.due:
            return
        self.due = self.clock() + 0.2
        self.said = True
        self.stream.write(f"\r{name} {100 * part:.0f}%, {entries} entries")
        self.stream.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.said:
            self.stream.write("\r\033[K")
            self.stream.flush()


class Verifier:
    """Verifies one directory: run() returns, or raises the Refusal that names what is wrong."""

    def __init__(self, directory, semantics=SEMANTICS_ID):
        self.directory = directory
        self.progress = None
        self.semantics = semantics
        self.model = Model()
        self.tree = LogTree()
        self.segments = []
        self.newest = 0
        self.slots = []
        self.slot_roots = defaultdict(set)
        self.marks = 0
        self.seals = 0
        self.last_seal = None
        self.last_time = 0
        self.torn_bytes = 0
        self.torn_creation = False

    def run(self):
        names = self.find_segments()
        self.newest = len(names)
        self.read_head()
        if not names and self.slots:
            raise misplaced("valori.head is there, but no segment")
        headers = [self.read_header(number, names[number], number == self.newest)
                   for number in sorted(names)]
        for position, header in enumerate(headers):
            if header:
                following = headers[position + 1] if position + 1 < len(headers) else None
                self.read_segment(names[header.number], header, following)
        self.check_slots_reached()
        self.check_segments_reached()

    def find_segments(self):
        names = {}
        for name in sorted(os.listdir(self.directory)):
            match = SEGMENT_NAME.fullmatch(name)
            if match:
                number = int(match[1])
                if name != f"valori-{number:08}.log":
                    raise misplaced(f"{name} is not how segment {number} is named")
                names[number] = name
        for expected, number in enumerate(sorted(names), 1):
            if number != expected:
                raise misplaced(f"segment {expected} is missing")
        return names

    def read_head(self):
        try:
            data = read_file(os.path.join(self.directory, "valori.head"))
        except FileNotFoundError:
            return
        self.slots = read_head_slots(data)
        for slot in self.slots:
            self.slot_roots[slot.durable].add(slot.root)
        if 0 in self.slot_roots:
            self.compare_slots()

    def read_header(self, number, name, newest):
        """The header of a segment; None for the torn creation of the newest."""
        with open_regular(os.path.join(self.directory, name)) as file:
            header = read_segment_header(file.read(HEADER_SIZE))
            if header is None:
                if not newest or file.read().strip(b"\0"):
                    raise damaged(f"{name}: the header is damaged")
                self.torn_creation = True
                return None
        if header.number != number:
            raise misplaced(f"{name} is segment {header.number}")
        for other in self.slots + [known for _, known in self.segments]:
            if other.log_id != header.log_id:
                raise misplaced(f"{name} is of another log")
        self.segments.append((name, header))
        return header

    def read_segment(self, name, header, following):
        due = self.tree.size
        if header.base > due and header.number > 1:
            raise damaged(f"{name} begins at entry {header.base}; entries from {due} on are lost")
        if header.base != due:
            raise misplaced(f"{name} begins at entry {header.base}; {due} is due there")
        if header.root != self.tree.root():
            raise misplaced(f"{name}: the log root before it is another")

        data = read_file(os.path.join(self.directory, name))
        at = HEADER_SIZE
        while True:
            frame = read_frame(data, at, header.key)
            if frame is None or frame.sequence != self.tree.size:
                break
            try:
                self.take_frame(frame)
            except Refusal as refusal:
                raise Refusal(refusal.code, f"{name}, byte {at}, entry {frame.sequence}: "
                                            f"{refusal}") from None
            at = frame.end
            if self.progress:
                self.progress.tell(name, at / len(data), self.tree.size)
        self.judge_end(name, header, following, data, at)

    def judge_end(self, name, header, following, data, at):
        """Section 3.1, for the bytes from `at` on, where no valid frame is."""
        due = self.tree.size
        used = len(data.rstrip(b"\0"))
        place = f"{name}, byte {at}: entry {due} is damaged or lost"
        if following:
            if at < len(data):
                raise damaged(f"{place}; a later segment exists")
            return
        if at == len(data):
            self.check_segments_reached()
        if any(slot.durable > due for slot in self.slots):
            raise damaged(f"{place}; valori.head knows it to be durable")
        if used > at:
            if frames_speak_for(data, at, header.key, due):
                raise damaged(f"{place}; a later frame knows it to be durable")
            self.torn_bytes += used - at

    def take_frame(self, frame):
        if frame.kind == FRAME_MARK:
            self.marks += 1
            return
        if frame.flags & FRAME_ERASED:
            raise newer("an erased payload")
        entry = Entry(frame.entry)
        if entry.sequence != frame.sequence or entry.type != frame.type:
            raise damaged("the frame and the entry disagree")
        if entry.time < self.last_time:
            raise damaged("the entry is older than the one before it")
        self.last_time = entry.time
        self.take_entry(entry, frame)
        self.tree.append(frame.entry)
        if self.tree.size in self.slot_roots:
            self.compare_slots()

    def compare_slots(self):
        if self.slot_roots[self.tree.size] != {self.tree.root()}:
            raise misplaced(f"valori.head has another log root of {self.tree.size} entries")

    def take_entry(self, entry, frame):
        if entry.passed_over:
            return
        if entry.type == BATCH:
            self.model.apply_batch(entry.sequence, read_batch(entry.body, frame))
            return
        if frame.list:
            raise damaged("the entry has a list, but is no batch")
        payload = Cursor(frame.payload, "the payload")
        if entry.type == SEAL:
            self.take_seal(entry)
        else:
            refusal = self.model.apply(entry.sequence,
                                       Change(entry.type, entry.body, payload, None))
            if refusal:
                raise damaged(f"an entry that stands alone is refused: {refusal}")
        payload.finish()

    def take_seal(self, entry):
        body = Cursor(entry.body, "the SEAL")
        sequence, root, semantics = body.number(8), body.bytes(32), body.bytes(32)
        keyspace, system = body.bytes(40), body.bytes(40)
        body.finish()
        if sequence != entry.sequence:
            raise damaged(f"the SEAL says that it is entry {sequence}")
        if semantics != self.semantics:
            raise newer(f"a SEAL of semantics {semantics.hex()}")
        if keyspace != enc(self.model.keyspace()) or system != enc(self.model.system()):
            raise damaged("the SEAL's tries are not those of the state")
        if root != state_root(self.model, semantics=self.semantics):
            raise damaged("the SEAL's state root is not that of the state")
        self.seals += 1
        self.last_seal = {"sequence": sequence, "state_root": root.hex()}

    def check_slots_reached(self):
        for slot in self.slots:
            if slot.durable > self.tree.size:
                raise damaged(f"valori.head knows {slot.durable} entries to be durable, "
                              f"{self.tree.size} are there")

    def check_segments_reached(self):
        for slot in self.slots:
            if slot.segment > self.newest:
                raise misplaced(f"valori.head knows segment {slot.segment}, which is missing")

    def report(self):
        return {
            "segments": len(self.segments),
            "entries": self.tree.size,
            "log_root": self.tree.root().hex(),
            "seals": self.seals,
            "last_seal": self.last_seal,
            "state_root": state_root(self.model, semantics=self.semantics).hex(),
            "keys": len(self.model.objects),
            "records": self.model.record_count(),
            "head_slots": len(self.slots),
            "marks": self.marks,
            "torn_bytes": self.torn_bytes,
            "torn_creation": self.torn_creation,
        }


# --- The command -----------------------------------------------------------------------------

def printable(name):
    """A name as text: other bytes than visible ASCII as \\xNN."""
    return "".join(chr(byte) if 32 < byte < 127 and byte != 92 else f"\\x{byte:02x}"
                   for byte in name)


def dump_graph(graph):
    nodes = sorted(graph.nodes.values(), key=lambda node: node.name)
    edges = sorted((edge for node in nodes for edge in node.edges[0].values()),
                   key=lambda edge: (edge.source, edge.type, edge.destination))
    return {
        "db": graph.db,
        "key": printable(graph.key),
        "config": graph.config.bytes.hex(),
        "nodes": [{
            "name": printable(node.name),
            "widx": node.widx,
            "kind": printable(node.kind) if node.kind else None,
            "properties": node.properties.hex() if node.properties else None,
            "link": " ".join(map(printable, node.link)) if node.link else None,
        } for node in nodes],
        "edges": [{
            "source": printable(edge.source),
            "type": printable(edge.type),
            "destination": printable(edge.destination),
            "widx": edge.widx,
            "weight": int.from_bytes(edge.weight, "little", signed=True) if edge.weight else None,
            "properties": edge.properties.hex() if edge.properties else None,
        } for edge in edges],
    }


def dump(model):
    """The state as plain data, in the order of (db, key) and element."""
    objects = []
    for found in sorted(model.objects.values(), key=lambda found: (found.db, found.key)):
        if found.TYPE == String.TYPE:
            objects.append({"db": found.db, "key": printable(found.key), "widx": found.widx,
                            "value": found.value.hex()})
            continue
        records = sorted(found.records.values(), key=lambda record: record.element)
        if found.TYPE == Knowledge.TYPE:
            objects.append(dump_graph(found))
            continue
        objects.append({
            "db": found.db,
            "key": printable(found.key),
            "config": found.config.bytes.hex(),
            "next_slot": found.next_slot,
            "records": [{
                "element": printable(record.element),
                "widx": record.widx,
                "vector": record.vector.hex(),
                "attributes": record.attributes.hex() if record.attributes else None,
                "tag": record.tag,
                "fp32": record.fp32.hex() if record.fp32 else None,
            } for record in records],
        })
    return objects


def print_report(report):
    seal = report["last_seal"]
    print(f"segments    {report['segments']}" + (", and a torn creation"
                                                 if report["torn_creation"] else ""))
    print(f"entries     {report['entries']}")
    print(f"log root    {report['log_root']}")
    print(f"last seal   {seal['sequence']} {seal['state_root']}" if seal else "last seal   none")
    print(f"state root  {report['state_root']}")
    if "content_root" in report:
        print(f"content     {report['content_root']}")
    print(f"keys        {report['keys']}")
    print(f"records     {report['records']}")
    print(f"torn bytes  {report['torn_bytes']}")
    for found in report.get("state", ()):
        if "value" in found:
            print(f"string {found['db']} {found['key']} {found['widx']} {found['value']}")
            continue
        of_graph = "nodes" in found
        print(f"key {found['db']} {found['key']} {found['config']} "
              f"{'graph' if of_graph else found['next_slot']}")
        for row in found["nodes"] + found["edges"] if of_graph else found["records"]:
            print("  " + " ".join("-" if value is None else str(value)
                                  for value in row.values()))


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description="Verify a valori data directory.")
    parser.error = lambda message: parser.exit(UNSAFE, f"verify.py: {message}\n")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--state", action="store_true", help="print keys and records too")
    parser.add_argument("--content", action="store_true", help="print the content root too")
    parser.add_argument("--semantics", metavar="HEX", type=bytes.fromhex, default=SEMANTICS_ID,
                        help="the semantics id to expect in SEALs")
    parser.add_argument("directory")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_arguments(arguments)
    verifier = Verifier(options.directory, options.semantics)
    try:
        with Progress(sys.stderr) as verifier.progress:
            verifier.run()
    except Refusal as refusal:
        code, text = refusal.code, str(refusal)
    except OSError as error:
        code, text = UNREADABLE, str(error)
    else:
        report = verifier.report()
        if options.content:
            report["content_root"] = state_root(verifier.model, True, options.semantics).hex()
        if options.state:
            report["state"] = dump(verifier.model)
        if options.json:
            print(json.dumps({"exit": WHOLE, **report}))
        else:
            print_report(report)
        return WHOLE
    if options.json:
        print(json.dumps({"exit": code, "error": text}))
    print(f"verify.py: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:
        sys.excepthook(*sys.exc_info())
        sys.exit(FAULT)
