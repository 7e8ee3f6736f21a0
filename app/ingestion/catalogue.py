"""Every remark that reading a message can make: its code, and its words in both languages.

`{detail}` and `{limit}` name what was expected or where; they never hold a value of the message.
"""

from enum import StrEnum
from typing import Final

from app.core.errors import Text


class ProblemCode(StrEnum):
    """Closed list; a hospital's software may switch on it."""

    # The document.
    XML_EMPTY = "XML_EMPTY"
    XML_NOT_XML = "XML_NOT_XML"
    XML_COMPRESSED = "XML_COMPRESSED"
    XML_NOT_UTF8 = "XML_NOT_UTF8"
    XML_ENCODING = "XML_ENCODING"
    XML_SAYS_UTF16 = "XML_SAYS_UTF16"
    XML_IS_UTF16 = "XML_IS_UTF16"
    XML_VERSION = "XML_VERSION"
    XML_DOCTYPE = "XML_DOCTYPE"
    XML_INSTRUCTION = "XML_INSTRUCTION"
    XML_INCLUDE = "XML_INCLUDE"
    XML_SCHEMA_LOCATION = "XML_SCHEMA_LOCATION"
    XML_CONTROL_CHARACTER = "XML_CONTROL_CHARACTER"
    XML_TOO_DEEP = "XML_TOO_DEEP"
    XML_TOO_MANY_ATTRIBUTES = "XML_TOO_MANY_ATTRIBUTES"
    XML_TOO_MANY_ELEMENTS = "XML_TOO_MANY_ELEMENTS"
    XML_TEXT_TOO_LONG = "XML_TEXT_TOO_LONG"
    XML_MALFORMED = "XML_MALFORMED"
    READER_STOPPED = "READER_STOPPED"
    # The envelope.
    ENVELOPE_ROOT = "ENVELOPE_ROOT"
    ENVELOPE_FIELD_MISSING = "ENVELOPE_FIELD_MISSING"
    ENVELOPE_FIELD_MALFORMED = "ENVELOPE_FIELD_MALFORMED"
    ENVELOPE_EMPTY = "ENVELOPE_EMPTY"
    ENVELOPE_COUNT_DIFFERS = "ENVELOPE_COUNT_DIFFERS"
    ENVELOPE_TOO_MANY_VISITS = "ENVELOPE_TOO_MANY_VISITS"
    ENVELOPE_TOO_LARGE = "ENVELOPE_TOO_LARGE"
    ENVELOPE_MADE_LATER = "ENVELOPE_MADE_LATER"
    # A visit and its tables.
    TABLE_MISSING = "TABLE_MISSING"
    TABLE_TWICE = "TABLE_TWICE"
    TABLE_UNKNOWN = "TABLE_UNKNOWN"
    TABLE_EMPTY = "TABLE_EMPTY"
    TABLE_ROOT = "TABLE_ROOT"
    TABLE_BASE64 = "TABLE_BASE64"
    TABLE_TOO_LONG = "TABLE_TOO_LONG"
    TABLE_KEPT_NOT_SHOWN = "TABLE_KEPT_NOT_SHOWN"
    TABLE_HELD_BACK = "TABLE_HELD_BACK"
    PAPER_OF_ANOTHER = "PAPER_OF_ANOTHER"
    VISIT_TWICE = "VISIT_TWICE"
    VISIT_ID_DIFFERS = "VISIT_ID_DIFFERS"
    FACILITY_DIFFERS = "FACILITY_DIFFERS"
    # A field.
    FIELD_UNKNOWN = "FIELD_UNKNOWN"
    FIELD_MISSING = "FIELD_MISSING"
    FIELD_COUNTED_AS_ZERO = "FIELD_COUNTED_AS_ZERO"
    FIELD_TWICE = "FIELD_TWICE"
    FIELD_NESTED = "FIELD_NESTED"
    FIELD_TOO_LONG = "FIELD_TOO_LONG"
    MOMENT_MALFORMED = "MOMENT_MALFORMED"
    DAY_MALFORMED = "DAY_MALFORMED"
    BIRTH_MALFORMED = "BIRTH_MALFORMED"
    BIRTH_PARTIAL = "BIRTH_PARTIAL"
    NUMBER_MALFORMED = "NUMBER_MALFORMED"
    NUMBER_COMMA = "NUMBER_COMMA"
    NUMBER_TOO_LARGE = "NUMBER_TOO_LARGE"
    NUMBER_ROUNDED = "NUMBER_ROUNDED"
    CODE_MALFORMED = "CODE_MALFORMED"
    CODE_UNKNOWN = "CODE_UNKNOWN"
    LINE_NUMBER_TWICE = "LINE_NUMBER_TWICE"
    SERVICE_NAME_MISSING = "SERVICE_NAME_MISSING"
    RESULT_TIME_MISSING = "RESULT_TIME_MISSING"
    RESULT_COMMA = "RESULT_COMMA"
    # The person.
    IDENTIFIER_MALFORMED = "IDENTIFIER_MALFORMED"
    IDENTIFIER_PLACEHOLDER = "IDENTIFIER_PLACEHOLDER"
    IDENTIFIER_UNUSUAL = "IDENTIFIER_UNUSUAL"
    IDENTIFIER_NONE = "IDENTIFIER_NONE"
    NAME_GARBLED = "NAME_GARBLED"
    CARD_MALFORMED = "CARD_MALFORMED"
    CARD_LISTS_DIFFER = "CARD_LISTS_DIFFER"
    NEWBORN_TIME_MISSING = "NEWBORN_TIME_MISSING"
    # Plausibility.
    BORN_AFTER_VISIT = "BORN_AFTER_VISIT"
    BEFORE_1900 = "BEFORE_1900"
    STARTED_IN_FUTURE = "STARTED_IN_FUTURE"
    ENDED_IN_FUTURE = "ENDED_IN_FUTURE"
    ENDED_BEFORE_STARTED = "ENDED_BEFORE_STARTED"
    ADMITTED_OUTSIDE_VISIT = "ADMITTED_OUTSIDE_VISIT"
    EVENT_IN_FUTURE = "EVENT_IN_FUTURE"
    EVENT_BEFORE_VISIT = "EVENT_BEFORE_VISIT"
    # The list itself.
    MORE_PROBLEMS = "MORE_PROBLEMS"


_C = ProblemCode
NAME_GARBLED: Final = Text(
    "họ tên có ký tự không có trong tên người (dấu ?, ký hiệu của phông TCVN3, VNI …): chữ đã hỏng khi chuyển mã. Hãy "
    "xuất bằng Unicode UTF-8 rồi gửi lại; cả các văn bản khác của hồ sơ có thể cũng hỏng.",
    "the name has signs that no name has (?, those of a TCVN3 or VNI font …): its letters were lost in a conversion. "
    "Export Unicode as UTF-8 and send it again; other texts of the visit may be lost too.",
)
TEXTS: dict[ProblemCode, Text] = {
    _C.XML_EMPTY: Text("tài liệu rỗng.", "the document is empty."),
    _C.XML_NOT_XML: Text(
        "không phải tài liệu XML: ký tự đầu tiên phải là “<”.",
        "not an XML document: the first character must be “<”.",
    ),
    _C.XML_COMPRESSED: Text(
        "nội dung đã nén (zip, gzip) không được nhận; hãy gửi XML không nén.",
        "compressed content (zip, gzip) is not accepted; send the XML as it is.",
    ),
    _C.XML_NOT_UTF8: Text(
        "không phải UTF-8 tại byte thứ {limit}; hãy mã hóa tài liệu bằng UTF-8.",
        "not UTF-8 at byte {limit}; encode the document as UTF-8.",
    ),
    _C.XML_ENCODING: Text(
        'khai báo <?xml …?> ghi bảng mã khác UTF-8; chỉ nhận encoding="UTF-8".',
        'the declaration <?xml …?> names an encoding other than UTF-8; only encoding="UTF-8" is accepted.',
    ),
    _C.XML_SAYS_UTF16: Text(
        'khai báo <?xml …?> ghi UTF-16 nhưng nội dung là UTF-8 nên đã đọc theo UTF-8; hãy ghi encoding="UTF-8".',
        'the declaration <?xml …?> says UTF-16, but the content is UTF-8 and was read as such; say encoding="UTF-8".',
    ),
    _C.XML_IS_UTF16: Text(
        "nội dung viết bằng UTF-16 nên đã đọc theo UTF-16; hãy xuất bằng UTF-8.",
        "the content is UTF-16 and was read as such; write UTF-8.",
    ),
    _C.XML_VERSION: Text(
        'khai báo <?xml …?> phải ghi version="1.0".', 'the declaration <?xml …?> must say version="1.0".'
    ),
    _C.XML_DOCTYPE: Text(
        "không được có khai báo DOCTYPE (DTD, ENTITY); hãy bỏ khai báo này.",
        "a DOCTYPE (DTD, ENTITY) is not allowed; remove it.",
    ),
    _C.XML_INSTRUCTION: Text(
        "không được có chỉ thị xử lý <?…?> nào ngoài khai báo <?xml …?> ở đầu tài liệu.",
        "no processing instruction <?…?> is allowed but the declaration <?xml …?> at the very start.",
    ),
    _C.XML_INCLUDE: Text("không được dùng XInclude.", "XInclude is not allowed."),
    _C.XML_SCHEMA_LOCATION: Text(
        "không được có thuộc tính xsi:schemaLocation, xsi:noNamespaceSchemaLocation; hãy bỏ đi.",
        "the attributes xsi:schemaLocation and xsi:noNamespaceSchemaLocation are not allowed; remove them.",
    ),
    _C.XML_CONTROL_CHARACTER: Text(
        "có ký tự điều khiển không được phép {detail}; chỉ nhận tab và xuống dòng.",
        "a control character is not allowed {detail}; only tab and line ends are.",
    ),
    _C.XML_TOO_DEEP: Text("các phần tử lồng nhau quá {limit} tầng.", "elements are nested deeper than {limit} levels."),
    _C.XML_TOO_MANY_ATTRIBUTES: Text(
        "có quá {limit} thuộc tính {detail}.", "there are more than {limit} attributes {detail}."
    ),
    _C.XML_TOO_MANY_ELEMENTS: Text(
        "tài liệu có quá {limit} phần tử; hãy chia thành nhiều lần gửi.",
        "the document has more than {limit} elements; send it in several messages.",
    ),
    _C.XML_TEXT_TOO_LONG: Text("một phần tử chứa văn bản quá dài.", "the text of one element is too long."),
    _C.XML_MALFORMED: Text("XML sai cú pháp: {detail}.", "the XML is not well-formed: {detail}."),
    _C.READER_STOPPED: Text(
        "bộ đọc đã dừng {limit} lần ở thông điệp này (vượt giới hạn bộ nhớ hoặc thời gian); hãy chia nhỏ rồi gửi lại.",
        "the reader stopped {limit} times at this message (too much memory or time); send it in smaller messages.",
    ),
    _C.ENVELOPE_ROOT: Text(
        "phần tử gốc phải là GIAMDINHHS (hoặc CHI_TIEU_TRANG_THAI_KCB cho check-in), không namespace.",
        "the root element must be GIAMDINHHS (or CHI_TIEU_TRANG_THAI_KCB for a check-in), in no namespace.",
    ),
    _C.ENVELOPE_FIELD_MISSING: Text("phần tử bắt buộc bị thiếu hoặc rỗng.", "required, but missing or empty."),
    _C.ENVELOPE_FIELD_MALFORMED: Text("sai định dạng: phải là {detail}.", "malformed: must be {detail}."),
    _C.ENVELOPE_EMPTY: Text(
        "không có hồ sơ nào: cần ít nhất một THONGTINHOSO/DANHSACHHOSO/HOSO.",
        "there is no visit: at least one THONGTINHOSO/DANHSACHHOSO/HOSO is needed.",
    ),
    _C.ENVELOPE_COUNT_DIFFERS: Text(
        "khác với số phần tử HOSO thực có ({limit}).", "differs from the number of HOSO elements ({limit})."
    ),
    _C.ENVELOPE_TOO_MANY_VISITS: Text(
        "một lần gửi có tối đa {limit} hồ sơ; hãy chia thành nhiều lần gửi.",
        "one message carries at most {limit} visits; send several messages.",
    ),
    _C.ENVELOPE_TOO_LARGE: Text(
        "các bảng bên trong có tổng cộng quá {limit} thẻ XML; hãy chia thành nhiều lần gửi.",
        "the inner tables have more than {limit} XML tags together; send several messages.",
    ),
    _C.ENVELOPE_MADE_LATER: Text(
        "ngày lập ở tương lai: hồ sơ được coi như lập vào ngày nhận.",
        "the day of making is in the future: the visits count as made on the day of receipt.",
    ),
    _C.TABLE_MISSING: Text(
        "hồ sơ không có bảng này; mọi hồ sơ đều phải có XML1.",
        "the visit does not carry this table; every visit needs XML1.",
    ),
    _C.TABLE_TWICE: Text(
        "bảng xuất hiện nhiều lần trong một hồ sơ, không biết lần nào đúng.",
        "the table stands several times in one visit; it is not known which one is right.",
    ),
    _C.TABLE_UNKNOWN: Text(
        "LOAIHOSO thiếu hoặc không thuộc XML0 … XML15; bảng này bị bỏ qua.",
        "LOAIHOSO is missing or none of XML0 … XML15; this table is passed over.",
    ),
    _C.TABLE_EMPTY: Text(
        "NOIDUNGFILE thiếu hoặc rỗng; coi như không gửi bảng này.",
        "NOIDUNGFILE is missing or empty; the table counts as not sent.",
    ),
    _C.TABLE_ROOT: Text(
        "nội dung không đúng bảng: cần phần tử {detail}, không có namespace.",
        "the content is not this table: it must be {detail}, in no namespace.",
    ),
    _C.TABLE_BASE64: Text(
        "NOIDUNGFILE không phải XML và cũng không phải base64 hợp lệ.",
        "NOIDUNGFILE is neither XML nor valid base64.",
    ),
    _C.TABLE_TOO_LONG: Text("bảng có quá {limit} dòng.", "the table has more than {limit} lines."),
    _C.TABLE_KEPT_NOT_SHOWN: Text(
        "đã nhận và lưu cùng thông điệp; bảng này không hiển thị trong sổ sức khỏe.",
        "received and kept with the message; this table is not shown in the health book.",
    ),
    _C.TABLE_HELD_BACK: Text(
        "dữ liệu nhạy cảm: đã nhận và lưu kín cùng thông điệp, không ghi vào sổ và không chia sẻ cho ai.",
        "sensitive: received and kept sealed with the message, not filed in the book and shared with nobody.",
    ),
    _C.PAPER_OF_ANOTHER: Text(
        "giấy này ghi một người khác với bảng XML1 của cùng hồ sơ; hồ sơ được giữ lại, chưa hiển thị.",
        "this paper names another person than XML1 of the same visit; the visit is kept and not shown.",
    ),
    _C.VISIT_TWICE: Text(
        "nhiều hồ sơ trong cùng một lần gửi có chung MA_LK, không biết hồ sơ nào đúng.",
        "several visits of this message have the same MA_LK; it is not known which one is right.",
    ),
    _C.VISIT_ID_DIFFERS: Text("khác với MA_LK của bảng XML1.", "differs from the MA_LK of XML1."),
    _C.FACILITY_DIFFERS: Text("khác với MACSKCB trong THONGTINDONVI.", "differs from MACSKCB in THONGTINDONVI."),
    _C.FIELD_UNKNOWN: Text(
        "phần tử không có trong Quyết định 4750/QĐ-BYT (phân biệt chữ hoa, chữ thường); nội dung bị bỏ qua.",
        "no element of Decision 4750/QĐ-BYT has this name (case matters); its content is passed over.",
    ),
    _C.FIELD_MISSING: Text("trường bắt buộc bị thiếu hoặc rỗng.", "required, but missing or empty."),
    _C.FIELD_COUNTED_AS_ZERO: Text(
        "trường bắt buộc bị thiếu hoặc rỗng; được tính là 0.", "required, but missing or empty; counted as 0."
    ),
    _C.FIELD_TWICE: Text("trường xuất hiện nhiều lần trong một dòng.", "the field stands several times in one line."),
    _C.FIELD_NESTED: Text(
        "trường chỉ được chứa văn bản, không được chứa phần tử con (hãy viết < thành &lt;).",
        "the field may hold text only, no elements (write < as &lt;).",
    ),
    _C.FIELD_TOO_LONG: Text("dài quá {limit} ký tự.", "longer than {limit} characters."),
    _C.MOMENT_MALFORMED: Text(
        "thời điểm phải gồm đúng 12 chữ số yyyymmddHHMM và có thật (giờ 00-23, phút 00-59).",
        "a moment must be exactly 12 digits yyyymmddHHMM and exist (hours 00-23, minutes 00-59).",
    ),
    _C.DAY_MALFORMED: Text(
        "ngày phải gồm đúng 8 chữ số yyyymmdd và có thật trong lịch.",
        "a day must be exactly 8 digits yyyymmdd and exist in the calendar.",
    ),
    _C.BIRTH_MALFORMED: Text(
        "ngày sinh phải gồm 12 chữ số yyyymmddHHMM (hoặc 8 chữ số yyyymmdd) và có thật; "
        "không rõ giờ, hoặc không rõ ngày tháng, thì ghi 0000.",
        "a birth date must be 12 digits yyyymmddHHMM (or 8 digits yyyymmdd) and exist; "
        "write 0000 for an unknown time, or an unknown month and day.",
    ),
    _C.BIRTH_PARTIAL: Text(
        "chỉ biết tháng sinh, không biết ngày: sổ sức khỏe chỉ ghi năm sinh.",
        "the month of birth is known, the day is not: the health book keeps the year only.",
    ),
    _C.NUMBER_MALFORMED: Text(
        "phải là số không âm, chỉ gồm chữ số và (nếu cần) một dấu chấm thập phân, ví dụ 1250.5.",
        "must be a number, not negative, of digits and (if needed) one decimal point, such as 1250.5.",
    ),
    _C.NUMBER_COMMA: Text(
        "dùng dấu chấm cho phần thập phân và không ngăn cách hàng nghìn, ví dụ 1250.5; không dùng dấu phẩy.",
        "use a point for decimals and nothing between thousands, such as 1250.5; no comma.",
    ),
    _C.NUMBER_TOO_LARGE: Text("có quá {limit} chữ số ở phần nguyên.", "has more than {limit} digits before the point."),
    _C.NUMBER_ROUNDED: Text(
        "có quá {limit} chữ số thập phân; đã được làm tròn.",
        "has more than {limit} decimals; it was rounded.",
    ),
    _C.CODE_MALFORMED: Text("sai định dạng: phải là {detail}.", "malformed: must be {detail}."),
    _C.CODE_UNKNOWN: Text(
        "mã không có trong danh mục của Quyết định 4750/QĐ-BYT ({detail}); vẫn được giữ nguyên.",
        "not a code of Decision 4750/QĐ-BYT ({detail}); kept as it is.",
    ),
    _C.LINE_NUMBER_TWICE: Text(
        "số thứ tự bị trùng với một dòng trước; dòng vẫn được ghi nhận theo vị trí.",
        "the number repeats an earlier line's; the line is still taken, by its position.",
    ),
    _C.SERVICE_NAME_MISSING: Text(
        "dòng phải có TEN_DICH_VU hoặc TEN_VAT_TU.", "the line needs TEN_DICH_VU or TEN_VAT_TU."
    ),
    _C.RESULT_TIME_MISSING: Text("bắt buộc khi GIA_TRI có dữ liệu.", "required where GIA_TRI has data."),
    _C.RESULT_COMMA: Text(
        "kết quả dùng dấu phẩy thập phân: hiển thị như đã gửi nhưng không vẽ được xu hướng; hãy dùng dấu chấm.",
        "the result has a decimal comma: it is shown as sent, but cannot stand in a trend; use a point.",
    ),
    _C.IDENTIFIER_MALFORMED: Text(
        "chỉ được là một số giấy tờ, gồm chữ cái không dấu và chữ số (có thể có . - / _), tối đa {limit} ký tự.",
        "must be one document number, of unaccented letters and digits (and . - / _), at most {limit}.",
    ),
    _C.IDENTIFIER_PLACEHOLDER: Text(
        "giá trị điền tạm (ví dụ toàn một chữ số), không phải số giấy tờ; nếu không có, hãy để trống.",
        "a filler (such as one digit repeated), not a document number; leave it empty if there is none.",
    ),
    _C.IDENTIFIER_UNUSUAL: Text(
        "toàn chữ số nhưng không đủ 12 (số định danh cá nhân) hay 9 (CMND): hãy kiểm tra có bị mất số 0 ở đầu không. "
        "Với người Việt Nam, số này không được dùng: hồ sơ được ghi theo số thẻ BHYT, nếu không có thì được giữ lại, "
        "chưa hiển thị. Với người nước ngoài, hồ sơ được ghi theo đúng số này.",
        "digits alone, but neither 12 (personal id) nor 9 (old card): look whether leading zeros were lost. Of a "
        "Vietnamese it is not used: the visit is filed by the insurance card; without one it is kept and not shown. "
        "Of a foreigner, the visit is filed under this very number.",
    ),
    _C.IDENTIFIER_NONE: Text(
        "không có SO_CCCD và cũng không có MA_THE_BHYT: chưa biết hồ sơ thuộc về ai, nên được giữ lại, chưa hiển thị.",
        "neither SO_CCCD nor MA_THE_BHYT: it is not known whose visit this is, so it is kept and not shown.",
    ),
    _C.NAME_GARBLED: NAME_GARBLED,
    _C.CARD_MALFORMED: Text(
        "số thẻ BHYT phải gồm 15 ký tự (2 chữ cái, 13 chữ số) hoặc 10 chữ số; thẻ này bị bỏ qua.",
        "a card number has 15 characters (2 letters, 13 digits) or 10 digits; this card is passed over.",
    ),
    _C.CARD_LISTS_DIFFER: Text(
        "số giá trị (ngăn cách bằng “;”) khác với số thẻ ở MA_THE_BHYT; giá trị được ghép theo thứ tự.",
        "there are not as many values (joined by “;”) as cards in MA_THE_BHYT; they are paired in order.",
    ),
    _C.NEWBORN_TIME_MISSING: Text(
        "trẻ từ 28 ngày tuổi trở xuống phải ghi cả giờ và phút sinh.",
        "for a child of at most 28 days, the hour and minute of birth are required.",
    ),
    _C.BORN_AFTER_VISIT: Text("ngày sinh sau ngày vào.", "the birth date is after the day of arrival."),
    _C.BEFORE_1900: Text("thời gian trước năm 1900.", "the time is before 1900."),
    _C.STARTED_IN_FUTURE: Text(
        "thời điểm vào ở tương lai, quá một ngày so với hiện tại.",
        "the arrival is more than one day in the future.",
    ),
    _C.ENDED_IN_FUTURE: Text(
        "thời điểm ra ở tương lai quá xa ({detail}).", "the end is too far in the future ({detail})."
    ),
    _C.ENDED_BEFORE_STARTED: Text("thời điểm ra trước thời điểm vào.", "the end is before the arrival."),
    _C.ADMITTED_OUTSIDE_VISIT: Text(
        "thời điểm vào nội trú không nằm giữa thời điểm vào và thời điểm ra.",
        "the admission is not between the arrival and the end.",
    ),
    _C.EVENT_IN_FUTURE: Text(
        "thời điểm ở tương lai, quá một ngày so với hiện tại.",
        "the moment is more than one day in the future.",
    ),
    _C.EVENT_BEFORE_VISIT: Text(
        "thời điểm trước ngày vào hơn một năm.", "the moment is more than a year before the arrival."
    ),
    _C.MORE_PROBLEMS: Text(
        "còn {limit} lỗi nữa không liệt kê; hãy sửa các lỗi trên rồi gửi lại.",
        "{limit} more problems are not listed; correct those above and send again.",
    ),
}


def describe(code: ProblemCode, *, detail: Text | None = None, limit: int | None = None) -> Text:
    """Return the words of a remark, without its place."""
    text, words = TEXTS[code], detail or Text("", "")
    return Text(text.vi.format(detail=words.vi, limit=limit), text.en.format(detail=words.en, limit=limit))
