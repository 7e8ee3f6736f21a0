#!/usr/bin/env python3
"""Check the access log of your own health book. Needs Python 3.9 and nothing else; trust no server, read this file.

  python3 verify_access_log.py LOG.json --key KEY [--print] [--known OLD.txt --consistency PROOF.json]

LOG.json is what the query AccessLog answered (one answer, or a list of pages). KEY is the log's public key, which your
app pinned. OLD.txt is a checkpoint that you kept, PROOF.json the answer of /audit/consistency?from=OLD&to=NEW.
What is hashed: leaf = SHA-256(0x00, nonce, body); a body names the leaf of the line before; the leaves are a Merkle
tree (RFC 9162) whose head is a signed checkpoint (C2SP signed-note, Ed25519). A line's words must tell what its body
tells: who, at a facility or not, whether and how the book was viewed, and what for. The rest (which facility, which
change) --print shows beside the words, as it was hashed. Exit code 1: something is wrong; it says what.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
YOU = ("Bạn", "You")
WHO = {
    "OWNER": ("{name} (chủ sổ)", "{name} (the owner)"),
    "REPRESENTATIVE": ("{name} (người đại diện)", "{name} (representative)"),
    "PRACTITIONER": ("{name} (người hành nghề)", "{name} (practitioner)"),
    "FACILITY_SYSTEM": ("Hệ thống của cơ sở y tế", "A facility's system"),
    "SYSTEM": ("Sổ Khỏe", "Sổ Khỏe"),
}
AT = (" tại ", " at ")
VIEWED = {
    None: ("đã xem sổ sức khỏe{purpose}.", "viewed the health book{purpose}."),
    "PREVIEW": (
        "đã xem trước sổ sức khỏe như người được chia sẻ.",
        "previewed the health book as others would see it.",
    ),
    "EMERGENCY": ("đã xem sổ sức khỏe trong trường hợp khẩn cấp.", "viewed the health book in an emergency."),
}
PURPOSES = {
    "TREATMENT": (" để khám, chữa bệnh", " for treatment"),
    "REFERRAL": (" để chuyển tuyến", " for a referral"),
    "SECOND_OPINION": (" để hội chẩn, cho ý kiến thứ hai", " for a second opinion"),
    "EMERGENCY": (" để cấp cứu", " in an emergency"),
    "OTHER": (" với mục đích khác", " for another purpose"),
}


def sha(*parts: bytes) -> bytes:
    """Return SHA-256."""
    return hashlib.sha256(b"".join(parts)).digest()


def inclusion_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Recompute the root from a leaf. RFC 9162 §2.1.3.2."""
    fn, sn, root = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return None
        if fn % 2 or fn == sn:
            root = sha(b"\x01", sibling, root)
            while fn and not fn % 2:
                fn, sn = fn >> 1, sn >> 1
        else:
            root = sha(b"\x01", root, sibling)
        fn, sn = fn >> 1, sn >> 1
    return root if sn == 0 and index < size else None


def consistency_roots(old: int, new: int, path: list[bytes], old_root: bytes) -> tuple[bytes, bytes] | None:
    """Recompute the roots of the older and the newer tree. RFC 9162 §2.1.4.2."""
    if old == new and not path:
        return old_root, old_root
    if not 0 < old < new or not path:
        return None
    path = [old_root, *path] if old & (old - 1) == 0 else path
    fn, sn = old - 1, new - 1
    while fn % 2:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return None
        if fn % 2 or fn == sn:
            first, second = sha(b"\x01", sibling, first), sha(b"\x01", sibling, second)
            while fn and not fn % 2:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = sha(b"\x01", second, sibling)
        fn, sn = fn >> 1, sn >> 1
    return (first, second) if sn == 0 else None


def point(text: bytes) -> tuple[int, int, int, int]:
    """Decompress a point of Ed25519, in extended coordinates. RFC 8032 §5.1.3."""
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (v * x * x - u) % P or (x == 0 and sign):
        raise ValueError("no point")
    x = P - x if x % 2 != sign else x
    return x, y, 1, x * y % P


def add(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Add two points. RFC 8032 §5.1.4."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    g, h = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n: int, a: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Multiply a point."""
    total = (0, 1, 1, 0)
    while n:
        total, a, n = (add(total, a) if n & 1 else total), add(a, a), n >> 1
    return total


def signed(public: bytes, signature: bytes, text: bytes) -> bool:
    """Verify Ed25519. RFC 8032 §5.1.7."""
    try:
        a, r = point(public), point(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little")
    left, right = times(s, point(BASE_Y.to_bytes(32, "little"))), add(r, times(k, a))
    order = 2**252 + 27742317777372353535851937790883648493
    return s < order and not any((left[i] * right[2] - right[i] * left[2]) % P for i in (0, 1))


def checkpoint(note: str, key: str) -> tuple[int, bytes]:
    """Return size and root of a signed head. C2SP tlog-checkpoint."""
    text, _, signatures = note.partition("\n\n")
    try:
        name, _, encoded = key.split("+", 2)
        public = base64.b64decode(encoded)[1:]
    except ValueError:
        raise SystemExit("WRONG: --key is no key: name+id+key / khóa không hợp lệ") from None
    key_id = sha(name.encode() + b"\n\x01" + public)[:4]
    try:
        for line in signatures.splitlines():
            raw = base64.b64decode(line.rpartition(" ")[2])
            if line.startswith(f"— {name} ") and raw[:4] == key_id and signed(public, raw[4:], (text + "\n").encode()):
                origin, size, root = text.split("\n")
                if origin == name:
                    return int(size), base64.b64decode(root)
    except ValueError:
        pass
    raise SystemExit("WRONG: a checkpoint is not signed by this key / Mốc niêm phong không do khóa này ký")


def moment(text: str) -> tuple[str, str]:
    """Return a time so that 04:05:06.100Z equals 04:05:06.1Z."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    return seconds, fraction.rstrip("0")


def told(sentence: str, body: dict[str, Any]) -> str | None:
    """Return which beginning tells who it was, in either language; None where the words tell something else."""
    actor, about = body["actor"], body["about"]
    viewed = body["action"] == "BOOK_OPENED"
    for i in (0, 1):
        who = WHO.get(actor["kind"], WHO["SYSTEM"])[i].format(name=actor["name"] or "?")
        names = [who, YOU[i]] if actor["kind"] in ("OWNER", "REPRESENTATIVE") else [who]
        purpose = PURPOSES.get(about.get("purpose"), ("", ""))[i]
        views = {kind: " " + words[i].format(purpose=purpose) for kind, words in VIEWED.items()}
        view = views.get(about.get("kind"), views[None])
        for name in (name for name in names if sentence.startswith(name)):
            rest = sentence[len(name) :]
            placed = rest.startswith(AT[i]) == bool(actor["facility"])
            looks = any(words[i].partition("{")[0] in rest for words in VIEWED.values())
            if placed and (rest.endswith(view) and bool(actor["facility"] or rest == view) if viewed else not looks):
                return name
    return None


def problems_of(lines: Iterable[dict[str, Any]], heads: dict[int, bytes]) -> Iterator[str]:
    """Name what is wrong with each line; `heads` are the roots by size."""
    before: tuple[int, str] | None = None
    you: set[str | None] = set()
    for node in sorted(lines, key=lambda line: line["number"]):
        n = node["number"]
        try:
            yield from (f"line {n}: {text}" for text in problems_of_line(node, heads, before, you))
        except UNREADABLE:
            yield f"line {n}: it cannot be read / không đọc được"
        if before is not None and n != before[0] + 1:
            yield f"line {before[0] + 1}: it is missing / bị thiếu"
        before = n, node["proof"].get("leaf")


def problems_of_line(
    node: dict[str, Any], heads: dict[int, bytes], before: tuple[int, str] | None, you: set[str | None]
) -> Iterator[str]:
    """Name what is wrong with a line; `you` gathers whom the words call You."""
    n, proof = node["number"], node["proof"]
    body, leaf = json.loads(proof["body"]), sha(b"\x00", bytes.fromhex(proof["nonce"]), proof["body"].encode())
    if leaf.hex() != proof["leaf"]:
        yield "its leaf is not the hash of what it says / đã bị sửa"
    shown = (node.get("action", body["action"]), moment(node.get("at", body["at"])))
    if body["n"] != n or shown != (body["action"], moment(body["at"])):
        yield "it is shown otherwise than it was written / hiển thị khác với nội dung đã ghi"
    if "sentence" in node:
        who = told(node["sentence"], body)
        you |= {body["actor"]["id"]} if who in YOU else set()
        if who is None or (who in YOU and len(you) > 1):
            yield "its words tell something else than its body / câu chữ khác với nội dung đã ghi"
    if before is None and n == 1 and body["previous"] != "00" * 32:
        yield "something stood before it / trước dòng đầu tiên có dòng bị xóa"
    if before is not None and n == before[0] + 1 and body["previous"] != before[1]:
        yield f"it does not follow line {before[0]} / không nối tiếp dòng trước"
    if proof["index"] is not None:
        path = [bytes.fromhex(sibling) for sibling in proof["path"]]
        size = proof["size"]
        if inclusion_root(bytes.fromhex(proof["leaf"]), proof["index"], size, path) != heads.get(size):
            yield "it is not in the sealed tree / không có trong cây đã niêm phong"


def lines_of(path: str) -> list[dict[str, Any]]:
    """Return the lines of one answer, or of a list of pages."""
    try:
        pages = json.loads(Path(path).read_bytes())
        answers = [page.get("data", page)["accessLog"] for page in (pages if isinstance(pages, list) else [pages])]
        nodes = [edge["node"] for answer in answers for edge in answer["edges"]]
        proofs = [node["proof"] for node in nodes if isinstance(node["number"], int)]
        if len(proofs) == len(nodes) and all({str(proof["checkpoint"]), proof["index"]} for proof in proofs):
            return nodes
    except (OSError, *UNREADABLE):
        pass
    raise SystemExit(f"WRONG: {path} is no answer of AccessLogExport / không phải câu trả lời của AccessLogExport")


def printed(node: dict[str, Any]) -> str:
    """Return what a line's body says, and its words below."""
    try:
        body = json.loads(node["proof"]["body"])
        said = [body[name] for name in ("at", "action", "actor", "about")]
    except UNREADABLE:
        said = ["?"]
    texts = " ".join(json.dumps(part, ensure_ascii=False) for part in said)
    return f"{node['number']}: {texts}\n    {json.dumps(node.get('sentence'), ensure_ascii=False)}"


def known_of(known: str | None, consistency: str | None) -> tuple[list[str], list[bytes]]:
    """Return the checkpoint that was kept and the path from it, as far as they were given."""
    try:
        kept = [Path(known).read_text("utf-8-sig")] if known else []
        path = json.loads(Path(consistency).read_bytes())["path"] if consistency else []
        return kept, [bytes.fromhex(sibling) for sibling in path]
    except (OSError, *UNREADABLE):
        raise SystemExit("WRONG: --known or --consistency cannot be read / không đọc được") from None


def main() -> int:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", metavar="LOG.json")
    parser.add_argument("--key", required=True, help="name+id+key, as your app pinned it")
    parser.add_argument("--print", action="store_true", help="print what each body says, and the line's words below")
    parser.add_argument("--known", metavar="OLD.txt", help="a checkpoint that you kept")
    parser.add_argument("--consistency", metavar="PROOF.json", help="that the kept tree is the beginning of this one")
    chosen = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    lines = lines_of(chosen.log)
    wrong: list[str] = []
    heads: dict[int, bytes] = {}
    sealed = [line["proof"] for line in lines if line["proof"]["index"] is not None]
    kept, path = known_of(chosen.known, chosen.consistency)
    notes = {*kept, *(str(proof["checkpoint"]) for proof in sealed)}
    for size, root in (checkpoint(note, chosen.key) for note in notes):
        if heads.setdefault(size, root) != root:
            wrong.append(f"two roots were signed for one size, {size} / hai gốc cho cùng một kích thước")
    wrong += problems_of(lines, heads)
    for old, old_root in (checkpoint(note, chosen.key) for note in kept):
        new = max((proof["size"] for proof in sealed), default=0)
        roots = consistency_roots(old, new, path, old_root)
        if roots != (old_root, heads.get(new)):
            wrong.append(f"the tree of {new} does not continue the one of {old} / cây mới không nối tiếp cây đã giữ")
    if chosen.print:
        print("\n".join(printed(node) for node in sorted(lines, key=lambda line: line["number"])))
    waiting = len(lines) - len(sealed)
    missing = min((line["number"] for line in lines), default=1) - 1
    older = f"; not in this file: lines 1 to {missing} / tệp không có dòng 1 đến {missing}" if missing else ""
    print("\n".join(f"WRONG: {text}" for text in wrong) or f"OK: {len(lines)} lines, {waiting} not sealed yet{older}")
    return 1 if wrong or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
