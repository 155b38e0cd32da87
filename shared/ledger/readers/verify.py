#!/usr/bin/env python3
"""Checks the folder of one log: python verify.py [FOLDER] [--vkey FILE]. Needs Python 3.9 and its package `cryptography`.

Ends with 0 when everything holds, 1 when something does not, 2 when it could not be checked. Nothing here is shared with the program
that wrote the log. The formats: docs/ledger-format.md, RFC 6962 section 2.1, c2sp.org/signed-note, c2sp.org/tlog-tiles.
Trust the key in --vkey, from elsewhere: whoever can change the files can change log.vkey beside them.
"""
import argparse, base64, hashlib, json, pathlib, re, sys
try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.exit(print("NOT CHECKED: the Python package `cryptography` is needed") or 2)

class Fault(Exception): pass

def need(holds, file, what):
    if not holds: raise Fault(f"{file}: {what}")

def sha256(*parts): return hashlib.sha256(b"".join(parts)).digest()

class Tree:                                    # RFC 6962: the roots of the full subtrees so far, largest first
    def __init__(self, hashes=()):
        self.peaks = []
        for h in hashes: self.add(h)
    def add(self, h, height=0):
        while self.peaks and self.peaks[-1][0] == height:
            h, height = sha256(b"\x01", self.peaks.pop()[1], h), height + 1
        self.peaks.append((height, h))
    def root(self):
        h = self.peaks[-1][1]
        for _, left in self.peaks[-2::-1]: h = sha256(b"\x01", left, h)
        return h

def unbase64(text):                            # one spelling only
    raw = base64.b64decode(text, validate=True)
    return raw if base64.b64encode(raw).decode() == text else b""

def read_key(line):                            # name+hash+base64(01 key) -> name, hash, key
    name, given, key = line.split("+", 2)
    raw = unbase64(key)
    need(len(raw) == 33 and raw[0] == 1 and given == sha256(name.encode(), b"\n", raw)[:4].hex(), "the key", f"bad: {line}")
    return name, bytes.fromhex(given), raw[1:]

def check_note(file, name, key_hash, key, size, root):
    text, _, lines = file.read_bytes().decode().rpartition("\n\n")
    need(text + "\n" == f"{name}\n{size}\n{base64.b64encode(root).decode()}\n", file, "not the size or root of the entries, or another log")
    need(lines.endswith("\n"), file, "the last line is not ended")
    for line in lines[:-1].split("\n"):        # lines of witnesses may stand beside the log's own
        dash, signer, signature = line.split(" ")
        raw = unbase64(signature)
        if (dash, signer, raw[:4]) == ("\u2014", name, key_hash):
            try: return Ed25519PublicKey.from_public_bytes(key).verify(raw[4:], (text + "\n").encode())
            except InvalidSignature: break
    need(False, file, "not signed with the key")

def refuse(_): raise ValueError("a number that is no integer")

def check_entry(where, line, origin, seq, prev, at, day):
    entry = json.loads(line, parse_float=refuse, parse_constant=refuse)
    again = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    need(again == line, where, "not in its one spelling")
    need(repr(entry["v"]) == "1", where, "of a format that this program does not know")
    need(repr(entry["seq"]) == str(seq), where, f"it says it is entry {entry['seq']}")
    need(entry["prev"] == prev.hex(), where, "`prev` is not the hash of the entry before")
    need([entry["mode"], entry["account"], repr(entry["lane"])] == origin, where, "an entry of another log")
    need(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", entry["at"]), where, "no time")
    need(entry["at"] >= at, where, "earlier than the one before")
    need(entry["at"][:10] == day, where, "in the file of another day")
    return entry["at"]

def tile_name(kind, number):                   # 1234067 is x001/x234/067
    digits = str(number).zfill(-(-len(str(number)) // 3) * 3)
    groups = re.findall("...", digits)
    return f"tile/{kind}/" + "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]

def check_tiles(folder, entries, leaves):
    rows_of, level = {"entries": [len(entry).to_bytes(2, "big") + entry for entry in entries], "0": leaves}, leaves
    while len(level) >= 256:                   # each full tile is one hash of the level above
        level = [Tree(level[i:i + 256]).root() for i in range(0, len(level) - 255, 256)]
        rows_of[str(len(rows_of) - 1)] = level
    tiles = {tile_name(kind, i // 256): rows[i:i + 256] for kind, rows in rows_of.items() for i in range(0, len(rows), 256)}
    files = sorted(file for file in (folder / "tile").rglob("*") if file.is_file())
    for file in files:
        name, _, width = file.relative_to(folder).as_posix().partition(".p/")
        rows, count = tiles.get(name, []), int(width or 256)
        need(width in ("", str(count)) and 0 < count <= len(rows) and (count < 256 or not width), file, "no tile of these entries has this name")
        need(file.read_bytes() == b"".join(rows[:count]), file, "not what the entries make")
    for name, rows in tiles.items():           # partial ones may be gone: they expire
        need(not files or len(rows) < 256 or (folder / name).is_file(), folder / name, "missing")
    return len(files)

def check(folder, vkey, done):
    own = (folder / "log.vkey").read_text()
    keys = vkey.read_text().splitlines() if vkey else [own.strip()]
    name, key_hash, key = read_key(own.strip())
    need(own.endswith("\n") and own.strip() in keys, folder / "log.vkey", "not a trusted key")
    origin, tree, leaves, entries = name.split("/")[-3:], Tree(), [], []
    seq, prev, at, newest = 0, bytes(32), "", folder / "checkpoint"
    done["log"] = name
    notes = set((folder / "checkpoints").glob("*.note"))
    for file in sorted((folder / "entries").glob("*/*"), key=lambda f: f.name):
        data = file.read_bytes()
        need(data.endswith(b"\n"), file, "the last line is not ended")
        for line in data[:-1].split(b"\n"):
            at = check_entry(f"{file}: entry {seq}", line, origin, seq, prev, at, file.parent.name[3:])
            prev, seq, done["entries"] = sha256(b"\x00", line), seq + 1, seq + 1
            leaves.append(prev), entries.append(line), tree.add(prev)
        first = seq - data.count(b"\n")
        need(file.name == f"{first:020}-{seq - 1:020}.ndjson", file, "not the entries that its name promises")
        note = folder / "checkpoints" / f"{seq:020}.note"
        check_note(note, name, key_hash, key, seq, tree.root())
        notes.discard(note)
        done["checkpoints"], done["newest entry"] = done.get("checkpoints", 0) + 1, at
    need(not notes, min(notes, default=""), "a checkpoint without its entries")
    if newest.exists():
        need(seq > 0, newest, "a checkpoint without its entries")
        check_note(newest, name, key_hash, key, seq, tree.root())
    done["tiles and bundles"] = check_tiles(folder, entries, leaves)
    return seq

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Checks the folder of one log.")
    parser.add_argument("folder", nargs="?", default=".", type=pathlib.Path)
    parser.add_argument("--vkey", type=pathlib.Path, help="the key, or a file of keys, that you have from elsewhere")
    arguments, done = parser.parse_args(), {}
    if not (arguments.folder / "log.vkey").is_file() or arguments.vkey and not arguments.vkey.is_file():
        sys.exit(print("NOT CHECKED: no folder of a log, or no key") or 2)
    try:
        entries = check(arguments.folder, arguments.vkey, done)
        verdict, code = ("PASS", 0) if entries else ("NOT CHECKED: no entries", 2)
    except Fault as fault:
        verdict, code = f"FAIL: {fault}", 1
    except Exception as error:                 # a file that is missing or not of its form at all
        verdict, code = f"FAIL: after {done.get('entries', 0)} entries: {error!r}", 1
    print(verdict)
    for what, value in done.items(): print(f"  {what}: {value}")
    if not arguments.vkey: print("  the key is the one in the folder: compare it with one you have from elsewhere (--vkey)")
    sys.exit(code)
