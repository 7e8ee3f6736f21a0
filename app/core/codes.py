"""Codes that people read aloud and type: nine symbols of Crockford's base 32 and a check symbol.

The check makes sum(a^i * x_i) zero over GF(32), where a is a primitive element, so that every single wrong symbol and
every swap of two symbols is found before anything is looked up.

Source: Crockford, Base 32; security design E.4.
"""

import secrets
from collections.abc import Sequence

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_SYMBOLS = 9
LENGTH = RANDOM_SYMBOLS + 1
BITS = 5 * RANDOM_SYMBOLS
MATERIAL_BYTES = 6
LONGEST_INPUT = 64

_MODULUS = 0b100101  # x^5 + x^2 + 1 is primitive: x has order 31, so that the ten weights all differ
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_READ_AS = {"O": "0", "I": "1", "L": "1"}
_SPOKEN = {
    "0": "số không",
    "1": "số một",
    "2": "số hai",
    "3": "số ba",
    "4": "số bốn",
    "5": "số năm",
    "6": "số sáu",
    "7": "số bảy",
    "8": "số tám",
    "9": "số chín",
    "A": "chữ a, như An",
    "B": "chữ bê, như Bắc",
    "C": "chữ xê, như Cam",
    "D": "chữ dê, như Dừa",
    "E": "chữ e, như Em",
    "F": "chữ ép-phờ, như Florida",
    "G": "chữ giê, như Gà",
    "H": "chữ hát, như Hoa",
    "J": "chữ gi, như Jakarta",
    "K": "chữ ca, như Kim",
    "M": "chữ em-mờ, như Mai",
    "N": "chữ en-nờ, như Nam",
    "P": "chữ pê, như Phở",
    "Q": "chữ quy, như Quê",
    "R": "chữ e-rờ, như Rồng",
    "S": "chữ ét-sì, như Sông",
    "T": "chữ tê, như Tôm",
    "V": "chữ vê, như Vàng",
    "W": "chữ vê kép, như Washington",
    "X": "chữ ích-xì, như Xanh",
    "Y": "chữ i dài, như Yên",
    "Z": "chữ dét, như Zambia",
}


class BadCode(Exception):
    """What was typed is no code: wrong length, another alphabet, or the check symbol does not fit."""


def _powers() -> tuple[int, ...]:
    """Return the powers of a, from a^0 to a^30."""
    found = [1]
    while len(found) < len(ALPHABET) - 1:
        doubled = found[-1] << 1
        found.append(doubled ^ _MODULUS if doubled & len(ALPHABET) else doubled)
    return tuple(found)


_POWERS = _powers()
_LOGS = {power: exponent for exponent, power in enumerate(_POWERS)}


def _times(value: int, exponent: int) -> int:
    """Return value * a^exponent in GF(32)."""
    return _POWERS[(_LOGS[value] + exponent) % len(_POWERS)] if value else 0


def _sum(values: Sequence[int]) -> int:
    """Return the sum of a^i * x_i, the last symbol having weight a^0; 0 for a code."""
    total = 0
    for exponent, value in enumerate(reversed(values)):
        total ^= _times(value, exponent)
    return total


def code_from(material: bytes) -> str:
    """Return the code that the first 45 bits of `material` stand for, check symbol last.

    :raises ValueError: when there are fewer than 6 bytes
    """
    if len(material) < MATERIAL_BYTES:
        message = "a code needs 45 bits"
        raise ValueError(message)
    number = int.from_bytes(material[:MATERIAL_BYTES]) >> (8 * MATERIAL_BYTES - BITS)
    values = [number >> shift & 31 for shift in range(BITS - 5, -5, -5)]
    return "".join(ALPHABET[value] for value in (*values, _sum((*values, 0))))


def new_code() -> str:
    """Return a code by chance."""
    return code_from(secrets.token_bytes(MATERIAL_BYTES))


def read_code(typed: str) -> str:
    """Return the ten symbols of what a person typed: any case, with spaces or hyphens, O for 0, I and L for 1.

    :raises BadCode: when it is none; nothing needs to be looked up then
    """
    if len(typed) > LONGEST_INPUT or not typed.isascii():
        raise BadCode
    symbols = "".join(_READ_AS.get(one, one) for one in typed.upper() if one not in " -")
    if len(symbols) != LENGTH or any(one not in _VALUES for one in symbols):
        raise BadCode
    if _sum([_VALUES[one] for one in symbols]) != 0:
        raise BadCode
    return symbols


def shown(code: str) -> str:
    """Return a code as it is shown: `K7QF-2M9D-XA`."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def spoken(code: str) -> list[str]:
    """Return a code as it is read aloud in Vietnamese, one phrase a symbol; none sounds like another."""
    return [_SPOKEN[symbol] for symbol in code]
