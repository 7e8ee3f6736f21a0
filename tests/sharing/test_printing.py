"""E.4: the QR of a code holds the code as it is shown, and not a bit more; the slip holds nothing of a person."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from app.core.codes import new_code, shown
from app.core.qr import qr_svg
from app.sharing.printing import slip_html

SIZE, QUIET = 21, 4  # version 1 of ISO/IEC 18004, and its border
DATA_BYTES = {0b01: 19, 0b00: 16, 0b11: 13, 0b10: 9}  # by its level of correction: L, M, Q, H
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
MASKS = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, _column: row % 2 == 0,
    lambda _row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
)


def dark(svg: str) -> set[tuple[int, int]]:
    """Return the dark modules of an SVG of horizontal strokes in one path, before a ground."""
    root = ET.fromstring(svg)
    assert [one.tag.rpartition("}")[2] for one in root.iter()] == ["svg", "g", "path", "path"]
    found, x, y = set(), 0, -0.5
    for step, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: ?(-?[\d.]+))?", root[0][1].attrib["d"]):
        if step == "h":
            found |= {(int(y) - QUIET, x + n - QUIET) for n in range(int(first))}
            x += int(first)
        else:
            x, y = (0, 0.0) if step == "M" else (x, y)
            x, y = x + int(first), y + float(second or 0)
    return found


def told(modules: set[tuple[int, int]], *columns: int) -> int:
    """Return a number of the format's first bits."""
    return sum(((8, column) in modules) << place for place, column in enumerate(reversed(columns)))


def bits(modules: set[tuple[int, int]]) -> Iterator[int]:
    """Yield the data's bits: two columns at a time from the right, up and down, unmasked."""
    mask = told(modules, 2, 3, 4) ^ 0b101
    for turn, right in enumerate([*range(SIZE - 1, 6, -2), 5, 3, 1]):
        for row in range(SIZE)[:: 1 if turn % 2 else -1]:
            for column in (right, right - 1):
                is_fixed = row == 6 or (column < 9 and (row < 9 or row > 12)) or (column > 12 and row < 9)
                if not is_fixed:
                    yield ((row, column) in modules) ^ MASKS[mask](row, column)


def read(svg: str) -> tuple[str, list[int]]:
    """Return a QR's letters, and the bytes after them."""
    modules = dark(svg)
    end = DATA_BYTES[told(modules, 0, 1) ^ 0b10] * 8
    data = "".join(str(int(bit)) for bit in bits(modules))[:end]
    assert data[:4] == "0010"  # letters and digits
    count, at, text = int(data[4:13], 2), 13, ""
    while len(text) < count:
        pair, width = count - len(text) > 1, 11 if count - len(text) > 1 else 6
        high, low = divmod(int(data[at : at + width], 2), 45)
        text, at = text + (LETTERS[high] if pair else "") + LETTERS[low], at + width
    assert set(data[at : at + 4]) == {"0"}  # the end
    rest = -(-(at + 4) // 8) * 8
    assert "1" not in data[at:rest]
    return text, [int(data[n : n + 8], 2) for n in range(rest, end, 8)]


def test_the_qr_holds_the_code_and_nothing_else() -> None:
    for _ in range(50):
        code = new_code()
        text, rest = read(qr_svg(shown(code)))

        assert text == shown(code)
        assert rest == [0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11][: len(rest)]  # what fills up an empty place


def test_a_qr_is_whole_at_any_size_and_light_on_any_ground() -> None:
    """A page gives it a size of its own: without a viewBox that cuts off its right and its lower edge."""
    root = ET.fromstring(qr_svg(shown(new_code())))
    side = (SIZE + 2 * QUIET) * 8

    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["viewBox"] == f"0 0 {side} {side}"
    assert root[0][0].attrib == {"fill": "#fff", "d": "M0 0h29v29h-29z"}


def test_the_slip_shows_the_code_and_the_same_qr() -> None:
    code = new_code()
    page = slip_html(code, until="10:00 23/11/2026", has_pin=True)

    assert shown(code) in page
    assert qr_svg(shown(code)) in page
    assert "script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_the_slip_fits_a_phone_and_a_narrow_roll_without_breaking_what_is_read_aloud() -> None:
    page = slip_html("WWMMQWXWPW", until="10:00 23/11/2026", has_pin=True)

    assert '<meta name="viewport" content="width=device-width,initial-scale=1">' in page
    assert page.count("<main>") == page.count("</main>") == 1
    assert re.search(r"\.code\{[^}]*white-space:nowrap", page)
    assert "li{display:inline-block" in page  # a symbol and how it is read stay on one line
    assert ":root{color-scheme:light" in page  # a QR that is printed or scanned is dark on light
