"""Turn bytes into an XML document, or refuse them: the one place where foreign XML is parsed.

Bytes are judged before the parser sees them, since a hardened parser still takes a DOCTYPE silently and drops
its entities. Nothing is ever fetched, included, expanded or inflated.
Source: OWASP XML Security; W3C XML 1.0 §2.2 (characters), §2.8 (prolog).
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from itertools import islice

from lxml import etree

from app.core.errors import Invalid, Text, TooLarge
from app.ingestion.catalogue import ProblemCode, describe

Element = etree._Element  # noqa: SLF001  # the library gives its type no public name
"""An element of a document that was read here."""

MAX_MESSAGE_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 256  # built into the parser
MAX_ATTRIBUTES = 100  # of one element
MAX_ATTRIBUTES_IN_ALL = 10_000  # of one document
MAX_ELEMENTS = 100_000  # of one document

_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    collect_ids=False,
    remove_comments=True,
    remove_pis=False,
)

_COMPRESSED = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"\x28\xb5\x2f\xfd",
)
_PROLOG = re.compile(
    rb"(?:\xef\xbb\xbf)?(?P<declaration><\?xml[ \t\r\n][^>]{0,200}\?>)?(?>[ \t\r\n]++|<!--(?s:.*?)-->)*+"
)
_ENCODING = re.compile(rb"""[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["'](?P<name>[^"']*)["']""")
_VERSION = re.compile(rb"""[ \t\r\n]version[ \t\r\n]*=[ \t\r\n]*["']1\.0["']""")
_SPACES = (b" ", b"\t", b"\r", b"\n")
_UTF8_NAMES = frozenset({b"utf-8", b"utf8"})
_UTF8 = b"utf-8"
_UTF16_NAME = re.compile(rb"utf[-_]?16(?:[-_]?[bl]e)?")
_C0 = bytes([*range(9), 11, 12, *range(14, 32), 127])
_C0_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_C1_BYTES = re.compile(rb"\xc2[\x80-\x9f]")
_NO_CHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_CROWDED_TAG = re.compile(
    rb"""<[^\s<>/!?]++(?>\s++[^\s=<>/]++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+')){%d}""" % (MAX_ATTRIBUTES + 1)
)
_ATTRIBUTE = re.compile(rb"""[\s"'][^\s=<>"'/]++\s*+=\s*+["']""")
_XINCLUDE = "http://www.w3.org/2001/XInclude"
_SCHEMA_LOCATIONS = (
    "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation",
    "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation",
)

_UNESCAPED = Text(
    "ký tự & hoặc < trong văn bản phải viết thành &amp; hoặc &lt;",
    "& or < in a text must be written as &amp; or &lt;",
)
_UNFINISHED = Text("thiếu thẻ đóng, có thể tài liệu bị cắt ngang", "an end tag is missing; the document may be cut off")
_MISPLACED_DECLARATION = Text(
    "khai báo <?xml …?> phải đứng ngay đầu tài liệu, chỉ một lần và viết ngắn gọn",
    "the declaration <?xml …?> must be at the very start of the document, once and short",
)
_HINTS = {
    etree.ErrorTypes.ERR_TAG_NAME_MISMATCH: Text(
        "thẻ đóng không khớp với thẻ mở", "the end tag does not match the start tag"
    ),
    etree.ErrorTypes.ERR_TAG_NOT_FINISHED: _UNFINISHED,
    etree.ErrorTypes.ERR_GT_REQUIRED: _UNFINISHED,
    etree.ErrorTypes.ERR_LTSLASH_REQUIRED: _UNFINISHED,
    etree.ErrorTypes.ERR_CDATA_NOT_FINISHED: _UNFINISHED,
    etree.ErrorTypes.ERR_COMMENT_NOT_FINISHED: _UNFINISHED,
    etree.ErrorTypes.ERR_NAME_REQUIRED: _UNESCAPED,
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: _UNESCAPED,
    etree.ErrorTypes.ERR_ENTITYREF_SEMICOL_MISSING: _UNESCAPED,
    etree.ErrorTypes.ERR_LT_IN_ATTRIBUTE: _UNESCAPED,
    etree.ErrorTypes.ERR_RESERVED_XML_NAME: _MISPLACED_DECLARATION,
    etree.ErrorTypes.ERR_DOCUMENT_END: Text(
        "còn nội dung sau phần tử gốc; chỉ được có một phần tử gốc",
        "there is content after the root element; there may be only one root",
    ),
    etree.ErrorTypes.ERR_ATTRIBUTE_REDEFINED: Text("thuộc tính bị lặp lại", "an attribute is repeated"),
    etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE: Text(
        "tiền tố namespace chưa được khai báo", "a namespace prefix is not declared"
    ),
}


class XmlRefused(Invalid):
    """These bytes are not a document that may be read; the text names place and reason."""

    def __init__(self, reason: ProblemCode, *, detail: Text | None = None, limit: int | None = None) -> None:
        self.reason, self.reason_code = reason, reason.value
        self.detail = detail
        self.limit = limit
        words = describe(reason, detail=detail, limit=limit)
        super().__init__(Text(words.vi[:1].upper() + words.vi[1:], words.en[:1].upper() + words.en[1:]))


def check_outside(body: bytes) -> None:
    """Refuse a message whose outer document cannot be read, before it is stored.

    What stands inside (base64) is judged by the same rules when the message is read.

    :raises TooLarge: longer than MAX_MESSAGE_BYTES
    :raises XmlRefused: which is an Invalid; its text names place and reason
    """
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge
    read_document(body)


def read_document(body: bytes) -> Element:
    """Return the root of a document, without comments. No text of it holds a control character.

    :raises XmlRefused: not UTF-8, not well-formed, or one of the limits and forms that are not allowed
    """
    declared = _check_prolog(body)
    _check_characters(body)
    if not body.startswith(b"<", declared):
        raise XmlRefused(ProblemCode.XML_NOT_XML)
    if len(body) > MAX_ELEMENTS and body.count(b"<") > MAX_ELEMENTS and _opening_tags(body) > MAX_ELEMENTS:
        raise XmlRefused(ProblemCode.XML_TOO_MANY_ELEMENTS, limit=MAX_ELEMENTS)
    _check_attributes(body)
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError as error:
        raise _refusal(error) from None
    _check_tree(root, body=body, declared=declared)
    return root


def with_utf8_declared(document: bytes) -> bytes | None:
    """Return a document whose declaration stands in ASCII and yet says UTF-16, as .NET's StringWriter does, with UTF-8.

    It has the same length. Nothing: it does not say so.
    """
    prolog = _PROLOG.match(document)
    declared = _ENCODING.search(document, *prolog.span("declaration")) if prolog and prolog["declaration"] else None
    if declared is None or not _UTF16_NAME.fullmatch(declared["name"].lower()):
        return None
    start, end = declared.span("name")
    quote, missing = document[end : end + 1], end - start - len(_UTF8)
    return document[:start] + _UTF8 + quote + b" " * missing + document[end + 1 :]


def from_utf16(document: bytes) -> bytes | None:
    """Return a document that is UTF-16 with its mark, and declares nothing else, as UTF-8. Nothing: it is not."""
    if not document.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return None
    try:
        written = document.decode("utf-16").encode()
    except UnicodeDecodeError:
        return None
    prolog = _PROLOG.match(written)
    if prolog and prolog["declaration"] and _ENCODING.search(written, *prolog.span("declaration")):
        return with_utf8_declared(written)
    return written


def _opening_tags(body: bytes) -> int:
    """Return the number of elements of a document, or more: CDATA that looks like a tag counts too."""
    return body.count(b"<") - body.count(b"</") - body.count(b"<!") - body.count(b"<?")


def _check_prolog(body: bytes) -> int:
    """Judge what stands before the root; return where it ends."""
    if body.startswith(_COMPRESSED):
        raise XmlRefused(ProblemCode.XML_COMPRESSED)
    prolog = _PROLOG.match(body)
    end = prolog.end() if prolog else 0
    if end == len(body):
        raise XmlRefused(ProblemCode.XML_EMPTY)
    declaration = prolog["declaration"] if prolog else None
    if declaration:
        _check_declaration(declaration)
    start = body[end : end + 9].upper()
    if start.startswith(b"<!DOCTYPE"):
        raise XmlRefused(ProblemCode.XML_DOCTYPE)
    if start.startswith(b"<?XML") and start[5:6] in _SPACES:
        raise XmlRefused(ProblemCode.XML_MALFORMED, detail=_MISPLACED_DECLARATION)
    if start.startswith(b"<?"):
        raise XmlRefused(ProblemCode.XML_INSTRUCTION)
    return end


def _check_declaration(declaration: bytes) -> None:
    encoding = _ENCODING.search(declaration)
    if encoding and encoding["name"].strip().lower() not in _UTF8_NAMES:
        raise XmlRefused(ProblemCode.XML_ENCODING)
    if not _VERSION.search(declaration):
        raise XmlRefused(ProblemCode.XML_VERSION)


def _check_characters(body: bytes) -> None:
    if b"\x00" in body[:2]:  # UTF-16 and UTF-32 of a tag
        raise XmlRefused(ProblemCode.XML_NOT_UTF8, limit=body.index(b"\x00") + 1)
    ascii_only = body.isascii()
    if not ascii_only:
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise XmlRefused(ProblemCode.XML_NOT_UTF8, limit=error.start + 1) from None
    at = _control_character(body, ascii_only=ascii_only)
    if at is not None:
        detail = Text(f"tại byte thứ {at + 1}", f"at byte {at + 1}")
        raise XmlRefused(ProblemCode.XML_CONTROL_CHARACTER, detail=detail)


def _control_character(body: bytes, *, ascii_only: bool) -> int | None:
    """Return where the first one stands; every look is of the fast kind, for most bodies have none."""
    looks: list[re.Pattern[bytes]] = []
    if len(body.translate(None, _C0)) != len(body):
        looks.append(_C0_BYTES)
    if not ascii_only:
        looks += (look for first, look in ((b"\xc2", _C1_BYTES), (b"\xef", _NO_CHARACTER)) if first in body)
    found = [match.start() for look in looks if (match := look.search(body))]
    return min(found, default=None)


def _check_attributes(body: bytes) -> None:
    """Count attributes before they cost memory; a text that looks like very many of them counts too."""
    signs = body.count(b"=")
    if signs > MAX_ATTRIBUTES and _CROWDED_TAG.search(body):
        detail = Text("ở một phần tử", "in one element")
        raise XmlRefused(ProblemCode.XML_TOO_MANY_ATTRIBUTES, detail=detail, limit=MAX_ATTRIBUTES)
    if signs > MAX_ATTRIBUTES_IN_ALL:
        found = islice(_ATTRIBUTE.finditer(body), MAX_ATTRIBUTES_IN_ALL, None)
        if next(found, None) is not None:
            detail = Text("trong cả tài liệu", "in the document")
            raise XmlRefused(ProblemCode.XML_TOO_MANY_ATTRIBUTES, detail=detail, limit=MAX_ATTRIBUTES_IN_ALL)


def _check_tree(root: Element, *, body: bytes, declared: int) -> None:
    """Judge what only the parser can tell: what really is an instruction, a reference or an attribute."""
    if root.getroottree().docinfo.doctype != "":  # type: ignore[attr-defined]  # the stubs lack it
        raise XmlRefused(ProblemCode.XML_DOCTYPE)
    if body.find(b"?", declared) != -1 and _has_instruction(root):
        raise XmlRefused(ProblemCode.XML_INSTRUCTION)
    named = b":" in body  # one byte is found fast: base64 has none of these
    if named and b"XInclude" in body and next(root.iter(f"{{{_XINCLUDE}}}*"), None) is not None:
        raise XmlRefused(ProblemCode.XML_INCLUDE)
    if (
        named
        and b"chemaLocation" in body
        and any(name in element.attrib for element in root.iter("*") for name in _SCHEMA_LOCATIONS)
    ):
        raise XmlRefused(ProblemCode.XML_SCHEMA_LOCATION)
    if b"&" in body and b"&#" in body and any(_CONTROL_CHARACTERS.search(str(text)) for text in root.itertext()):
        detail = Text("(viết dưới dạng &#…;)", "(written as &#…;)")
        raise XmlRefused(ProblemCode.XML_CONTROL_CHARACTER, detail=detail)


def _has_instruction(root: Element) -> bool:
    wanted = etree.ProcessingInstruction
    places = (root.iter(wanted), root.itersiblings(wanted), root.itersiblings(wanted, preceding=True))
    return any(next(place, None) is not None for place in places)


def _refusal(error: etree.XMLSyntaxError) -> XmlRefused:
    """Tell place and reason in our words: the parser's own may quote the text of the document."""
    line, column = error.position
    code: int = error.code  # type: ignore[attr-defined]  # the stubs lack it
    if code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        if "depth" in (error.msg or ""):
            return XmlRefused(ProblemCode.XML_TOO_DEEP, limit=MAX_DEPTH)
        return XmlRefused(ProblemCode.XML_TEXT_TOO_LONG)
    where = Text(f"dòng {line}, cột {column}", f"line {line}, column {column}")
    if code == etree.ErrorTypes.ERR_INVALID_CHAR:
        detail = Text(f"tại {where.vi}", f"at {where.en}")
        return XmlRefused(ProblemCode.XML_CONTROL_CHARACTER, detail=detail)
    hint = _HINTS.get(code)
    detail = Text(f"{where.vi} ({hint.vi})", f"{where.en} ({hint.en})") if hint else where
    return XmlRefused(ProblemCode.XML_MALFORMED, detail=detail)
