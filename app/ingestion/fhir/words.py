"""Every remark that reading FHIR can make: its code, and its words in both languages.

`{detail}` and `{limit}` name what was expected or where; they never hold a value of the message.
"""

from enum import StrEnum
from typing import Final

from app.core.errors import Text
from app.ingestion.catalogue import NAME_GARBLED


class FhirCode(StrEnum):
    """Closed list; a hospital's software may switch on it."""

    # The document.
    JSON_EMPTY = "JSON_EMPTY"
    JSON_NOT_UTF8 = "JSON_NOT_UTF8"
    JSON_MALFORMED = "JSON_MALFORMED"
    JSON_TOO_DEEP = "JSON_TOO_DEEP"
    JSON_TOO_MANY = "JSON_TOO_MANY"
    JSON_NAME_TWICE = "JSON_NAME_TWICE"
    JSON_NUMBER = "JSON_NUMBER"
    JSON_TEXT = "JSON_TEXT"
    NOT_A_RESOURCE = "NOT_A_RESOURCE"
    RESOURCE_NOT_TAKEN = "RESOURCE_NOT_TAKEN"
    # The bundle and its entries.
    BUNDLE_TYPE = "BUNDLE_TYPE"
    BUNDLE_TOO_MANY_ENTRIES = "BUNDLE_TOO_MANY_ENTRIES"
    BUNDLE_MADE_LATER = "BUNDLE_MADE_LATER"
    BUNDLE_FACILITY_DIFFERS = "BUNDLE_FACILITY_DIFFERS"
    TRANSACTION_REFUSED = "TRANSACTION_REFUSED"
    FULL_URL_TWICE = "FULL_URL_TWICE"
    ENTRY_EMPTY = "ENTRY_EMPTY"
    METHOD_REFUSED = "METHOD_REFUSED"
    METHOD_IGNORED = "METHOD_IGNORED"
    URL_DIFFERS = "URL_DIFFERS"
    DELETE_UNKNOWN = "DELETE_UNKNOWN"
    PART_OF_RECORD = "PART_OF_RECORD"
    PARTS_LEFT_OUT = "PARTS_LEFT_OUT"
    IMPLICIT_RULES = "IMPLICIT_RULES"
    MODIFIER_EXTENSION = "MODIFIER_EXTENSION"
    CONTAINED_NESTED = "CONTAINED_NESTED"
    EXTENSIONS_IGNORED = "EXTENSIONS_IGNORED"
    # An element.
    ELEMENT_MISSING = "ELEMENT_MISSING"
    ELEMENT_MALFORMED = "ELEMENT_MALFORMED"
    ELEMENT_TOO_LONG = "ELEMENT_TOO_LONG"
    MOMENT_PARTIAL = "MOMENT_PARTIAL"
    CONTENT_NOT_SHOWN = "CONTENT_NOT_SHOWN"
    CHOICE_TWICE = "CHOICE_TWICE"
    CODE_UNKNOWN = "CODE_UNKNOWN"
    # References.
    REFERENCE_UNRESOLVED = "REFERENCE_UNRESOLVED"
    RESULT_APART = "RESULT_APART"
    REFERENCE_AMBIGUOUS = "REFERENCE_AMBIGUOUS"
    REFERENCE_WRONG_TYPE = "REFERENCE_WRONG_TYPE"
    PATIENT_NOT_KNOWN = "PATIENT_NOT_KNOWN"
    VISIT_NOT_KNOWN = "VISIT_NOT_KNOWN"
    PATIENT_DIFFERS = "PATIENT_DIFFERS"
    # The person.
    IDENTIFIER_MALFORMED = "IDENTIFIER_MALFORMED"
    IDENTIFIER_PLACEHOLDER = "IDENTIFIER_PLACEHOLDER"
    IDENTIFIER_NONE = "IDENTIFIER_NONE"
    IDENTIFIER_NOT_USED = "IDENTIFIER_NOT_USED"
    NAME_GARBLED = "NAME_GARBLED"
    PATIENT_LINK = "PATIENT_LINK"
    PATIENT_RECORDS_STAY = "PATIENT_RECORDS_STAY"
    # What became of an entry.
    KIND_NOT_READ = "KIND_NOT_READ"
    NOTHING_STATED = "NOTHING_STATED"
    NOT_FINAL = "NOT_FINAL"
    NOT_DONE = "NOT_DONE"
    ORDER_KEPT = "ORDER_KEPT"
    NO_VISIT_NAMED = "NO_VISIT_NAMED"
    APPOINTMENT_FAR_OFF = "APPOINTMENT_FAR_OFF"
    SENSITIVE_HELD_BACK = "SENSITIVE_HELD_BACK"
    MORE_PROBLEMS = "MORE_PROBLEMS"


_C = FhirCode
TEXTS: Final[dict[FhirCode, Text]] = {
    _C.JSON_EMPTY: Text("tài liệu rỗng.", "the document is empty."),
    _C.JSON_NOT_UTF8: Text(
        "không phải UTF-8 tại byte thứ {limit}; hãy mã hóa tài liệu bằng UTF-8, không có BOM.",
        "not UTF-8 at byte {limit}; encode the document as UTF-8, without a byte order mark.",
    ),
    _C.JSON_MALFORMED: Text(
        "JSON sai cú pháp tại ký tự thứ {limit}.", "the JSON is not well-formed at character {limit}."
    ),
    _C.JSON_TOO_DEEP: Text(
        "JSON lồng nhau quá {limit} tầng {detail}.", "the JSON is nested deeper than {limit} levels {detail}."
    ),
    _C.JSON_TOO_MANY: Text(
        "tài liệu có quá {limit} phần tử; hãy chia thành nhiều lần gửi.",
        "the document has more than {limit} elements; send it in several messages.",
    ),
    _C.JSON_NAME_TWICE: Text(
        "một tên xuất hiện hai lần trong cùng một đối tượng.", "a name stands twice in one object."
    ),
    _C.JSON_NUMBER: Text(
        "số không biểu diễn được: tối đa {limit} chữ số, không NaN, không Infinity.",
        "the number cannot be held: at most {limit} digits, no NaN, no Infinity.",
    ),
    _C.JSON_TEXT: Text(
        "văn bản chứa ký tự NUL hoặc nửa cặp thay thế (surrogate).",
        "the text holds NUL or half of a surrogate pair.",
    ),
    _C.NOT_A_RESOURCE: Text(
        "phải là một đối tượng JSON có resourceType.", "must be one JSON object with a resourceType."
    ),
    _C.RESOURCE_NOT_TAKEN: Text(
        "chỉ nhận Bundle, hoặc một tài nguyên thuộc loại được ghi vào sổ.",
        "only a Bundle is taken, or a single resource of a kind that a book holds.",
    ),
    _C.BUNDLE_TYPE: Text(
        "loại Bundle không được nhận: phải là transaction, batch, message, document hoặc collection.",
        "this type of Bundle is not taken: it must be transaction, batch, message, document or collection.",
    ),
    _C.BUNDLE_TOO_MANY_ENTRIES: Text(
        "Bundle có quá {limit} mục; hãy chia thành nhiều lần gửi.",
        "the Bundle has more than {limit} entries; send several Bundles.",
    ),
    _C.BUNDLE_MADE_LATER: Text(
        "thời điểm lập ở tương lai: thông điệp được coi như lập vào ngày nhận.",
        "the moment of making is in the future: the message counts as made on the day of receipt.",
    ),
    _C.BUNDLE_FACILITY_DIFFERS: Text(
        "không phải mã của cơ sở đã đăng nhập: không thể gửi thay cơ sở khác.",
        "is not the code of the facility that signed in: nobody may send for another facility.",
    ),
    _C.TRANSACTION_REFUSED: Text(
        "một mục của transaction không ghi được, nên không mục nào được ghi.",
        "one entry of the transaction cannot be filed, so none is.",
    ),
    _C.FULL_URL_TWICE: Text(
        "hai mục có cùng fullUrl: không biết tham chiếu chỉ đến mục nào.",
        "two entries have the same fullUrl: it is not known which one a reference means.",
    ),
    _C.ENTRY_EMPTY: Text("mục không có tài nguyên.", "the entry has no resource."),
    _C.METHOD_REFUSED: Text(
        "phương thức này không được nhận ở đây: chỉ POST, PUT và DELETE.",
        "this method is not taken here: only POST, PUT and DELETE are.",
    ),
    _C.METHOD_IGNORED: Text(
        "đây là cửa nhận dữ liệu: yêu cầu đọc (GET, HEAD) bị bỏ qua.",
        "this door takes data in: a request to read (GET, HEAD) is passed over.",
    ),
    _C.URL_DIFFERS: Text(
        "request.url không khớp với tài nguyên của mục.", "request.url does not fit the resource of the entry."
    ),
    _C.DELETE_UNKNOWN: Text(
        "cơ sở này chưa từng gửi tài nguyên như vậy: không có gì để thu hồi; bản lập trước đó mà đến sau sẽ bị "
        "thu hồi ngay.",
        "this facility has sent no such resource: there is nothing to withdraw; what was made before this and comes "
        "later is withdrawn at once.",
    ),
    _C.PART_OF_RECORD: Text(
        "chỉ là một phần của một mục trong sổ: hãy gửi lại cả mục (đơn thuốc, phiếu kết quả, lượt khám) "
        "không có phần này.",
        "is only a part of a record: send the whole record (prescription, report, visit) again without it.",
    ),
    _C.PARTS_LEFT_OUT: Text(
        "mục này trước đây gồm nhiều phần hơn: từ nay chỉ hiển thị những phần có trong thông điệp này. Nếu không phải "
        "chủ ý, hãy gửi lại cả mục (đơn thuốc, phiếu kết quả).",
        "this record was made of more parts: only those of this message are shown from now on. If that is not meant, "
        "send the whole record (prescription, report) again.",
    ),
    _C.IMPLICIT_RULES: Text(
        "implicitRules thay đổi ý nghĩa của tài nguyên và không được hỗ trợ.",
        "implicitRules changes what the resource means, and is not supported.",
    ),
    _C.MODIFIER_EXTENSION: Text(
        "modifierExtension thay đổi ý nghĩa của tài nguyên và không được hỗ trợ.",
        "a modifierExtension changes what the resource means, and is not supported.",
    ),
    _C.CONTAINED_NESTED: Text(
        "tài nguyên contained không được chứa contained khác.", "a contained resource must not contain others."
    ),
    _C.EXTENSIONS_IGNORED: Text(
        "có {limit} phần mở rộng (extension) không được đọc; chúng vẫn nằm trong thông điệp.",
        "there are {limit} extensions that are not read; they stay in the message.",
    ),
    _C.ELEMENT_MISSING: Text("bắt buộc nhưng bị thiếu hoặc rỗng.", "required, but missing or empty."),
    _C.ELEMENT_MALFORMED: Text("sai định dạng: phải là {detail}.", "malformed: must be {detail}."),
    _C.ELEMENT_TOO_LONG: Text("dài quá {limit} ký tự.", "longer than {limit} characters."),
    _C.MOMENT_PARTIAL: Text(
        "chỉ có năm, hoặc năm và tháng: sổ hiển thị ngày đầu tiên của năm hoặc tháng đó.",
        "only the year, or year and month, is told: the book shows the first day of it.",
    ),
    _C.CONTENT_NOT_SHOWN: Text(
        "nội dung này không hiển thị trong sổ: không có chỗ cho nó, hoặc nó không phải văn bản thuần hay giá trị đơn; "
        "nó vẫn nằm trong thông điệp.",
        "this content is not shown in the book, which has no place for it, or only for plain text and single values; "
        "it stays in the message.",
    ),
    _C.CHOICE_TWICE: Text(
        "chỉ được có một trong các kiểu của phần tử này.", "only one of this element's types may stand here."
    ),
    _C.CODE_UNKNOWN: Text("mã không thuộc danh mục của FHIR R4.", "not a code of FHIR R4's list."),
    _C.REFERENCE_UNRESOLVED: Text(
        "không tìm thấy tài nguyên được tham chiếu, trong Bundle này cũng như trong những gì cơ sở đã gửi.",
        "the resource that is referred to is neither in this Bundle nor in what the facility sent before.",
    ),
    _C.RESULT_APART: Text(
        "kết quả này không có trong Bundle. Phiếu hiển thị nó nếu cơ sở đã gửi, hoặc sẽ gửi nó cho cùng người bệnh và "
        "cùng lượt khám; kết quả của lượt khám khác, hoặc đã đứng trong phiếu khác, thì ở nguyên chỗ: hãy gửi phiếu "
        "cùng các kết quả.",
        "this result is not in the Bundle. The report shows it where the facility sent it, or will send it, for the "
        "same patient and visit; a result of another visit, or one that stands in another report, stays where it is: "
        "send the report with its results.",
    ),
    _C.REFERENCE_AMBIGUOUS: Text(
        "tham chiếu có điều kiện khớp với nhiều tài nguyên.", "the conditional reference fits several resources."
    ),
    _C.REFERENCE_WRONG_TYPE: Text(
        "tham chiếu đến tài nguyên sai loại: phải là {detail}.",
        "the reference leads to a resource of another type: it must be {detail}.",
    ),
    _C.PATIENT_NOT_KNOWN: Text(
        "không biết tài nguyên này nói về ai: Patient không có trong Bundle, và cơ sở chưa gửi Patient này, hoặc bản "
        "mới nhất của Patient đang tạm giữ; khi Patient được ghi nhận, thông điệp này tự được xử lý lại.",
        "it is not known whom this is about: the Patient is not in the Bundle, and the facility has not sent it, or "
        "what it told of it last is held; once the Patient is accepted, this message is taken up again by itself.",
    ),
    _C.VISIT_NOT_KNOWN: Text(
        "lượt khám (Encounter) được nhắc đến không có trong Bundle và chưa được ghi vào sổ; khi Encounter đó được ghi, "
        "thông điệp này tự được xử lý lại.",
        "the Encounter that is named is not in the Bundle and not in the book; once it is filed, this message is taken "
        "up again by itself.",
    ),
    _C.PATIENT_DIFFERS: Text(
        "người bệnh khác với người bệnh của Encounter.", "the patient is another one than the Encounter's."
    ),
    _C.IDENTIFIER_MALFORMED: Text(
        "sai định dạng của loại số này: phải là {detail}.", "not in the form of this kind of number: must be {detail}."
    ),
    _C.IDENTIFIER_PLACEHOLDER: Text(
        "giá trị điền tạm (ví dụ toàn một chữ số), không phải số giấy tờ; nếu không có, hãy bỏ identifier này.",
        "a filler (such as one digit repeated), not a document number; leave this identifier out.",
    ),
    _C.IDENTIFIER_NONE: Text(
        "không có số định danh, hộ chiếu, số thẻ BHYT hay số nào khác do cơ quan cấp (identifier có system): "
        "chưa biết ghi vào sổ của ai, nên được giữ lại, chưa hiển thị.",
        "no identity number, passport, insurance card or other issued number (an identifier with a system): it is not "
        "known whose book this belongs to, so it is kept and not shown.",
    ),
    _C.NAME_GARBLED: NAME_GARBLED,
    _C.PATIENT_LINK: Text(
        "việc ghép hoặc ngừng dùng hồ sơ người bệnh ở cơ sở không ghép sổ nào: sổ đi theo số giấy tờ, và chỉ người dân "
        "xác nhận ghép số của mình. Bản ghi nằm nhầm sổ: thu hồi rồi gửi lại theo đúng Patient.",
        "Patients that a facility links or no longer uses join no books: a book goes by identity numbers, and only the "
        "citizen confirms that another number is theirs. What stands in the wrong book: withdraw it, and send it again "
        "under the right Patient.",
    ),
    _C.PATIENT_RECORDS_STAY: Text(
        "tên của Patient này từ nay không chỉ ai nữa; các bản ghi đã gửi vẫn ở trong sổ, hãy thu hồi từng lượt khám.",
        "the name of this Patient means nobody from now on; records that were sent stay in the book: withdraw each "
        "visit.",
    ),
    _C.IDENTIFIER_NOT_USED: Text(
        "số giấy tờ thứ hai không được dùng để nhận diện.", "a second document number is not used to find the person."
    ),
    _C.KIND_NOT_READ: Text(
        "loại tài nguyên này không được ghi vào sổ; nó vẫn nằm trong thông điệp đã lưu.",
        "this kind of resource is not filed in the book; it stays in the message that was kept.",
    ),
    _C.NOTHING_STATED: Text(
        "tài nguyên chỉ nói là không có thông tin: không có gì để ghi.",
        "the resource only says that there is no information: there is nothing to file.",
    ),
    _C.NOT_FINAL: Text(
        "chưa có kết quả chính thức (status); hãy gửi lại khi có.",
        "there is no final result yet (status); send it again when there is.",
    ),
    _C.NOT_DONE: Text(
        "điều này chưa, hoặc không, được thực hiện (status): không ghi vào sổ.",
        "this was not, or not yet, done (status): it is not filed.",
    ),
    _C.ORDER_KEPT: Text(
        "chỉ định được ghi cùng kết quả hoặc dịch vụ đã thực hiện; bản thân nó không phải một mục của sổ.",
        "an order is filed with its result or with what was done; by itself it is no record of the book.",
    ),
    _C.NO_VISIT_NAMED: Text(
        "không ghi Encounter nào: được ghi vào một lượt khám riêng của ngày đó.",
        "no Encounter is named: it is filed under a visit of its own for that day.",
    ),
    _C.APPOINTMENT_FAR_OFF: Text(
        "lịch hẹn cách hiện tại hơn {limit} năm.", "the appointment is more than {limit} years ahead."
    ),
    _C.SENSITIVE_HELD_BACK: Text(
        "dữ liệu nhạy cảm: đã nhận và lưu kín cùng thông điệp, không ghi vào sổ và không chia sẻ cho ai.",
        "sensitive: received and kept sealed with the message, not filed in the book and shared with nobody.",
    ),
    _C.MORE_PROBLEMS: Text(
        "còn {limit} điểm nữa không liệt kê; hãy sửa các điểm trên rồi gửi lại.",
        "{limit} more problems are not listed; correct those above and send again.",
    ),
}


def describe(code: FhirCode, *, detail: Text | None = None, limit: int | None = None) -> Text:
    """Return the words of a remark, without its place."""
    text, words = TEXTS[code], detail or Text("", "")
    return Text(text.vi.format(detail=words.vi, limit=limit), text.en.format(detail=words.en, limit=limit))
