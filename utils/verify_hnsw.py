"""The graph of index 2, from docs/semantics-hnsw-1.md alone, for utils/verify.py.

It is written to be compared with that text, not to be fast: at M 16 and EF 200 an insertion needs
the keys of a thousand or two pairs of points. Among 3,000 descriptors of 128 dimensions that took
12 ms, among 2,000 texts of 384 dimensions 45 ms.
"""

from bisect import insort
from functools import lru_cache
from math import isqrt
from operator import mul

L2, IP, COSINE = 2, 3, 1
PIN = 1 << 31
BEAM = 8
LEVELS = 12
REPAIRED = 4
FOUND_MOST = 1024
UNIT = 1 << 16
LEVEL_KEY = b"HNSW level key 1"
QUIET, RELINKING, FREEING = range(3)


# --- 2. Codes and keys -----------------------------------------------------------------------

class Code:
    """What a row of values stands for: `codes`, c_i + C, times the scale S."""

    __slots__ = ("codes", "scale", "norm", "inverse")

    def __init__(self, metric, values):
        greatest = max(map(abs, values))
        if metric != COSINE and all(x % UNIT == 0 and 0 <= x <= 255 * UNIT for x in values):
            self.codes = [x // UNIT for x in values]
            self.scale = 1 << 23
        elif metric != COSINE and (shift := small_multiples(values, greatest)) is not None:
            self.codes = [x >> shift for x in values]
            self.scale = 1 << (shift + 7)
        elif greatest == 0:
            self.codes, self.scale = [0] * len(values), 1
        else:
            length = greatest.bit_length()
            quotient = (127 << (length + 24)) // greatest
            half, shift = 1 << (length + 23), length + 24
            self.codes = [((abs(x) * quotient + half) >> shift) * (1 if x > 0 else -1)
                          for x in values]
            self.scale = (128 * greatest + 63) // 127
        squares = sum(map(mul, self.codes, self.codes))
        self.norm = squares * self.scale * self.scale
        root = isqrt(squares << 32)
        self.inverse = (1 << 53) // (root + 1) if squares else 0


def small_multiples(values, greatest):
    """t, if the values are k * 2^t with |k| < 128; otherwise None."""
    together = 0
    for x in values:
        together |= x
    shift = min((together & -together).bit_length() - 1, 24)
    return shift if greatest >> shift < 128 else None


def lead(kept, value):
    if value < 1 << kept:
        return value
    shift = value.bit_length() - kept
    return (shift << (kept - 1)) + (value >> shift)


@lru_cache(maxsize=1 << 17)  # Neighbours are compared again and again.
def key_between(metric, a, b):
    product = sum(map(mul, a.codes, b.codes))
    if metric == COSINE:
        return (1 << 30) - (a.inverse * b.inverse * product >> 44)
    product *= a.scale * b.scale
    if metric == L2:
        return lead(26, a.norm + b.norm - 2 * product)
    return (1 << 31) - lead(25, product) if product > 0 else (1 << 31) + lead(25, -product)


# --- 3. The graph ----------------------------------------------------------------------------

class Point:
    __slots__ = ("code", "rows", "live", "condemned")

    def __init__(self, code, level):
        self.code = code
        self.rows = [[] for _ in range(level + 1)]  # of links, layer by layer
        self.live, self.condemned = True, False

    def level(self):
        return len(self.rows) - 1


class Graph:
    def __init__(self, config, siphash):
        self.metric, self.siphash = config.metric, siphash
        self.m = min(max(config.links, 2), 512)
        self.breadth = max(16, min(max(config.effort, self.m), 4096))
        self.points = {}  # those that are not free
        self.free = []
        self.used = 0  # the greatest number ever used
        self.entry = self.top = 0
        self.live = self.dead = 0  # without the condemned
        self.phase = QUIET
        self.cursor = self.end = self.heir = 0
        self.written = set()  # (layer, point) in this entry

    def degree(self, layer):
        return self.m if layer else 2 * self.m

    def key(self, a, b):
        if a > b:
            a, b = b, a
        return key_between(self.metric, self.points[a].code, self.points[b].code)

    def key_to(self, target):
        """The key of a point to the target, which is a point or a query's Code."""
        if isinstance(target, Code):
            return lambda point: key_between(self.metric, target, self.points[point].code)
        return lambda point: self.key(target, point)

    def write(self, layer, point, row):
        self.points[point].rows[layer] = row
        self.written.add((layer, point))

    def level_of(self, counter):
        number = self.siphash(LEVEL_KEY, counter.to_bytes(8, "little"))
        level = 0
        while level < LEVELS and number % 16 == 0:
            number //= 16
            level += 1
        return level

    def neighbours(self, layer, point):
        return [link & ~PIN for link in self.points[point].rows[layer]]

    def walk(self, target, layer, start, breadth):
        """The beam when all of its candidates have been followed."""
        key = self.key_to(target)
        beam = [(key(start), start)]
        met, followed = {start}, set()
        while True:
            step = []
            for candidate in beam:
                if candidate[1] not in followed:
                    step.append(candidate[1])
                    if len(step) == BEAM:
                        break
            if not step:
                return beam
            followed.update(step)
            for point in step:
                for other in self.neighbours(layer, point):
                    if other not in met:
                        met.add(other)
                        insort(beam, (key(other), other))
            del beam[breadth:]

    def descend(self, target, down_to):
        """The nearest point that a greedy walk to layer `down_to` finds."""
        key = self.key_to(target)
        current = (key(self.entry), self.entry)
        for layer in range(self.top, down_to, -1):
            while True:
                others = [(key(other), other) for other in self.neighbours(layer, current[1])]
                if not others or min(others) >= current:
                    break
                current = min(others)
        return current[1]

    def choose(self, candidates, wanted):
        kept, passed = [], []
        for key, point in candidates:
            if len(kept) == wanted:
                break
            nearer = any(self.key(point, other) < key for other in kept)
            (passed if nearer else kept).append(point)
        return kept + passed[:wanted - len(kept)]

    def add_link(self, layer, owner, point, pin=0):
        row = list(self.points[owner].rows[layer])
        for at, link in enumerate(row):
            if link & ~PIN == point:
                row[at] |= pin
                break
        else:
            if len(row) < self.degree(layer):
                row.append(point | pin)
            else:
                at = self.gives_way(owner, row + [point | pin])
                if at == len(row):
                    return
                row[at] = point | pin
        self.write(layer, owner, row)

    def gives_way(self, owner, links):
        """The index of the link that gives way."""
        order = sorted((self.key(owner, link & ~PIN), link & ~PIN, at)
                       for at, link in enumerate(links))
        farthest = None
        for place in range(len(order) - 1, -1, -1):
            key, point, at = order[place]
            if links[at] & PIN:
                continue
            if farthest is None:
                farthest = at
            if any(self.key(point, other) < key for _, other, _ in order[:place]):
                return at
        return farthest

    def room_for_pin(self, near, draw):
        came_from = 0
        while True:
            row = self.points[near].rows[0]
            if len(row) < 2 * self.m or not all(link & PIN for link in row):
                return near
            draw = (draw * 6364136223846793005 + 1442695040888963407) % (1 << 64)
            at = (draw >> 33) % (2 * self.m)
            if row[at] & ~PIN == came_from:
                at = (at + 1) % (2 * self.m)
            came_from, near = near, row[at] & ~PIN

    def pin(self, a, b):
        self.add_link(0, a, b, PIN)
        self.add_link(0, b, a, PIN)

    # --- 4. Entries ----------------------------------------------------------------------

    def insert(self, counter, values):
        """Gives the new point."""
        level = self.level_of(counter)
        if self.free:
            point = self.free.pop()
        else:
            self.used += 1
            point = self.used
        self.points[point] = Point(Code(self.metric, values), level)
        self.live += 1
        for layer in range(self.top + 1 if self.entry else 0, level + 1):
            self.written.add((layer, point))
        if self.entry:
            start = self.descend(point, min(level, self.top))
            for layer in range(min(level, self.top), -1, -1):
                start = self.connect(point, layer, start, counter)
        if not self.entry or level > self.top:
            self.entry, self.top = point, level
        if self.phase == RELINKING:
            self.note_heir(point)
        return point

    def connect(self, point, layer, start, counter):
        beam = self.walk(point, layer, start, self.breadth)
        live = [candidate for candidate in beam if self.points[candidate[1]].live]
        chosen = self.choose(live, self.m)
        parent = 0
        if layer == 0:
            parent = self.room_for_pin((live or beam)[0][1], counter)
        others = [other for other in chosen if other != parent]
        self.write(layer, point, others)
        if parent:
            self.add_link(0, parent, point, PIN)
            self.add_link(0, point, parent, PIN)
        for other in others:
            self.add_link(layer, other, point)
        return beam[0][1]

    def remove(self, point):
        self.points[point].live = False
        self.live -= 1
        self.dead += 1

    def repair(self):
        for _ in range(REPAIRED):
            if self.phase == QUIET:
                if self.dead == 0 or self.dead < self.live:
                    return
                self.begin_round()
            point = self.cursor
            self.cursor += 1
            if point in self.points:
                if self.phase == RELINKING:
                    self.relink_point(point)
                elif self.points[point].condemned:
                    self.free_point(point)
            if self.cursor == self.end:
                self.end_phase()

    def begin_round(self):
        for point in self.points.values():
            point.condemned = not point.live
        self.dead = 0
        self.phase, self.cursor, self.end, self.heir = RELINKING, 1, self.used + 1, 0

    def end_phase(self):
        if self.phase == FREEING:
            self.phase = QUIET
            return
        self.phase, self.cursor = FREEING, 1
        if self.heir and self.points[self.entry].condemned:
            self.entry, self.top = self.heir, self.points[self.heir].level()

    def note_heir(self, point):
        if not self.heir or self.points[point].level() > self.points[self.heir].level():
            self.heir = point

    def relink_point(self, point):
        found = self.points[point]
        for layer in range(len(found.rows)):
            self.relink(point, layer)
        if not found.condemned:
            self.note_heir(point)

    def relink(self, point, layer):
        row = self.points[point].rows[layer]
        pinned = [link for link in row if link & PIN]
        loose = [link for link in row if not link & PIN]
        if not any(self.points[other].condemned for other in loose):
            return
        found = [other for other in loose if not self.points[other].condemned]
        if not self.points[point].condemned:
            for gone in self.neighbours(layer, point):
                if self.points[gone].condemned:
                    found += [other for other in self.neighbours(layer, gone)
                              if self.points[other].live]
        barred = {point} | {link & ~PIN for link in pinned}
        found = [other for other in found if other not in barred][:FOUND_MOST]
        candidates = sorted((self.key(point, other), other) for other in set(found))
        self.write(layer, point, pinned + self.choose(candidates, len(row) - len(pinned)))

    def free_point(self, gone):
        tree = [link & ~PIN for link in self.points[gone].rows[0] if link & PIN]
        for other in tree:
            self.write(0, other, [link for link in self.points[other].rows[0]
                                  if link & ~PIN != gone])
        for one, two in zip(tree, tree[1:]):
            self.pin(self.room_for_pin(one, gone), self.room_for_pin(two, gone))
        if self.entry == gone:
            self.entry = tree[0] if tree else 0
            self.top = self.points[self.entry].level() if self.entry else 0
        for layer in range(len(self.points[gone].rows)):
            self.written.add((layer, gone))
        del self.points[gone]
        self.free.append(gone)

    def delta(self):
        """What the chain hashes of this entry, b"" if it wrote no row."""
        if not self.written:
            return b""
        words = [self.entry, self.top, len(self.written)]
        for layer, point in sorted(self.written):
            row = self.points[point].rows[layer] if point in self.points else []
            words += [layer, point, len(row), *row]
        self.written = set()
        return b"".join(word.to_bytes(4, "little") for word in words)

    # --- 5. Search -----------------------------------------------------------------------

    def nearest(self, values, k, effort):
        """The points of which exact distances choose the k; None if they are to look at all."""
        effort = max(effort, k, 16)
        if effort > 4096 or self.live <= 16 * effort:
            return None
        target = Code(self.metric, values)
        beam = self.walk(target, 0, self.descend(target, 0), effort)
        live = [point for _, point in beam if self.points[point].live]
        return live[:k + 10 + effort // 8] if len(live) >= k else None
