"""Names of a VNI font are told from names, of all peoples of the country and of foreigners."""

from itertools import product

import pytest

from app.demo.files import rows
from app.ingestion.qd4750.vni import is_vni, read_as_vni

GARBLED = """NguyeÃn Vaên A|NGUYEÃN VAÊN AN|Leâ Nam|LEÂ THÒ MAI|Traàn Vaên Taâm|TRAÀN THÒ HOÀ|Phaïm Nam
Phaïm Thò Lan|Döông Minh|Tröông Quoác Höng|Ñaëng Anh|Ñoã Lan|Buøi Nam|Voõ An|Vuõ Anh|Huyønh Nam
Hoaøng Minh|Ngoâ Lan|Lyù Nam|Ñinh An|Hoà Thò Bích Ngoïc|Con baø Nguyeãn Thò Mai|Kim Chaâu Ñoàng
Mai Vaên Döõ|Phan Tuaán|Cao Xuaân Höng|Toân Nöõ Ngoïc Haø"""

FOREIGN = """Raúl Muñoz Peña|Loïc Tran|Loïc Nguyen|Anaïs Le|Thaïs Vo|João Leão|Seán Kim|Seàn Ho|Saâd Mai
Michaël Tran|Israël|Joëlle Lam|Haïm Cohen|Noël Phan|Zoë Hoang|Núñez|Björn Åström|Bjørn Sørensen
Kärt Tõnu|Põldmäe Jõesaar|Gönül Öztürk|Özgür Ünal|Jürgen Müller|König Köhler|Simões Camões Guimarães
Leônidas Antônio Leândro|François Benoît|Chloé Hélène|Maëlle Eloïse|Aïcha Naïm|Naâma Maâti
Rafaél Ismaël|Óscar Gómez|Mónica Ó Briain|Siobhán|Tomás Ó Súilleabháin|Siân Wyn|Väinö Hämäläinen
Tuula Äijälä|Jökull|Guðrún Óladóttir|Æsa Bræin|Mæ Søe|Kim Bøe|An Boë|Ngô Loïc|Ho Ö|Ludvík Dvořák
Kovács Noé|Höng Müller|Lê Chloë|Thanh Anaïs|Maï Lan|Maïa Tran|Maï-Lan Nguyen|Thaï Minh|Iñigo Begoña
Seumas Mòr|Niccolò|Jón Óli|Siôn Hó"""

OF_ALL_PEOPLES = """Y Ƀih Ñing|K´Brěoh|H’Hen Niê|H'Nhan Byă|Y Thinh Êban|Siu H'Bliăn|Rơ Châm H'Oanh|Ksor H'Bơ Khăp
A Hoâng|Y Moân|Y Joâl|Kpă Hrí|Rah Lan H'Lê|Nay Hơaĭ|Rơ Mah Blơ̆|K'Să Hà Thiên|Ka Thoêm|K'Brêu
Lơ Mu Ha Krông|Bon Niêng Ha Đoan|Cil Múp Ha Kluh|Hồ Văn Ă|Blúp Thị Hơ|Zơ Râm Ăng|Bh'nướch Ný
Pơloong Thị Mlơ|Alăng Bhuốch|Arất Blúi|Giàng A Páo|Vàng Thị Dở|Sùng A Chớ|Thào Mí Sò|Lò Văn Òn
Ma A Lềnh|Lý Lò Mẩy|Chẻo Tả Mẩy|Tẩn A Sài|Vừ Già Pó|Và Bá Dìa|Hạng Thị Mò|Moong Văn Ỏn|Lô Thị Ò
Quàng Thị Ó|Cà Thị Óng|Lâm Thò|Lý Thò Mẩy|Thạch Sà Rươnl|Danh Thị Sà Phép|Kim Sô Phal
Sơn Thị Sà Vône|Neáng Sóc Kha|Néang Sa Rây|Neàng Chanh Đa|Bá Thị Kiều Mỹ|Y Êñuôl|H Êñuôl Niê
Y Ñoan Niê|H' Ñap Êñuôl|Y Ñiết Ksơr|H'Ñuên Mlô|Điểu K'Rứ|Điểu Thị Srây|Tráng A Ó|Hờ A Tò
Hòa Thuý Khoát|Doãn Toán|Hoà Thị Hoà|Loan Thuỳ|Quý Quỳnh Nguyên"""


def names(text: str) -> list[str]:
    return [name for line in text.splitlines() for name in line.split("|")]


@pytest.mark.parametrize("name", names(GARBLED))
def test_b161_a_name_in_letters_of_vni_is_none(name: str) -> None:
    assert is_vni(name)


@pytest.mark.parametrize("name", names(FOREIGN) + names(OF_ALL_PEOPLES))
def test_a_name_that_is_somebodys_is_not_taken_for_vni(name: str) -> None:
    assert not any(map(is_vni, (name, name.upper(), name.lower())))


def test_no_common_name_is_taken_for_vni() -> None:
    found: dict[str, list[str]] = {}
    for row in rows("names.csv"):
        found.setdefault(row["kind"], []).append(row["name"])
    wrong = [name for name in map(" ".join, product(found["family"], found["middle"], found["given"])) if is_vni(name)]
    assert wrong == []


def test_letters_of_vni_are_read() -> None:
    read = {word: read_as_vni(word) for word in ("nguyeãn", "ñöùc", "ñaëng", "thò", "kyø", "hyû")}
    assert list(read.values()) == ["nguyễn", "đức", "đặng", "thị", "kỳ", "hỷ"]
