"""The report on a test batch as people read it: each line in Vietnamese, then in English."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MOST_LINES = 20


def report_text(body: Mapping[str, Any]) -> str:
    """Return the report of `reporting.batch_body` as text."""
    return "\n".join(
        [
            f"ĐIỂM CỦA LÔ / SCORE OF THE BATCH: {body['score']} / 100, {body['grade']}",
            f"{body['messages']} thông điệp / messages, {body['visits']} hồ sơ / visits",
            "",
            *_files(body["files"]),
            *_part("Từng bảng / Each table", (_table(one) for one in body["tables"])),
            *_part(
                "Trường bắt buộc bị thiếu / Required, but missing",
                (f"{_place(one)}: {one['visits']} hồ sơ / visits" for one in body["missing"]),
            ),
            *_part(
                "Sổ sức khỏe cần nhưng không có / Wanted for the health book, not sent",
                (f"{_place(one)}: {one['visits']} hồ sơ / visits" for one in body["wanted"]),
            ),
            *_part(
                "Mã không có trong danh mục / Codes of no list",
                (f"{_place(one)} = “{one['code']}” ({one['list']}): {one['times']} ×" for one in body["unknownCodes"]),
            ),
            *_part("Đơn vị lạ / Odd units", (_unit(one) for one in body["oddUnits"])),
            "",
            f"Cách tính điểm: {body['scoring']['vi']}",
            f"How it is scored: {body['scoring']['en']}",
        ]
    )


def _files(files: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for one in files:
        lines.append(f"{one['score']:>4} {one['grade']}  {one['status']:<12} {one['file']}")
        if "vi" in one:
            lines += [f"      {one['vi']}", f"      {one['en']}"]
        if len(one["visits"]) > 1:
            lines += [
                f"      {visit['score']:>4}  {visit['status']:<12} {visit['visit'] or '?'}" for visit in one["visits"]
            ]
    return lines


def _table(one: Mapping[str, Any]) -> str:
    told = (
        ("missing", "thiếu / missing"),
        ("wanted", "cần thêm / wanted"),
        ("warnings", "cảnh báo / warnings"),
        ("unknownCodes", "mã lạ / unknown codes"),
        ("oddUnits", "đơn vị lạ / odd units"),
    )
    remarks = "; ".join(f"{words}: {one[name]}" for name, words in told if one[name])
    return f"{one['score']:>4} {one['grade']}  {one['table']} ({one['visits']} hồ sơ / visits) {remarks}".rstrip()


def _part(title: str, lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    if not listed:
        return ["", f"{title}: –"]
    more = len(listed) - MOST_LINES
    rest = [f"  … {more} dòng nữa, xem --json / {more} more, see --json"] if more > 0 else []
    return ["", f"{title}:", *(f"  {line}" for line in listed[:MOST_LINES]), *rest]


def _place(one: Mapping[str, Any]) -> str:
    return " ".join(str(one[part]) for part in ("table", "field") if part in one)


def _unit(one: Mapping[str, Any]) -> str:
    return f"{one['index']} “{one['unit']}”: {one['times']} ×\n      {one['vi']}\n      {one['en']}"
