"""Documents that must be refused, by the number of the attack."""

import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from app.ingestion.catalogue import ProblemCode

C = ProblemCode


def entity_bombs(port: int) -> dict[str, tuple[bytes, ProblemCode]]:
    """Return B146 to B152: what would read a file, call out to `port`, or grow."""
    url = f"http://127.0.0.1:{port}"
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    blow_up = f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}">]><a>{"&x;" * 50_000}</a>'
    schema = "http://www.w3.org/2001/XMLSchema-instance"
    texts = {
        "b146 file": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', C.XML_DOCTYPE),
        "b147 http": (f'<!DOCTYPE a [<!ENTITY x SYSTEM "{url}/x">]><a>&x;</a>', C.XML_DOCTYPE),
        "b148 parameter": (f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{url}/x"> %x;]><a/>', C.XML_DOCTYPE),
        "b148 dtd": (f'<!DOCTYPE a SYSTEM "{url}/a.dtd"><a/>', C.XML_DOCTYPE),
        "b148 public": (f'<!DOCTYPE a PUBLIC "-//X//EN" "{url}/a.dtd"><a/>', C.XML_DOCTYPE),
        "b149 laughs": (f'<!DOCTYPE a [<!ENTITY a0 "ha">{laughs}]><a>&a9;</a>', C.XML_DOCTYPE),
        "b150 quadratic": (blow_up, C.XML_DOCTYPE),
        "b151 bare": ("<!DOCTYPE a><a/>", C.XML_DOCTYPE),
        "b151 declared": ('<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE a><a/>', C.XML_DOCTYPE),
        "b151 small": ("<!doctype a><a/>", C.XML_DOCTYPE),
        "b152 xinclude": (
            f'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="{url}/x"/></a>',
            C.XML_INCLUDE,
        ),
        "b152 stylesheet": (f'<?xml-stylesheet type="text/xsl" href="{url}/x"?><a/>', C.XML_INSTRUCTION),
        "b152 inside": (f'<a><?xml-stylesheet type="text/xsl" href="{url}/x"?></a>', C.XML_INSTRUCTION),
        "b152 after": (f'<a/><?xml-stylesheet type="text/xsl" href="{url}/x"?>', C.XML_INSTRUCTION),
        "b152 location": (
            f'<a xmlns:s="{schema}"><b s:schemaLocation="urn:x {url}/x.xsd"/></a>',
            C.XML_SCHEMA_LOCATION,
        ),
        "b152 no namespace": (
            f'<a xmlns:s="{schema}" s:noNamespaceSchemaLocation="{url}/x.xsd"/>',
            C.XML_SCHEMA_LOCATION,
        ),
    }
    return {name: (text.encode(), reason) for name, (text, reason) in texts.items()}


def size_bombs() -> dict[str, tuple[bytes, ProblemCode]]:
    """Return B153: too deep, too wide, too many, too long."""
    attributes = " ".join(f'a{number}="1"' for number in range(20_000))
    namespaces = " ".join(f'xmlns:a{number}="urn:a"' for number in range(20_000))
    bracketed = " ".join(f"a{number}='>\"'" for number in range(101))
    return {
        "b153 deep 257": (b"<a>" * 257 + b"</a>" * 257, C.XML_TOO_DEEP),
        "b153 deep 100000": (b"<a>" * 100_000 + b"</a>" * 100_000, C.XML_TOO_DEEP),
        "b153 attributes": (f"<a {attributes}/>".encode(), C.XML_TOO_MANY_ATTRIBUTES),
        "b153 namespaces": (f"<a {namespaces}/>".encode(), C.XML_TOO_MANY_ATTRIBUTES),
        "b153 attributes in all": (
            ("<a>" + "<b {}/>".format(" ".join(f"a{number}='1'" for number in range(100))) * 3_000 + "</a>").encode(),
            C.XML_TOO_MANY_ATTRIBUTES,
        ),
        "b153 101 attributes": (f"<a><b\n{bracketed}/></a>".encode(), C.XML_TOO_MANY_ATTRIBUTES),
        "b153 siblings": (b"<a>" + b"<b/>" * 1_000_000 + b"</a>", C.XML_TOO_MANY_ELEMENTS),
        "b153 text": (b"<a>" + b"x" * 10_100_000 + b"</a>", C.XML_TEXT_TOO_LONG),
    }


def encoding_bombs() -> dict[str, tuple[bytes, ProblemCode]]:
    """Return B154: what is not UTF-8, or holds characters that no text needs."""
    declared = '<?xml version="1.0" encoding="{}"?><a>{}</a>'
    return {
        "b154 utf-7": (b"+ADw-a/+AD4-", C.XML_NOT_XML),
        "b154 utf-7 declared": (declared.format("UTF-7", "+AD4-").encode(), C.XML_ENCODING),
        "b154 utf-16 without mark": ("<a/>".encode("utf-16-le"), C.XML_NOT_UTF8),
        "b154 utf-16 big": ("<a/>".encode("utf-16-be"), C.XML_NOT_UTF8),
        "b154 utf-16": ("<a/>".encode("utf-16"), C.XML_NOT_UTF8),
        "b154 utf-32": ("<a/>".encode("utf-32-le"), C.XML_NOT_UTF8),
        "b154 utf-16 declared and in it": (declared.format("utf-16", "x").encode("utf-16-le"), C.XML_NOT_UTF8),
        "b154 utf-16 declared with mark": (declared.format("utf-16", "x").encode("utf-16"), C.XML_NOT_UTF8),
        "b154 utf-16 declared": (declared.format("utf-16", "x").encode(), C.XML_ENCODING),
        "b154 utf-160 declared": (declared.format("utf-160", "x").encode(), C.XML_ENCODING),
        "b154 utf-32 declared": (declared.format("utf-32", "x").encode(), C.XML_ENCODING),
        "b154 windows-1258 declared": (declared.format("windows-1258", "x").encode(), C.XML_ENCODING),
        "b154 ebcdic": ("<a/>".encode("cp037"), C.XML_NOT_UTF8),
        "b154 latin": ("<a>Nguyễn é</a>".encode("latin-1", "replace"), C.XML_NOT_UTF8),
        "b154 overlong": (b"<a>\xc0\xaf</a>", C.XML_NOT_UTF8),
        "b154 surrogate": (b"<a>\xed\xa0\x80</a>", C.XML_NOT_UTF8),
        "b154 surrogate reference": (b"<a>&#xD800;</a>", C.XML_CONTROL_CHARACTER),
        "b154 cut": (b"<a>\xe1\xba</a>", C.XML_NOT_UTF8),
        "b154 fffe": ("<a>\ufffe</a>".encode(), C.XML_CONTROL_CHARACTER),
        "b154 nul": (b"<a>\x00</a>", C.XML_CONTROL_CHARACTER),
        "b154 escape": (b"<a>\x1b[31m</a>", C.XML_CONTROL_CHARACTER),
        "b154 delete": (b"<a>\x7f</a>", C.XML_CONTROL_CHARACTER),
        "b154 c1": ("<a>\x85</a>".encode(), C.XML_CONTROL_CHARACTER),
        "b154 c1 reference": (b"<a>&#x9b;</a>", C.XML_CONTROL_CHARACTER),
        "b154 nul reference": (b"<a>&#0;</a>", C.XML_CONTROL_CHARACTER),
        "b154 version": (b'<?xml version="1.1"?><a/>', C.XML_VERSION),
    }


def archive_bombs() -> dict[str, tuple[bytes, ProblemCode]]:
    """Return B155: small packages of large contents; nothing is ever unpacked."""
    packed = zlib.compress(b"<a>" + b" " * 20_000_000 + b"</a>", wbits=31)
    folder = BytesIO()
    with ZipFile(folder, "w", ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/passwd", b"0" * 20_000_000)
    return {
        "b155 gzip": (packed, C.XML_COMPRESSED),
        "b155 zip": (folder.getvalue(), C.XML_COMPRESSED),
        "b155 deflate": (zlib.compress(b"<a/>"), C.XML_NOT_UTF8),
    }
