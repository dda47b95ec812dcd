"""utils/verify_hnsw.py over real descriptors: the graph and the answers whose hashes stand in
tests/unit/kernel/test_hnsw_insert.c, which is compiled for every machine."""

import re
import struct
import unittest
from hashlib import sha256
from pathlib import Path

import verify
import verify_hnsw

TOP = Path(__file__).resolve().parent.parent.parent
COUNT, QUERIES, K, EF = 5000, 50, 10, 48


def descriptors(count):
    data = (TOP / "tests/data/photosift/base.bvecs").read_bytes()
    return [tuple(byte << 16 for byte in data[132 * i + 4:132 * i + 132]) for i in range(count)]


def constants():
    """The two hashes, as text."""
    source = (TOP / "tests/unit/kernel/test_hnsw_insert.c").read_text()
    body = source.split("static void real_graph_is_the_same_everywhere", 1)[1]
    return re.findall(r'test_unhex\("([0-9a-f]{64})"', body)[:2]


class Config:
    metric, links, effort = verify_hnsw.L2, 16, 60


def graph_hash(graph):
    """As graph_hash() of tests/unit/kernel/hnsw_graph.h; point n is of the record in slot n - 1."""
    words = [graph.entry, graph.top, graph.used + 1, graph.cursor]
    for number, point in sorted(graph.points.items()):
        for layer, row in enumerate(point.rows):
            words += row + [0] * (graph.degree(layer) - len(row))
        words.append(number)
    return sha256(struct.pack(f"<{len(words)}I", *words)).hexdigest()


class RealData(unittest.TestCase):
    def test_graph_and_answers(self):
        rows = descriptors(COUNT + QUERIES)
        graph = verify_hnsw.Graph(Config, verify.siphash24)
        for counter, values in enumerate(rows[:COUNT]):
            graph.insert(counter, values)
            graph.repair()
        wanted_graph, wanted_answers = constants()
        self.assertEqual(graph_hash(graph), wanted_graph)

        answers = sha256()
        for query in rows[COUNT:]:
            found = []
            for point in graph.nearest(query, K, EF):
                values = rows[point - 1]
                found.append((sum((a - b) ** 2 for a, b in zip(query, values)), point - 1))
            for distance, slot in sorted(found)[:K]:  # Names are slots, big-endian.
                answers.update(struct.pack("<IQ", slot, distance))
        self.assertEqual(answers.hexdigest(), wanted_answers)


if __name__ == "__main__":
    unittest.main()
