"""Three readers of an exported ledger that share no code with Axiru, on true copies and on spoiled ones.

    python readers.py EXPORT SUMDB VERIFY BY_HAND

EXPORT is a folder that holds `v1/`; SUMDB the built program of shared/ledger/readers/sumdb; VERIFY and BY_HAND are verify.py and
by-hand.sh. Every log must pass. Then the largest log is spoiled in many ways, one at a time: whoever can see a change must refuse it,
and whoever cannot must not pretend to. Prints what refused what; exits with 1 if it is not as written here. Needs `cryptography`.
"""

import base64
import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

READERS = ("sumdb", "verify.py", "by hand")


class Failure(Exception):
    """A reader did not say what it must."""


class Log:
    """A copy of one log's folder, to be spoiled."""

    def __init__(self, folder):
        self.folder = folder
        self.name = (folder / "log.vkey").read_text().split("+")[0]

    def segments(self):
        return sorted(self.folder.glob("entries/*/*.ndjson"), key=lambda file: file.name)

    def notes(self):
        return sorted(self.folder.glob("checkpoints/*.note"))

    def size(self):
        return int(self.segments()[-1].stem.split("-")[1]) + 1 if self.segments() else 0

    def segment(self):
        """One in the middle, of at least three lines where there is one."""
        long = [file for file in self.segments() if file.read_bytes().count(b"\n") >= 3]
        return (long or self.segments())[len(long or self.segments()) // 2]

    def tile(self, kind, first, count):
        """The tile of `count` rows from row `first` of a level, or the bundle."""
        digits = str(first // 256)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        name = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
        return self.folder / f"tile/{kind}/{name}{'' if count == 256 else f'.p/{count}'}"

    def newest_tile(self, kind):
        last = self.size() - 1
        return self.tile(kind, last - last % 256, last % 256 + 1)


def flip(file, at):
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def signed_by(key, name, text):
    """A note as `key` signs it under that name, and the key as it is written."""
    public = b"\x01" + key.public_key().public_bytes_raw()
    identity = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
    line = base64.b64encode(identity + key.sign(text.encode())).decode()
    vkey = f"{name}+{identity.hex()}+{base64.b64encode(public).decode()}"
    return f"{text}\n\u2014 {name} {line}\n", vkey


# The changes. Each spoils a copy; what it returns is the segment to check by hand.


def entry_in_segment(log):
    file = log.segment()
    flip(file, file.read_bytes().index(b"\n") // 2)
    return file


def entry_in_bundle(log):
    file = log.newest_tile("entries")
    flip(file, file.stat().st_size // 2)


def hash_in_full_tile(log):
    flip(log.tile("0", 0, 256), 1000)


def hash_in_partial_tile(log):
    flip(log.newest_tile("0"), 7)


def hash_in_upper_tile(log):
    flip(log.tile("1", 0, log.size() // 256), 7)


def append(file, data):
    file.write_bytes(file.read_bytes() + data)


def byte_behind_tile(log):
    append(log.newest_tile("0"), b"\0")


def byte_behind_bundle(log):
    append(log.newest_tile("entries"), b"\0")


def dropped_line(log):
    file = log.segment()
    lines = file.read_bytes().splitlines(keepends=True)
    del lines[1]
    file.write_bytes(b"".join(lines))
    return file


def swapped_lines(log):
    file = log.segment()
    lines = file.read_bytes().splitlines(keepends=True)
    lines[0], lines[1] = lines[1], lines[0]
    file.write_bytes(b"".join(lines))
    return file


def dropped_from_bundle(log):
    file = log.newest_tile("entries")
    data = file.read_bytes()
    file.write_bytes(data[2 + int.from_bytes(data[:2], "big") :])


def missing_tile(log):
    log.tile("0", 0, 256).unlink()


def missing_segment(log):
    log.segment().unlink()


def unended(file):
    file.write_bytes(file.read_bytes()[:-1])


def unended_note(log):
    unended(log.folder / "checkpoint")
    unended(log.notes()[-1])


def tile_of_another_name(log):
    shutil.copy(log.tile("0", 0, 256), log.folder / "tile/0/0000")


def foreign_signature(log):
    for file in (log.folder / "checkpoint", log.notes()[-1]):
        text = file.read_text().partition("\n\n")[0] + "\n"
        file.write_text(signed_by(Ed25519PrivateKey.generate(), log.name, text)[0])


def foreign_key(log):
    key = Ed25519PrivateKey.generate()
    for file in (log.folder / "checkpoint", *log.notes()):
        note, vkey = signed_by(key, log.name, file.read_text().partition("\n\n")[0] + "\n")
        file.write_text(note)
    (log.folder / "log.vkey").write_text(vkey + "\n")


def root_of_newest(log):
    for file in (log.folder / "checkpoint", log.notes()[-1]):
        lines = file.read_text().split("\n")
        lines[2] = base64.b64encode(bytes(32)).decode()
        file.write_text("\n".join(lines))


def older_checkpoint(log):
    shutil.copy(log.notes()[-2], log.folder / "checkpoint")


def rollback(log):
    """All that was written behind an older checkpoint is gone: a true copy of that day."""
    note = log.notes()[-2]
    size = int(note.stem)
    log.notes()[-1].unlink()
    shutil.copy(note, log.folder / "checkpoint")
    for file in log.segments():
        if int(file.stem.split("-")[0]) >= size:
            file.unlink()
    for file in list(log.folder.glob("tile/**/*")):
        if file.is_file():
            name, _, width = file.relative_to(log.folder / "tile").as_posix().partition(".p/")
            kind, *groups = name.split("/")
            first = int("".join(groups).replace("x", "")) * 256
            rows = size if kind == "entries" else size >> 8 * int(kind)
            if first + int(width or 256) > rows:
                file.unlink()


# What is changed, by what, who must see it, and how many entries it takes.
CHANGES = [
    ("an entry's byte in a segment", entry_in_segment, {"verify.py", "by hand"}, 3),
    ("a line dropped from a segment", dropped_line, {"verify.py", "by hand"}, 3),
    ("two lines of a segment swapped", swapped_lines, {"verify.py", "by hand"}, 3),
    ("a segment missing", missing_segment, {"verify.py"}, 1),
    ("an entry's byte in a bundle", entry_in_bundle, {"sumdb", "verify.py"}, 1),
    ("an entry dropped from a bundle", dropped_from_bundle, {"sumdb", "verify.py"}, 1),
    ("a byte behind a bundle", byte_behind_bundle, {"sumdb", "verify.py"}, 1),
    ("a hash's byte in a full tile", hash_in_full_tile, {"sumdb", "verify.py"}, 256),
    ("a hash's byte in a partial tile", hash_in_partial_tile, {"sumdb", "verify.py"}, 1),
    ("a hash's byte in a tile of level 1", hash_in_upper_tile, {"sumdb", "verify.py"}, 256),
    ("a byte behind a tile", byte_behind_tile, {"sumdb", "verify.py"}, 1),
    ("a full tile missing", missing_tile, {"sumdb", "verify.py"}, 256),
    ("a tile under a name that none has", tile_of_another_name, {"verify.py"}, 256),
    ("newest checkpoint: not ended", unended_note, {"sumdb", "verify.py"}, 1),
    ("newest checkpoint: another root", root_of_newest, {"sumdb", "verify.py"}, 1),
    ("newest checkpoint: foreign signature", foreign_signature, {"sumdb", "verify.py"}, 1),
    ("all checkpoints and log.vkey: foreign key", foreign_key, {"sumdb", "verify.py"}, 1),
    ("an older checkpoint as the newest", older_checkpoint, {"verify.py"}, 200),
    ("a true copy of an earlier day", rollback, set(), 200),
]


class Trial:
    """The readers, and the keys that are trusted."""

    def __init__(self, sumdb, verify, by_hand, keys):
        self.sumdb, self.verify, self.by_hand, self.keys = sumdb, verify, by_hand, keys

    def ask(self, reader, log, segment):
        """True when the reader passes it, False when it refuses it, None when it has nothing to check."""
        commands = {
            "sumdb": [self.sumdb, log.folder, self.keys],
            "verify.py": [sys.executable, "-B", self.verify, log.folder, "--vkey", self.keys],
            "by hand": ["sh", self.by_hand, segment],
        }
        if segment is None and reader == "by hand":
            return None
        done = subprocess.run(commands[reader], capture_output=True, text=True, timeout=300)
        said = {0: "PASS", 1: "FAIL", 2: "NOT CHECKED"}.get(done.returncode)
        output = done.stdout + done.stderr
        if said is None or not output.startswith(said):
            raise Failure(f"{reader} on {log.name} ended with {done.returncode} and said: {output.strip()}")
        return {0: True, 1: False, 2: None}[done.returncode]


def every_log_passes(trial, logs):
    entries = 0
    for log in logs:
        segments = log.segments()
        for reader in READERS:
            found = trial.ask(reader, log, segments[-1] if segments else None)
            if found is not (True if segments else None):
                raise Failure(f"{reader} does not pass {log.name}")
        entries += log.size()
    print(f"    {len(logs)} logs of {', '.join(str(log.size()) for log in logs)} entries pass with all readers")


def every_change_is_seen(trial, log):
    width = max(len(change) for change, *_ in CHANGES)
    print(f"    {log.name}, {log.size()} entries:")
    print(f"    {'':{width}}  " + "  ".join(f"{reader:9}" for reader in READERS))
    wrong = []
    for change, spoil, seen_by, least in CHANGES:
        if log.size() < least:
            print(f"    {change:{width}}  needs {least} entries")
            continue
        with tempfile.TemporaryDirectory() as folder:
            copy = Log(pathlib.Path(shutil.copytree(log.folder, pathlib.Path(folder) / "log")))
            segment = spoil(copy) or copy.segment()
            found = {reader: trial.ask(reader, copy, segment) for reader in READERS}
        refused = {reader for reader, passed in found.items() if not passed}
        cells = ["refused" if reader in refused else "-" for reader in READERS]
        print(f"    {change:{width}}  " + "  ".join(f"{cell:9}" for cell in cells))
        if refused != seen_by:
            wrong.append(change)
    if wrong:
        raise Failure(f"not seen by whom it must, or by whom it cannot: {'; '.join(wrong)}")


def every_file_counts(trial, log):
    """A flipped bit in any file of the record is seen by verify.py."""
    chance = random.Random(1)
    files = [
        file.relative_to(log.folder)
        for pattern in ("log.vkey", "checkpoint", "checkpoints/*", "entries/*/*", "tile/**/*")
        for file in sorted(log.folder.glob(pattern))
        if file.is_file()
    ]
    with tempfile.TemporaryDirectory() as folder:
        copy = Log(pathlib.Path(shutil.copytree(log.folder, pathlib.Path(folder) / "log")))
        for name in files:
            file = copy.folder / name
            before = file.read_bytes()
            data = bytearray(before)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            file.write_bytes(data)
            if trial.ask("verify.py", copy, None) is not False:
                raise Failure(f"verify.py passes {log.name} with a flipped bit in {name}")
            file.write_bytes(before)
    print(f"    a flipped bit in any of the {len(files)} files of {log.name} ({log.size()} entries) is refused by verify.py")


def leaf(line):
    return hashlib.sha256(b"\0" + line).digest()


def root_of(leaves):
    """Pairs, level by level; a lone one goes up as it is. Not how anybody else here computes it."""
    while len(leaves) > 1:
        pairs = [leaves[i : i + 2] for i in range(0, len(leaves), 2)]
        leaves = [hashlib.sha256(b"\1" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return leaves[0]


def write_log(folder, change):
    """A log of six entries in two segments, changed before it is chained and signed: what only whoever holds the key can make."""
    name, key = "axiru.sample/ledger/live/acct_a/1", Ed25519PrivateKey.generate()
    entries = [
        {"account": "acct_a", "at": f"2026-10-31T0{i}:00:00.000Z", "lane": 1, "mode": "live", "prev": "0" * 64, "seq": i, "v": 1}
        for i in range(6)
    ]
    change(entries)
    lines, prev = [], bytes(32)
    for entry in entries:
        if entry["prev"] == "0" * 64:
            entry["prev"] = prev.hex()
        raw = entry.pop("raw", lambda line: line)
        lines.append(raw(json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()))
        prev = leaf(lines[-1])
    for first, last in ((0, 3), (4, 5)):
        segment = folder / f"entries/dt=2026-10-31/{first:020}-{last:020}.ndjson"
        segment.parent.mkdir(parents=True, exist_ok=True)
        segment.write_bytes(b"".join(line + b"\n" for line in lines[first : last + 1]))
        root = base64.b64encode(root_of([leaf(line) for line in lines[: last + 1]])).decode()
        note, vkey = signed_by(key, name, f"{name}\n{last + 1}\n{root}\n")
        for file in (folder / f"checkpoints/{last + 1:020}.note", folder / "checkpoint"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(note)
    (folder / "log.vkey").write_text(vkey + "\n")


def at(number, **fields):
    """Sets fields of one entry."""
    return lambda entries: entries[number].update(fields)


def replaced(old, new):
    return lambda line: line.replace(old, new)


# What is changed in entries before they are chained and signed.
UNTRUE = [
    ("a number that is not the next one", at(3, seq=4)),
    ("a number as text", at(3, seq="3")),
    ("a number with a fraction", at(3, raw=replaced(b'"seq":3', b'"seq":3.0'))),
    ("a `prev` of another entry", at(3, prev="1" * 64)),
    ("an entry of a test account", at(5, mode="test")),
    ("an entry of another account", at(5, account="acct_b")),
    ("an entry of another lane", at(5, lane=2)),
    ("a lane as text", at(5, lane="1")),
    ("a lane that is `true`", at(5, lane=True)),
    ("a time before the one before", at(5, at="2026-10-31T03:59:59.999Z")),
    ("a time of the next day", at(5, at="2026-11-01T00:00:00.000Z")),
    ("a time in another form", at(5, at="2026-10-31T05:00:00Z")),
    ("another format", at(5, v=2)),
    ("keys out of order", at(5, raw=lambda line: b'{"v":1,' + line[1:].replace(b',"v":1', b""))),
    ("a key twice", at(5, raw=replaced(b'"v":1}', b'"v":0,"v":1}'))),
    ("white space", at(5, raw=replaced(b'"v":1', b'"v": 1'))),
    ("an escape where none is needed", at(5, raw=replaced(b"live", b"liv\\u0065"))),
    ("not a number", at(5, raw=replaced(b'"v":1', b'"u":NaN,"v":1'))),
    ("brackets without end", at(5, raw=lambda line: b"[" * 100_000)),
    ("no JSON", at(5, raw=lambda line: line[:-1])),
    ("a missing field", lambda entries: entries[5].pop("mode")),
]

# The same, changed after it was signed.
AFTERWARDS = [
    ("a line more than the checkpoint says", lambda log: append(log.segments()[-1], b"{}\n")),
    ("a line that is not ended", lambda log: unended(log.segments()[-1])),
    ("a checkpoint without its entries", lambda log: log.segments()[-1].unlink()),
    ("nothing but the newest checkpoint", lambda log: [file.unlink() for file in [*log.segments(), *log.notes()]]),
    ("entries without a checkpoint", lambda log: log.notes()[0].unlink()),
    ("a segment named for an entry more", lambda log: log.segments()[-1].rename(log.segments()[-1].with_stem(f"{4:020}-{6:020}"))),
    ("a log.vkey without the key's own hash", lambda log: flip(log.folder / "log.vkey", len(log.name) + 1)),
]


def untrue_logs_are_refused(trial):
    def nothing(_):
        pass

    trials = [(None, nothing, nothing)]
    trials += [(what, change, nothing) for what, change in UNTRUE]
    trials += [(what, nothing, change) for what, change in AFTERWARDS]
    for what, before, afterwards in trials:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder) / "log"
            write_log(folder, before)
            afterwards(Log(folder))
            own = Trial(trial.sumdb, trial.verify, trial.by_hand, folder / "log.vkey")
            if own.ask("verify.py", Log(folder), None) is not (what is None):
                raise Failure(f"verify.py passes a signed log with {what}" if what else "verify.py refuses a true log")
    print(f"    {len(trials) - 1} logs signed with the right key that no true log is like are refused by verify.py")


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    export, *readers = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    logs = [Log(file.parent) for file in sorted(export.glob("v1/*/*/*/log.vkey"))]
    if not any(log.size() for log in logs):
        sys.exit(f"no log with entries below {export}")
    by_size = sorted((log for log in logs if log.size()), key=Log.size)
    with tempfile.TemporaryDirectory() as folder:
        keys = pathlib.Path(folder) / "keys"
        # Kept before anything is spoiled: the keys that the auditor has from elsewhere.
        keys.write_text("".join((log.folder / "log.vkey").read_text() for log in logs))
        trial = Trial(*readers, keys)
        try:
            every_log_passes(trial, logs)
            every_change_is_seen(trial, by_size[-1])
            untrue_logs_are_refused(trial)
            every_file_counts(trial, next((log for log in by_size if log.size() > 256), by_size[-1]))
        except Failure as failure:
            sys.exit(f"    {failure}")


if __name__ == "__main__":
    main()
