"""utils/verify.py over whole directories: what is right, what is wrong, and what is torn."""

import functools
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import verify
import writer as w
from naive import H
from writer import (COSINE, EVERYTHING, IP, L2, NX, VADD_MADE, VCREATE_MADE, XX, Expected, Writer,
                    config, create, delete, flush, group, incr, plain, rename, replace, save,
                    scaled, set_string, settag, setattr, vadd, vrem)

PROGRAM = Path(verify.__file__)

# A mutated log differs from the last one in a few frames: remembering checks makes tens of
# thousands of mutations quick.
verify.siphash24 = functools.lru_cache(maxsize=4096)(verify.siphash24)

WHOLE, UNSAFE, DAMAGED, NEWER, MISPLACED = 0, 1, 3, 4, 5


class DirectoryTest(unittest.TestCase):
    def setUp(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.temporary = tempfile.TemporaryDirectory(prefix="valori-", dir=memory)
        self.addCleanup(self.temporary.cleanup)
        self.directory = self.temporary.name

    def verify(self, files):
        """(exit code, Verifier, text) for a directory of these files."""
        save(self.directory, files)
        found = verify.Verifier(self.directory, w.SEMANTICS)
        try:
            found.run()
        except verify.Refusal as refusal:
            return refusal.code, found, str(refusal)
        return WHOLE, found, ""

    def accept(self, log, expected=None):
        code, found, text = self.verify(log.files())
        self.assertEqual((code, text), (WHOLE, ""))
        self.assertEqual(found.tree.root(), log.log_root())
        self.assertEqual(found.torn_bytes, 0)
        if expected:
            for content in (False, True):
                self.assertEqual(verify.state_root(found.model, content, w.SEMANTICS),
                                 expected.root(content))
        return found

    def refuse(self, code, files, words=""):
        found = self.verify(files.files() if isinstance(files, Writer) else files)
        self.assertEqual(found[0], code, found[2])
        self.assertIn(words, found[2])


def rich():
    """A log of three segments with every type of entry, and the state that it should lead to."""
    log, state = Writer(), Expected()
    bounded = config(2, L2, capacity=3)

    log.alone(create(0, b"k1", bounded))
    state.made(0, b"k1", bounded)
    log.alone(vadd(0, b"k1", b"a", plain(1, 2), tag=7))
    state.put(0, b"k1", b"a", 1, plain(1, 2), tag=7)
    log.alone(vadd(0, b"k1", b"b", plain(-1, 1 << 30), b'{"x":1}'))
    state.put(0, b"k1", b"b", 2, plain(-1, 1 << 30), b'{"x":1}')
    log.seal(state)

    cosine = config(3, COSINE, origin=VADD_MADE)
    log.batch(
        vadd(0, b"k1", b"c", plain(0, 0), b""),
        vadd(0, b"k1", b"d", plain(5, 5)),               # refused: capacity
        settag(0, b"k1", b"a", 9),
        flush(3),
        vrem(0, b"k1", b"zz"),                           # refused: no such element
        setattr(0, b"k1", b"b", b""),
        vadd(0, b"k2", b"e", scaled(1, 3, 4, 5)),        # refused: no such key
        vadd(0, b"k2", b"e", scaled(-3, 3, 4, 5), b"{}", 0, bytes(12), cosine),
    )
    state.put(0, b"k1", b"c", 4, plain(0, 0), b"")
    records = state.objects[0, b"k1"][2]
    records[b"a"].update(widx=4, tag=9)
    records[b"b"].update(widx=4, attributes=None)
    state.made(0, b"k2", cosine)
    state.put(0, b"k2", b"e", 4, scaled(-3, 3, 4, 5), b"{}", 0, bytes(12))
    log.raw_entry(77, b"of a later release", b"payload", b"list", flags=2)
    log.seal(state)
    log.mark()
    log.start_segment()

    loose = config(1, IP, capacity=2)
    log.batch(
        group(2),                                        # refused: capacity, counting both
        vadd(0, b"k1", b"a", plain(8, 8)),
        vadd(0, b"k1", b"x", plain(8, 8)),
        group(2),
        vadd(1, b"k3", b"\x00\xff", plain(1), settings=loose),
        vadd(1, b"k3", b"", plain(2), tag=1 << 63, settings=loose),
        group(1),                                        # refused: form
        vadd(1, b"k3", b"", scaled(0, 2)),
    )
    state.made(1, b"k3", loose)
    state.put(1, b"k3", b"\x00\xff", 7, plain(1))
    state.put(1, b"k3", b"", 7, plain(2), tag=1 << 63)
    log.alone(vadd(0, b"k2", b"e", scaled(0, 1, 1, 1), b""))
    state.put(0, b"k2", b"e", 8, scaled(0, 1, 1, 1), None, 0)

    many = config(1, L2, origin=VADD_MADE)
    log.batch(*[vadd(15, b"many", b"element %d" % number, plain(number), settings=many)
                for number in range(500)])
    state.made(15, b"many", many)
    for number in range(500):
        state.put(15, b"many", b"element %d" % number, 9, plain(number))
    log.seal(state)
    log.mark()
    log.start_segment()

    log.alone(vrem(0, b"k2", b"e"))
    del state.objects[0, b"k2"]
    log.alone(delete(15, b"many"))
    del state.objects[15, b"many"]
    log.alone(flush(1))
    del state.objects[1, b"k3"]
    log.alone(vrem(0, b"k1", b"c"))
    del state.objects[0, b"k1"][2][b"c"]
    log.alone(settag(0, b"k1", b"b", 0))
    state.objects[0, b"k1"][2][b"b"].update(widx=15, tag=0)
    log.seal(state)
    log.head(generation=4)
    log.alone(setattr(0, b"k1", b"a", b"\xff\x00"))
    state.objects[0, b"k1"][2][b"a"].update(widx=17, attributes=b"\xff\x00")
    log.head(generation=5)
    return log, state


def with_strings():
    """Strings and RENAME, alone and in batches, with every refusal that there is."""
    log, state = Writer(), Expected()
    log.alone(set_string(0, b"s", b"v"))
    log.alone(set_string(0, b"s", b"", XX))
    log.alone(incr(3, b"n", -5))
    log.alone(replace(3, b"n", b"41", XX))
    log.alone(incr(3, b"n", 1))
    log.alone(create(0, b"c", config(1)))
    log.alone(rename(3, b"n", b"m", NX))
    state.string(0, b"s", 1, b"")
    state.string(3, b"m", 4, b"42")
    state.made(0, b"c", config(1))
    log.seal(state)
    log.batch(
        set_string(0, b"s", b"x", NX),             # refused: it exists
        replace(0, b"c", b"x"),                    # refused: a collection
        incr(0, b"c", 1),                          # refused: a collection
        vadd(0, b"s", b"e", plain(1), settings=config(1)),  # refused: a string
        vrem(0, b"s", b""),                        # refused: a string
        setattr(0, b"s", b"", b"x"),               # refused: a string
        settag(0, b"s", b"", 1),                   # refused: a string
        create(0, b"s", config(1)),                # refused: it exists
        replace(0, b"t", b"x", XX),                # refused: it does not
        rename(0, b"nobody", b"s"),                # refused: no such key
        rename(0, b"s", b"s", NX),                 # refused: the new name exists
        rename(0, b"s", b"s"),
        set_string(0, b"s", b"9223372036854775807"),
        incr(0, b"s", 1),                          # refused: outside i64
        incr(0, b"s", -(1 << 63)),
        incr(0, b"s", -1 << 63),                   # refused: outside i64
        set_string(0, b"o", b"007"),
        incr(0, b"o", 1),                          # refused: not the shortest form
        vadd(0, b"c", b"e", plain(1)),
        rename(0, b"c", b"o"),
        vadd(0, b"o", b"f", plain(2)),
        set_string(0, b"c", b"again"),
        incr(0, b"fresh", 1 << 62),
    )
    state.string(0, b"s", 8, b"-1")
    collected = state.objects.pop((0, b"c"))
    state.objects[0, b"o"] = collected
    state.put(0, b"o", b"e", 8, plain(1))
    state.put(0, b"o", b"f", 8, plain(2))
    state.string(0, b"c", 8, b"again")
    state.string(0, b"fresh", 8, b"%d" % (1 << 62))
    log.seal(state)
    log.alone(rename(0, b"c", b"o"))
    del state.objects[0, b"c"]
    state.string(0, b"o", 8, b"again")
    log.alone(delete(3, b"m"))
    del state.objects[3, b"m"]
    log.seal(state)
    return log, state


class Whole(DirectoryTest):
    def test_strings(self):
        self.accept(*with_strings())

    def test_refused_strings_alone(self):
        for wrong in (set_string(0, b"s", b"x", NX), replace(0, b"t", b"x", XX),
                      incr(0, b"s", 1), rename(0, b"t", b"u"), rename(0, b"s", b"s", NX)):
            log = Writer()
            log.alone(set_string(0, b"s", b"v"))
            log.alone(wrong)
            self.refuse(DAMAGED, log, "alone is refused")

    def test_limits_of_strings(self):
        log, state = Writer(), Expected()
        log.alone(set_string(0, b"s", bytes(262_144)))
        state.string(0, b"s", 0, bytes(262_144))
        self.accept(log, state)
        log.alone(set_string(0, b"s", bytes(262_145)))
        self.refuse(DAMAGED, log, "262145 bytes")
        for flags in (1, 4, 16, 128):
            log = Writer()
            log.alone(set_string(0, b"s", b"v", flags))
            self.refuse(NEWER, log)

    def test_rich_log(self):
        log, state = rich()
        found = self.accept(log, state)
        self.assertEqual(found.seals, 4)
        self.assertEqual(found.last_seal["sequence"], 16)
        self.assertEqual(found.marks, 2)
        self.assertEqual(len(found.slots), 2)

    def test_empty(self):
        self.assertEqual(self.verify({})[0], WHOLE)
        self.accept(Writer(), Expected())

    def test_ignored_files(self):
        files = {**rich()[0].files(), "valori-00000003.log.torn": b"x", "valori.lock": b"1",
                 "valori-00000009.log.tmp": b"x", "notes": b"x", "valori-1.log": b"x"}
        self.assertEqual(self.verify(files)[0], WHOLE)

    def test_zeros_after_the_last_frame(self):
        log, state = rich()
        log.segments[-1] += bytes(4096)
        self.accept(log, state)

    def test_flush_of_everything(self):
        log = Writer()
        for db in (0, 15):
            log.alone(create(db, b"k", config(1)))
        log.alone(flush(EVERYTHING))
        self.accept(log, Expected())

    def test_object_made_anew(self):
        log, state = Writer(), Expected()
        settings = config(1, L2, origin=VADD_MADE)
        log.alone(vadd(0, b"k", b"e", plain(1), b"old", 1, bytes(4), settings))
        log.alone(vrem(0, b"k", b"e"))
        log.alone(vadd(0, b"k", b"e", plain(2), settings=settings))
        state.made(0, b"k", settings)
        state.put(0, b"k", b"e", 2, plain(2))
        self.accept(log, state)

    def test_collection_of_vcreate_stays_when_empty(self):
        log, state = Writer(), Expected()
        log.alone(create(0, b"k", config(1)))
        log.alone(vadd(0, b"k", b"e", plain(1)))
        log.alone(vrem(0, b"k", b"e"))
        state.made(0, b"k", config(1), next_slot=1)
        self.accept(log, state)

    def test_record_keeps_what_a_vadd_does_not_carry(self):
        log, state = Writer(), Expected()
        log.alone(create(0, b"k", config(1)))
        log.alone(vadd(0, b"k", b"e", plain(1), b"A", 5, bytes(4)))
        log.alone(vadd(0, b"k", b"e", plain(2)))
        state.made(0, b"k", config(1), next_slot=1)
        state.put(0, b"k", b"e", 2, plain(2), b"A", 5)
        self.accept(log, state)

    def test_batch_at_the_border_of_its_forms(self):
        settings = config(1)
        for extra, form in ((0, 0), (1, 1)):
            elements = [create(0, b"k", settings)]
            size = 5 + 5 + len(elements[0].body)
            while True:
                one = vadd(0, b"k", b"e", plain(len(elements)), settings=settings)
                if size + 5 + len(one.body) > 65_000:
                    break
                elements.append(one)
                size += 5 + len(one.body)
            # A VADD without its config is shorter by 37 bytes, one with a tag longer by 8. They
            # bring the gap to a multiple of 10, the length of the FLUSHes that fill it.
            gap = 65_403 + extra - size
            if gap % 2:
                elements[1] = vadd(0, b"k", b"e", plain(1))
                gap += 37
            tags = next(tags for tags in range(5) if (gap - 8 * tags) % 10 == 0)
            for at in range(2, 2 + tags):
                elements[at] = vadd(0, b"k", b"e", plain(at), tag=at, settings=settings)
            elements += [flush(3)] * ((gap - 8 * tags) // 10)
            for forced in (form, 1 - form):
                log = Writer()
                log.batch(*elements, form=forced)
                body = log.entries[0][68:]
                self.assertEqual(body[0], forced)
                if forced == form:
                    self.accept(log)
                    self.assertEqual(len(body), 37 if form else 65_403)
                else:
                    code, _, text = self.verify(log.files())
                    self.assertEqual(code, DAMAGED)
                    self.assertIn("a short batch" if form == 0 else "a long batch", text)


class Refused(DirectoryTest):
    """What a SEAL or a reader must not accept, each made on purpose with right checks."""

    def made(self, *elements, settings=None):
        """A log with CREATE k, VADD e and these elements, each alone."""
        log = Writer()
        log.alone(create(0, b"k", settings or config(2, L2)))
        log.alone(vadd(0, b"k", b"e", plain(1, 2)))
        for element in elements:
            log.alone(element)
        return log

    def test_refused_changes_that_stand_alone(self):
        added = config(2, L2, origin=VADD_MADE)
        cases = {
            "the key exists": create(0, b"k", config(2, L2)),
            "(a)": vadd(1, b"k", b"e", plain(1, 2)),
            "(e)": vadd(0, b"k", b"e", plain(1, 2, 3)),
            "(f)": vadd(0, b"k", b"e", plain(1, 2), flags=NX),
            "(g)": vadd(0, b"k", b"f", plain(1, 2), flags=XX),
            "no such key": delete(0, b"l"),
            "no such element": settag(0, b"k", b"f", 1),
        }
        for words, element in cases.items():
            with self.subTest(words):
                self.refuse(DAMAGED, self.made(element), words)
        self.refuse(DAMAGED, self.made(vadd(0, b"k", b"e", scaled(0, 1, 2))), "(e)")
        full = self.made(vadd(0, b"k", b"f", plain(1, 2)), settings=config(2, L2, capacity=1))
        self.refuse(DAMAGED, full, "(h)")
        other = {"(c)": config(2, L2, origin=VADD_MADE, quantisation=1),
                 "(d)": config(2, L2, origin=VADD_MADE, m=17)}
        for words, carried in other.items():
            log = self.made(vadd(0, b"k", b"e", plain(1, 2), settings=carried), settings=added)
            self.refuse(DAMAGED, log, words)
        for carried in (*other.values(), config(9, IP)):
            self.accept(self.made(vadd(0, b"k", b"e", plain(1, 2), settings=carried)))

    def test_groups(self):
        settings = config(1, L2, capacity=3)
        base = [create(0, b"k", settings), vadd(0, b"k", b"a", plain(1)),
                vadd(0, b"k", b"b", plain(1))]
        both = [vadd(0, b"k", b"a", plain(2)), vadd(0, b"k", b"c", plain(2))]
        cases = [
            (both[:1], True), (both, False),
            ([vadd(0, b"k", b"c", plain(2), flags=XX)], False),
            ([vadd(0, b"k", b"c", plain(2), flags=NX)], True),
            ([vadd(0, b"k", b"c", plain(2, 3))], False),
            ([vadd(0, b"new", b"c", plain(2))], False),
        ]
        for members, applied in cases:
            log, state = Writer(), Expected()
            log.batch(*base, group(len(members)), *members)
            state.made(0, b"k", settings)
            for element in (b"a", b"b"):
                state.put(0, b"k", element, 0, plain(1))
            for member in members if applied else []:
                state.put(0, b"k", member.parts[1][1], 0, plain(2))
            self.accept(log, state)
        for member in (group(1), delete(0, b"k"), vadd(1, b"k", b"a", plain(2))):
            for members in ((member, both[0]), (both[0], member)):
                log = Writer()
                log.batch(*base, group(2), *members)
                self.refuse(DAMAGED, log, "other than VADDs of one object")
        log = Writer()
        log.batch(*base, group(2), both[0])
        self.refuse(DAMAGED, log, "longer than its batch")

    def test_group_on_a_missing_key(self):
        """The first member's config serves all of them; another member's never serves it."""
        added = config(1, L2, origin=VADD_MADE)
        first = vadd(0, b"k", b"a", plain(1), settings=added)
        bare = vadd(0, b"k", b"b", plain(2))

        def with_config(**options):
            return vadd(0, b"k", b"b", plain(2), settings=config(1, **options))

        cases = [
            ((first,), True), ((first, bare), True), ((first, bare, bare), True),
            ((bare,), False), ((bare, first), False), ((bare, bare), False),
            ((first, with_config(origin=VADD_MADE)), True),
            ((first, with_config(origin=VCREATE_MADE, m=17, quantisation=1)), True),
            ((first, with_config(origin=VADD_MADE, metric=COSINE)), True),
            ((first, with_config(origin=VADD_MADE, m=17)), False),            # (d)
            ((first, with_config(origin=VADD_MADE, quantisation=1)), False),  # (c)
            ((first, vadd(0, b"k", b"b", plain(2, 3))), False),               # (e)
            ((first, vadd(0, b"k", b"b", plain(2, 3), settings=config(2))), False),
        ]
        for number, (members, applied) in enumerate(cases):
            with self.subTest(number):
                log, state = Writer(), Expected()
                log.batch(group(len(members)), *members)
                if applied:
                    state.made(0, b"k", added)
                    for member, element in zip(members, (b"a", b"b", b"b")):
                        state.put(0, b"k", element, 0, member.parts[2][1])
                log.seal(state)
                self.accept(log, state)

    def test_empty_batches_and_groups(self):
        for form in (0, 1):
            log = Writer()
            log.batch(form=form)
            self.refuse(DAMAGED, log, "an empty batch" if form == 0 else "a short batch")
        one = vadd(0, b"k", b"e", plain(1), settings=config(1))
        for elements in ((group(0),), (group(0), one), (one, group(0)), (one, group(1)),
                         (group(1), group(0), one), (one, group(0), one)):
            log = Writer()
            log.batch(*elements)
            self.refuse(DAMAGED, log, "group")

    def test_seals(self):
        state = Expected()
        one = (1, H(b"x"))
        cases = [({"root": H(b"x")}, DAMAGED), ({"sequence": 1}, DAMAGED),
                 ({"keyspace": one}, DAMAGED), ({"system": one}, DAMAGED),
                 ({"semantics": H(b"other")}, NEWER)]
        for wrong, code in cases:
            log = Writer()
            log.seal(state, **wrong)
            self.refuse(code, log)

    def test_newer_entries(self):
        body = create(0, b"k", config(1)).body
        payload = w.part(b"K", b"k")
        for code, kind, options in (
                (NEWER, 77, {}), (NEWER, 0, {}), (NEWER, 10, {}), (WHOLE, 77, {"flags": 2}),
                (WHOLE, 10, {"flags": 2}), (NEWER, 3, {"version": 2}), (NEWER, 3, {"flags": 4}),
                (NEWER, 77, {"flags": 6}), (NEWER, 3, {"frame_flags": 2}),
                (NEWER, 3, {"frame_flags": 1}), (WHOLE, 3, {}),
                (WHOLE, 3, {"flags": 1, "signature": bytes(64), "principal_sequence": 1})):
            with self.subTest(kind=kind, **options):
                log = Writer()
                log.raw_entry(kind, body, payload, **options)
                self.refuse(code, log)
        for settings in (config(1, metric=4), config(1, index=3), config(1, form=3),
                         config(1, quantisation=3)):
            log = Writer()
            log.alone(create(0, b"k", settings))
            self.refuse(NEWER, log)

    def test_malformed_entries(self):
        element = create(0, b"k", config(1))
        payload = w.part(b"K", b"k")
        body = element.body
        settings = config(1)
        long_name, long_attributes = bytes(65_537), b"x" * 65_537
        cases = [
            lambda log: log.raw_entry(3, body + b"x", payload),
            lambda log: log.raw_entry(3, body[:-1], payload),
            lambda log: log.raw_entry(3, body, payload + b"x"),
            lambda log: log.raw_entry(3, body, payload[:-1]),
            lambda log: log.raw_entry(3, body, w.part(b"K", b"l")),
            lambda log: log.raw_entry(3, body, w.part(b"R", b"k")),
            lambda log: log.raw_entry(3, body, b""),
            lambda log: log.raw_entry(3, body, payload, b"list"),
            lambda log: log.raw_entry(3, body, payload, sequence=1),
            lambda log: log.raw_entry(3, body, payload, frame_type=4),
            lambda log: log.raw_entry(3, body, payload, flags=2),
            lambda log: log.raw_entry(3, body, payload, principal_sequence=1),
            lambda log: log.raw_entry(3, body, payload, signature=bytes(64)),
            lambda log: log.alone(create(16, b"k", settings)),
            lambda log: log.alone(create(0, long_name, settings)),
            lambda log: log.alone(create(0, b"k", config(0))),
            lambda log: log.alone(create(0, b"k", config(65_537))),
            lambda log: log.alone(create(0, b"k", settings + b"x")),
            lambda log: log.alone(vadd(0, b"k", long_name, plain(1), settings=settings)),
            lambda log: log.alone(vadd(0, b"k", b"e", plain(1), long_attributes,
                                       settings=settings)),
            lambda log: log.alone(vadd(0, b"k", b"e", plain(1)[:-1], settings=settings)),
            lambda log: log.alone(vadd(0, b"k", b"e", plain(), settings=settings)),
            lambda log: log.alone(vadd(0, b"k", b"e", plain(1), fp32=bytes(8),
                                       settings=settings)),
            lambda log: log.batch(element, form=1),
            lambda log: log.raw_entry(2, bytes(5)),
            lambda log: log.raw_entry(2, bytes(5) + b"x"),
            lambda log: log.raw_entry(2, b"\x00" + w.u32(1)),
            lambda log: log.batch(w.Element(1, bytes(152))),
            lambda log: [log.alone(element), log.raw_entry(9, bytes(5), time=5)],
        ]
        for number, case in enumerate(cases):
            with self.subTest(number):
                log = Writer()
                case(log)
                self.refuse(DAMAGED, log)
        log = Writer()
        log.alone(create(0, b"k" * 65_536, settings))
        log.alone(vadd(0, b"k" * 65_536, b"e" * 65_536, plain(1), b"a" * 65_536))
        self.accept(log)

    def test_list_of_a_batch(self):
        elements = [vadd(0, b"k", b"%d" % number, plain(1), settings=config(1))
                    for number in range(500)]
        log = Writer()
        log.batch(*elements)
        self.accept(log)
        other = Writer()
        other.batch(*elements[:-1], elements[0])
        payload = b"".join(w.part(*each) for index, element in enumerate(elements)
                           for each in element.parts[index > 0:])
        listed = b"".join(bytes([element.kind]) + w.u32(len(element.body)) + element.body
                          for element in elements)
        forged = Writer()
        forged.raw_entry(2, other.entries[0][68:], payload, listed)
        self.refuse(DAMAGED, forged, "commits to")


class Files(DirectoryTest):
    """Files that are missing, doubled, swapped, foreign or of a later version."""

    def setUp(self):
        super().setUp()
        self.log, self.state = rich()
        self.files = self.log.files()
        self.names = sorted(name for name in self.files if name.endswith(".log"))

    def test_missing(self):
        for name in self.names:
            self.refuse(MISPLACED, {other: data for other, data in self.files.items()
                                    if other != name}, "is missing")
        self.refuse(MISPLACED, {"valori.head": self.files["valori.head"]})
        del self.files["valori.head"]
        self.assertEqual(self.verify(self.files)[0], WHOLE)

    def test_swapped_and_doubled(self):
        first, second, third = (self.files[name] for name in self.names)
        for files in (
                dict(zip(self.names, (second, first, third))),
                dict(zip(self.names, (first, third, second))),
                dict(zip(self.names, (first, second, second))),
                {**self.files, "valori-00000004.log": third},
                {**self.files, "valori-000000003.log": third}):
            self.refuse(MISPLACED, files)

    def test_foreign(self):
        other = Writer(log_id=b"one more log id.")
        other.entries = list(self.log.entries)
        other.segments = [b"", b"", b""]
        other.start_segment()
        foreign = bytes(other.segments[-1])
        self.refuse(MISPLACED, {**self.files, "valori-00000004.log": foreign}, "another log")
        other.head(generation=9)
        self.refuse(MISPLACED, {**self.files, "valori.head": other.head_bytes()}, "another log")

    def test_another_past(self):
        """A segment whose header is right but for the log root or the base."""
        for change in ("root", "entry", "base"):
            log, _ = rich()
            if change == "root":
                log.entries[3] += b"x"
            elif change == "entry":
                log.entries.append(b"x")
            else:
                log.entries.pop()
            log.start_segment()
            files = {**self.files, "valori-00000004.log": bytes(log.segments[-1])}
            self.refuse(DAMAGED if change == "entry" else MISPLACED, files)

    def test_base_of_the_first_segment(self):
        log = Writer()
        log.segments = []
        log.start_segment(base=1)
        self.refuse(MISPLACED, log, "0 is due")

    def test_head(self):
        self.log.head(generation=7, log_root=H(b"x"))
        self.refuse(MISPLACED, self.log, "another log root")
        log, _ = rich()
        log.entries.append(b"x")
        log.head(generation=7)
        self.refuse(DAMAGED, log)
        for durable in (0, 6, 7, 17):
            log, _ = rich()
            log.head(durable, generation=7)
            self.accept(log)

    def test_head_that_names_a_segment(self):
        """The log's end is clean and its entries are all there: only the number speaks."""
        for slots, code in (((3,), WHOLE), ((2, 3), WHOLE), ((1,), WHOLE), ((4,), MISPLACED),
                            ((4, 3), MISPLACED), ((3, 4), MISPLACED), ((1 << 63,), MISPLACED)):
            for durable in (0, 18):
                for tail in (b"", bytes(64), b"torn"):
                    log, _ = rich()
                    log.slots = [b"", b""]
                    for generation, segment in enumerate(slots, 1):
                        log.head(durable, generation, segment=segment)
                    log.segments[-1] += tail
                    self.refuse(code, log, "which is missing" if code else "")
        # A segment was lost that held no entry yet, or none that a slot knew.
        for lost_entries in (0, 1):
            log, _ = rich()
            log.start_segment()
            log.head(generation=6)
            for _ in range(lost_entries):
                log.alone(flush(0))
            files = log.files()
            del files["valori-00000004.log"]
            self.refuse(MISPLACED, files, "segment 4, which is missing")
        # Damage at the end is named first.
        name = self.names[-1]
        self.log.head(generation=6, segment=4)
        files = self.log.files()
        files[name] = files[name][:-8] + bytes(8)
        self.refuse(DAMAGED, files, "entry 17 is damaged or lost")

    def test_head_that_names_a_torn_creation(self):
        """The file is there, so none is missing; what a slot knows durable still must be."""
        for first in (True, False):
            for half in (b"", b"VALORILG", bytes(512), bytes(4096)):
                log = Writer() if first else rich()[0]
                if not first:
                    log.start_segment()
                log.slots = [b"", b""]
                newest = len(log.segments)
                log.segments[-1] = half
                log.head(segment=newest)
                self.assertTrue(self.accept(log).torn_creation)
                log.head(segment=newest + 1)
                self.refuse(MISPLACED, log, "which is missing")
                log.head(len(log.entries) + 1, segment=newest)
                self.refuse(DAMAGED, log, "durable")

    def test_reserved_bytes_of_a_head_slot(self):
        self.log.head(generation=6, segment=99, durable=99, zeros=b"\x01")
        files = self.log.files()
        code, found, text = self.verify(files)
        self.assertEqual((code, text, len(found.slots)), (WHOLE, "", 1))

    def test_future_version(self):
        self.log.head(generation=7, version=2)
        self.refuse(NEWER, self.log)
        log, _ = rich()
        log.start_segment(version=2)
        self.refuse(NEWER, log)

    def test_reserved_bytes_of_a_header(self):
        self.log.start_segment(zeros=b"\x01")
        self.log.alone(flush(0))
        self.refuse(DAMAGED, self.log)

    def test_kinds_of_files(self):
        save(self.directory, self.files)
        path = os.path.join(self.directory, self.names[2])
        for make in (lambda: os.mkfifo(path), lambda: os.symlink("/dev/null", path),
                     lambda: os.mkdir(path)):
            os.remove(path)
            make()
            with self.assertRaises(verify.Refusal) as caught:
                verify.Verifier(self.directory, w.SEMANTICS).run()
            self.assertEqual(caught.exception.code, UNSAFE)


def small(slots):
    """About two kilobytes of frames in two segments. `slots`: how far the head slots know it."""
    log = Writer()
    log.alone(create(0, b"k", config(1)))
    log.alone(vadd(0, b"k", b"e", plain(3), b"{}", 4))
    log.mark()
    log.alone(vrem(0, b"k", b"e"))
    log.mark()
    log.start_segment()
    log.alone(vadd(0, b"k", b"f", plain(5), fp32=bytes(4)))
    log.alone(settag(0, b"k", b"f", 1))
    log.mark()
    log.alone(flush(2))
    log.alone(delete(0, b"k"))
    for generation, durable in enumerate(slots, 1):
        log.head(durable, generation)
    return log


class Mutations(DirectoryTest):
    """Every bit flipped, every cut made: each outcome is known beforehand (section 3.1)."""

    def known_durable(self, log, frame):
        """Is there evidence that the sequence due at `frame` was acknowledged?"""
        after = any(other.segment == frame.segment and other.start > frame.start
                    and other.durable > frame.sequence for other in log.frames)
        return (after or frame.segment < len(log.segments) - 1
                or self.slot_durable > frame.sequence)

    def expected(self, log, segment, offset):
        """(exit code, entries) when the byte at `offset` of a segment is wrong."""
        last = segment == len(log.segments) - 1
        if offset < 512:
            frames_follow = len(log.segments[segment]) > 512
            return (DAMAGED, None) if not last or frames_follow else (WHOLE, len(log.entries))
        frame = next(frame for frame in log.frames
                     if frame.segment == segment and frame.start <= offset < frame.end)
        if self.known_durable(log, frame):
            return DAMAGED, None
        return WHOLE, frame.sequence

    def flip_everything(self, log):
        """How many flips led to which exit code."""
        files = log.files()
        names = sorted(name for name in files if name.endswith(".log"))
        outcomes = {}
        for segment, name in enumerate(names):
            data = bytearray(files[name])
            for offset in range(len(data)):
                code, entries = self.expected(log, segment, offset)
                for bit in range(8):
                    data[offset] ^= 1 << bit
                    got, found, text = self.verify({**files, name: bytes(data)})
                    data[offset] ^= 1 << bit
                    self.assertEqual(got, code, (name, offset, bit, text))
                    if code == WHOLE:
                        self.assertEqual(found.tree.size, entries, (name, offset, bit))
                        self.assertTrue(found.torn_bytes or found.torn_creation)
                    outcomes[code] = outcomes.get(code, 0) + 1
        return outcomes

    def flip_log(self, slots):
        log = small(slots)
        self.slot_durable = max(slots, default=0)
        self.accept(log)
        outcomes = self.flip_everything(log)
        size = sum(len(segment) for segment in log.segments)
        self.assertEqual(sum(outcomes.values()), 8 * size)
        return outcomes

    def test_every_bit_without_head_slots(self):
        outcomes = self.flip_log(())
        self.assertEqual(set(outcomes), {WHOLE, DAMAGED})

    def test_every_bit_with_full_head_slots(self):
        self.assertEqual(set(self.flip_log((5, 7))), {DAMAGED})

    def test_every_bit_of_the_head_slots(self):
        log = small((5, 7))
        files = log.files()
        head = bytearray(files["valori.head"])
        for offset in range(len(head)):
            for bit in range(8):
                head[offset] ^= 1 << bit
                got, found, _ = self.verify({**files, "valori.head": bytes(head)})
                head[offset] ^= 1 << bit
                self.assertEqual((got, found.tree.size, len(found.slots)), (WHOLE, 7, 1))

    def test_every_bit_of_a_fresh_segment(self):
        log = Writer()
        log.alone(create(0, b"k", config(1)))
        log.start_segment()
        self.slot_durable = 0
        outcomes = self.flip_everything(log)
        self.assertEqual(outcomes[WHOLE], 8 * 512)

    def cut_everywhere(self, slots):
        log = small(slots)
        self.slot_durable = max(slots, default=0)
        files = log.files()
        names = sorted(name for name in files if name.endswith(".log"))
        for segment, name in enumerate(names):
            last = segment == len(names) - 1
            for length in range(len(files[name])):
                got, found, text = self.verify({**files, name: files[name][:length]})
                before = sum(frame.is_entry for frame in log.frames
                             if frame.segment < segment
                             or frame.segment == segment and frame.end <= length)
                at_border = length == 512 or any(
                    frame.segment == segment and frame.end == length for frame in log.frames)
                if last:
                    code = DAMAGED if self.slot_durable > before else WHOLE
                else:  # only a mark at the end of a closed segment may be gone as a whole
                    code = WHOLE if at_border and before == 3 else DAMAGED
                self.assertEqual(got, code, (name, length, text))
                if got == WHOLE:
                    self.assertEqual(found.tree.size, before if last else len(log.entries))

    def test_every_cut(self):
        for slots in ((), (3, 5), (7, 5)):
            self.cut_everywhere(slots)

    def test_bytes_after_the_end_of_a_closed_segment(self):
        """Whatever they are: zeros, noise, a piece of a frame, a whole frame of another place."""
        name = "valori-00000001.log"
        for slots in ((), (3,), (7,)):
            log = small(slots)
            files = log.files()
            marks = [frame for frame in log.frames if frame.segment == 0 and not frame.is_entry]
            stale = files[name][marks[0].start:marks[0].end]
            for tail in (b"\0", bytes(8), bytes(512), bytes(65_536), b"x", b"\0" * 16 + b"x",
                         b"VFRM", bytes(8) + b"VFRM", stale):
                self.refuse(DAMAGED, {**files, name: files[name] + tail}, "a later segment")
        # Another mark in its place is no such tail: the segment ends with it.
        log = Writer()
        log.alone(flush(0))
        log.mark()
        log.mark()
        log.start_segment()
        self.assertEqual(self.accept(log).marks, 2)
        # A torn creation is no successor.
        self.refuse(WHOLE, {name: bytes(log.segments[0]) + bytes(64), "valori-00000002.log": b""})

    def test_frames_that_are_not_self_valid(self):
        """Right checks, but fields that cannot be: a bad frame, and no evidence of anything."""
        bad = {
            "durable above sequence": {"kind": 1, "entry_type": 9, "durable": 2},
            "durable far above": {"kind": 1, "entry_type": 9, "durable": (1 << 64) - 1},
            "mark, durable above sequence": {"kind": 2, "durable": 2},
            "mark with flag 0": {"kind": 2, "flags": 1},
            "mark with a type": {"kind": 2, "entry_type": 9},
            "mark with an entry": {"kind": 2, "entry": bytes(8)},
            "mark with a list": {"kind": 2, "listed": bytes(8)},
            "mark with a payload": {"kind": 2, "payload": bytes(8)},
        }
        for words, fields in bad.items():
            for with_entry in (False, True):
                with self.subTest(words, with_entry=with_entry):
                    log = Writer()
                    log.alone(flush(0))
                    entry = Writer()
                    entry.entries = list(log.entries)
                    entry.alone(flush(0))
                    if fields["kind"] == 1:
                        fields = {**fields, "entry": entry.entries[1]}
                    log.frame(**fields)
                    if with_entry:  # a good frame behind it, which knows of nothing durable
                        log.alone(flush(0))
                        log.entries.pop()
                    code, found, text = self.verify(log.files())
                    self.assertEqual((code, text), (WHOLE, ""))
                    self.assertEqual(found.tree.size, 1)
                    used = len(log.segments[0].rstrip(b"\0")) - log.frames[1].start
                    self.assertEqual(found.torn_bytes, used)
                    # With evidence it is damage, in the middle or at the end.
                    log.head(2, log_root=H(b"x"))
                    self.refuse(DAMAGED, log, "entry 1 is damaged or lost")
                    log.slots = [b"", b""]
                    log.start_segment()
                    self.refuse(DAMAGED, log, "a later segment exists")
        # The same frames with possible fields are good.
        log = Writer()
        log.alone(flush(0))
        log.frame(kind=2, durable=1)
        log.frame(kind=2, durable=0)
        log.frame(kind=1, entry_type=9, durable=1, entry=entry.entries[1])
        log.entries.append(entry.entries[1])
        self.assertEqual(self.accept(log).tree.size, 2)

    def test_frames_of_a_newer_format(self):
        """Another kind or other flags, all checks right, where a frame is due or behind it."""
        body, payload = create(0, b"k", config(1)).body, w.part(b"K", b"k")
        for fields in ({"kind": 0}, {"kind": 3}, {"kind": 255}, {"kind": 3, "flags": 2},
                       {"kind": 3, "entry_type": 1, "flags": 1, "entry": b"entry",
                        "listed": b"list", "payload": b"payload"},
                       {"kind": 1, "flags": 2}, {"kind": 1, "flags": 3},
                       {"kind": 1, "flags": 1 << 15}, {"kind": 1, "flags": 2, "sequence": 9},
                       {"kind": 2, "flags": 2}, {"kind": 2, "flags": 1 << 15}):
            with self.subTest(**fields):
                for closed in (False, True):
                    log = Writer()
                    log.alone(flush(0))
                    log.frame(**fields)
                    if closed:
                        log.start_segment()
                    self.refuse(NEWER, log, "of kind" if fields["kind"] not in (1, 2) else "with flags")
                # The header's check is what counts; without it this is no frame at all.
                log = Writer()
                log.alone(flush(0))
                log.frame(**fields)
                for offset in (6, 40, 48):
                    segment = bytearray(log.segments[0])
                    segment[log.frames[1].start + offset] ^= 1
                    got, found, _ = self.verify({"valori-00000001.log": bytes(segment)})
                    self.assertEqual((got, found.tree.size), (WHOLE, 1))
        for flags in (1, 2, 4, 1 << 15):
            log = Writer()
            log.raw_entry(3, body, payload, frame_flags=flags)
            self.refuse(NEWER, log)
        log = Writer()
        log.raw_entry(3, body, frame_flags=1)
        self.refuse(NEWER, log, "erased")

    def test_bytes_after_the_end(self):
        for slots in ((), (7,)):
            for tail in (b"x", b"\0" * 16 + b"x", b"VFRM", b"VFRM" * 100, bytes(8) + b"VFRM"):
                log = small(slots)
                files = log.files()
                files["valori-00000002.log"] += tail
                got, found, _ = self.verify(files)
                self.assertEqual((got, found.tree.size), (WHOLE, 7))
                self.assertEqual(found.torn_bytes, len(tail))

    def test_lost_frame(self):
        """A hole of zeros, or the next frame in its place."""
        log = small(())
        files = log.files()
        name = "valori-00000002.log"
        for frame in log.frames:
            if frame.segment != 1:
                continue
            data = files[name]
            hole = data[:frame.start] + bytes(frame.end - frame.start) + data[frame.end:]
            gone = data[:frame.start] + data[frame.end:]
            rest = [other for other in log.frames
                    if other.segment == 1 and other.start > frame.start]
            known = any(other.durable > frame.sequence for other in rest)
            self.assertEqual(self.verify({**files, name: hole})[0],
                             DAMAGED if known else WHOLE)
            if frame.is_entry:
                got, found, _ = self.verify({**files, name: gone})
                self.assertEqual(got, DAMAGED if known else WHOLE)
                if not known:
                    self.assertEqual(found.tree.size, frame.sequence)


class Command(DirectoryTest):
    def run_program(self, *arguments):
        done = subprocess.run([sys.executable, str(PROGRAM), *arguments], capture_output=True,
                              text=True)
        return done.returncode, done.stdout, done.stderr

    def test_reports(self):
        log, state = rich()
        save(self.directory, log.files())
        semantics = "--semantics=" + w.SEMANTICS.hex()
        code, out, _ = self.run_program("--json", "--content", "--state", semantics,
                                        self.directory)
        report = json.loads(out)
        self.assertEqual((code, report["exit"]), (WHOLE, WHOLE))
        self.assertEqual(report["log_root"], log.log_root().hex())
        self.assertEqual(report["state_root"], state.root().hex())
        self.assertEqual(report["content_root"], state.root(True).hex())
        self.assertEqual((report["entries"], report["keys"], report["records"]), (18, 1, 2))
        self.assertEqual([record["element"] for record in report["state"][0]["records"]],
                         ["a", "b"])
        code, out, _ = self.run_program("--state", semantics, self.directory)
        self.assertEqual(code, WHOLE)
        self.assertIn(f"state root  {state.root().hex()}\n", out)
        self.assertEqual(len(out.splitlines()), 8 + 3)

    def test_progress(self):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        log, state = rich()
        save(self.directory, log.files())
        for stream, expected in ((Terminal(), True), (io.StringIO(), False)):
            found = verify.Verifier(self.directory, w.SEMANTICS)
            seconds = itertools.count()
            with verify.Progress(stream, lambda: next(seconds)) as found.progress:
                found.run()
            self.assertEqual(found.tree.root(), log.log_root())
            said = stream.getvalue()
            self.assertEqual(bool(said), expected)
            if expected:
                self.assertIn("\rvalori-00000003.log 100%, 18 entries", said)
                self.assertTrue(said.endswith("\r\x1b[K"))

    def test_exit_codes(self):
        save(self.directory, rich()[0].files())
        code, out, errors = self.run_program("--json", self.directory)
        self.assertEqual((code, json.loads(out)["exit"]), (NEWER, NEWER))
        self.assertIn("semantics", errors)
        self.assertEqual(self.run_program("--no-such-option", self.directory)[0], UNSAFE)
        self.assertEqual(self.run_program(self.directory + "/absent")[0], 74)

    def test_compare(self):
        log = Writer()
        log.alone(create(0, b"k", config(1)))
        save(self.directory, log.files())
        compare = Path(__file__).resolve().parent / "compare"
        for arguments, code in (([], 0), (["--exit", "3"], 1), (["--root", "00" * 32], 1)):
            done = subprocess.run([sys.executable, str(compare), *arguments, self.directory],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, code)
