"""The commitment once more, as short as it can be said: the oracle of utils/verify.py's hashes.

It includes what later releases commit to, graph nodes and edges, so that the golden vectors of
the whole definition can be computed. Nothing here is fast."""

from hashlib import sha256
from struct import pack

ZERO = bytes(32)
EMPTY = (0, ZERO)


def H(*parts):
    return sha256(b"".join(parts)).digest()


def u32(number):
    return pack("<I", number)


def u64(number):
    return pack("<Q", number)


def B(data):
    return u64(len(data)) + data


def enc(summary):
    return u64(summary[0]) + summary[1]


def name_hash(kind, *parts):
    return H(b"\x12", kind, ZERO, *[B(part) for part in parts])


def part_hash(kind, data):
    return H(b"\x14", kind, ZERO, data)


def record(widx, flags, vector, attributes, *more):
    return H(b"\x13", u64(widx), bytes([flags]), vector, attributes, *more)


def graph_node(widx, flags, attributes, element, edges_out, edges_in):
    return H(b"\x15", u64(widx), bytes([flags]), attributes, element, enc(edges_out),
             enc(edges_in))


def edge_out(widx, flags, attributes):
    return H(b"\x16", u64(widx), bytes([flags]), attributes)


def edge_in(widx):
    return H(b"\x1a", u64(widx))


def chain_step(chain, sequence, delta):
    return H(b"\x19", chain, u64(sequence), B(delta))


def collection(kind, config, records, nodes, chain, next_slot):
    return H(b"\x17", bytes([kind]), B(config), enc(records), enc(nodes), chain, u64(next_slot))


def root(semantics, keyspace, system):
    return H(b"\x18", u32(1), semantics, enc(keyspace), enc(system))


def bit(key, depth):
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def trie(leaves, depth=0):
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return 1, H(b"\x10", *next(iter(leaves.items())))
    left, right = (trie({key: value for key, value in leaves.items() if bit(key, depth) == side},
                        depth + 1) for side in (0, 1))
    return left[0] + right[0], H(b"\x11", enc(left), enc(right))


def tree_hash(leaves):
    """MTH, as RFC 6962 words it."""
    if not leaves:
        return H()
    if len(leaves) == 1:
        return H(b"\x00", leaves[0])
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return H(b"\x01", tree_hash(leaves[:half]), tree_hash(leaves[half:]))
