"""The hashes of utils/verify.py: published vectors, the golden vectors of the commitment, and
the naive definition as an oracle."""

import random
import struct
import time
import unittest
from hashlib import sha256
from pathlib import Path

import naive
import verify

ROOT = Path(__file__).resolve().parent.parent.parent
TEST_SEMANTICS = naive.H(b"valori-semantics-test")


class Published(unittest.TestCase):
    def test_siphash(self):
        key = bytes(range(16))
        for size, expected in ((0, 0x726FDB47DD0E0E31), (1, 0x74F839C593DC67FD),
                               (15, 0xA129CA6149BE45E5), (63, 0x958A324CEB064572)):
            self.assertEqual(verify.siphash24(key, bytes(range(size))), expected)

    def test_log_tree_of_rfc6962(self):
        leaves = [bytes.fromhex(text) for text in (
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f")]
        roots = {
            0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        }
        for size in range(9):
            self.assertEqual(verify.MTH(leaves[:size]), naive.tree_hash(leaves[:size]))
        for size, expected in roots.items():
            self.assertEqual(verify.MTH(leaves[:size]).hex(), expected)

    def test_semantics_document(self):
        document = (ROOT / "docs" / "semantics-1.md").read_bytes()
        self.assertEqual(verify.SEMANTICS_ID, sha256(document).digest())


class Golden(unittest.TestCase):
    """A database of one collection with five records and a graph of two nodes and one edge."""

    ATTRIBUTES = verify.C(b"A", b'{"y":1}')
    VECTOR = verify.C(b"V", b"\x01" + struct.pack("<I4i", 4, 65536, -65536, 0, 32768))

    def records(self):
        return verify.trie({
            verify.KH(b"R", name.encode()): verify.record_hash(widx, 3, self.VECTOR,
                                                               self.ATTRIBUTES)
            for widx, name in enumerate("abcde")})

    def graph(self):
        out = verify.trie({naive.name_hash(b"E", b"cites", b"n2"):
                           naive.edge_out(9, 0, naive.ZERO)})
        into = verify.trie({naive.name_hash(b"I", b"cites", b"n1"): naive.edge_in(9)})
        none = naive.EMPTY
        return {b"n1": (out, none), b"n2": (none, into)}

    def test_parts(self):
        self.assertEqual(verify.KH(b"R", b"a").hex(),
                         "4430dfde818bb7119724bf6936e4fbace9fe9775fc041c29fbbd69ccc43bceb6")
        self.assertEqual(self.VECTOR.hex(),
                         "eb5590692e526406d2bb553d0b20514158b10ec64e94d112bf7e16bb0b39f829")
        self.assertEqual(self.ATTRIBUTES.hex(),
                         "a00fdd8c96fb38c7c7857deea591a7e34292a1ab87f98793e0df0c3de9169b02")
        self.assertEqual(verify.record_hash(7, 3, self.VECTOR, self.ATTRIBUTES).hex(),
                         "a32f77c5d738018d1e539476e592117921b06b762708c92371b55064a8e6b8d5")

    def test_records(self):
        count, root = self.records()
        self.assertEqual((count, root.hex()), (
            5, "4606fc0ff2267f54d30aa1236148a65fe5f95cb7b12dbdd392aa30ba88624aca"))

    def test_state_root(self):
        nodes = verify.trie({
            naive.name_hash(b"N", name): naive.graph_node(8, 0, naive.ZERO, naive.ZERO, out, into)
            for name, (out, into) in self.graph().items()})
        self.assertEqual((nodes[0], nodes[1].hex()), (
            2, "46d2227c39082b3b7348298a76fb64e712773043295dcd108e07693f957656c4"))
        chain = naive.chain_step(naive.ZERO, 7, bytes(4))
        self.assertTrue(chain.hex().startswith("6d81207c") and chain.hex().endswith("10ec34"))
        value = verify.object_hash(1, b"dim=4", self.records(), nodes, chain, 5)
        self.assertEqual(value.hex(),
                         "4c96b980694eb70f046a9ea58f7c766965eabead85a241d3d426d67129b25d3f")
        keyspace = verify.trie({verify.KH(b"K", verify.u32(0), b"vs"): value})
        self.assertEqual((keyspace[0], keyspace[1].hex()), (
            1, "aea2b0d219429adafea68cc45ebe18cfc68e22ee379f52d67a5b37302f0598b0"))
        self.assertEqual(verify.root_hash(TEST_SEMANTICS, keyspace, naive.EMPTY).hex(),
                         "db6477ee0c94333424a5aa1fa4cdb8878ebb5c6d206719baf2430ca4cf76d56e")

    def test_empty_database(self):
        self.assertEqual(verify.state_root(verify.Model(), semantics=TEST_SEMANTICS).hex(),
                         "65cdd9bda74938ceb7d1f77ff7b363b5f076fb92fd18fe66b8ea12e45400439d")


class Trie(unittest.TestCase):
    def test_equals_the_definition(self):
        draw = random.Random(1)
        for size in list(range(20)) + [100, 257]:
            leaves = {draw.randbytes(32): draw.randbytes(32) for _ in range(size)}
            self.assertEqual(verify.trie(leaves), naive.trie(leaves))

    def test_long_common_prefixes(self):
        draw = random.Random(2)
        for depth in (0, 1, 7, 8, 63, 64, 200, 254, 255):
            first = draw.getrandbits(256)
            keys = {first, first ^ 1 << 255 - depth, draw.getrandbits(256)}
            leaves = {key.to_bytes(32, "big"): draw.randbytes(32) for key in keys}
            self.assertEqual(verify.trie(leaves), naive.trie(leaves))

    def test_every_key_of_eight_bits(self):
        leaves = {bytes([first]) + bytes(31): bytes(32) for first in range(256)}
        self.assertEqual(verify.trie(leaves), naive.trie(leaves))

    def test_many_leaves(self):
        leaves = {sha256(verify.u32(number)).digest(): naive.ZERO for number in range(100_000)}
        start = time.monotonic()
        count, root = verify.trie(leaves)
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual((count, root), naive.trie(leaves))
