"""The visitors' book in words: what each action is called, in both languages.

A sentence is made of three parts: who, where, what. `{purpose}` and `{facility}` stand for parts that may be empty.
"""

from collections.abc import Mapping
from enum import StrEnum

from app.core.errors import Text


class ActorKind(StrEnum):
    """Who did something; the first three are people, the last two are machines."""

    OWNER = "OWNER"
    REPRESENTATIVE = "REPRESENTATIVE"
    PRACTITIONER = "PRACTITIONER"
    FACILITY_SYSTEM = "FACILITY_SYSTEM"
    SYSTEM = "SYSTEM"


class Category(StrEnum):
    """Whether somebody looked, or something was changed."""

    VIEW = "VIEW"
    CHANGE = "CHANGE"


class QuestionReason(StrEnum):
    """Why a citizen questions a line."""

    UNKNOWN_PERSON = "UNKNOWN_PERSON"
    NO_VISIT = "NO_VISIT"
    TOO_MUCH = "TOO_MUCH"
    OTHER = "OTHER"


class QuestionState(StrEnum):
    """How far a question has come."""

    OPEN = "OPEN"
    JUSTIFIED = "JUSTIFIED"
    NOT_JUSTIFIED = "NOT_JUSTIFIED"


YOU = Text("Bạn", "You")
WHO: Mapping[ActorKind, Text] = {
    ActorKind.OWNER: Text("{name} (chủ sổ)", "{name} (the owner)"),
    ActorKind.REPRESENTATIVE: Text("{name} (người đại diện)", "{name} (representative)"),
    ActorKind.PRACTITIONER: Text("{name} (người hành nghề)", "{name} (practitioner)"),
    ActorKind.FACILITY_SYSTEM: Text("Hệ thống của cơ sở y tế", "A facility's system"),
    ActorKind.SYSTEM: Text("Sổ Khỏe", "Sổ Khỏe"),
}
AT = Text(" tại {facility}", " at {facility}")

PURPOSES: Mapping[str, Text] = {
    "TREATMENT": Text(" để khám, chữa bệnh", " for treatment"),
    "REFERRAL": Text(" để chuyển tuyến", " for a referral"),
    "SECOND_OPINION": Text(" để hội chẩn, cho ý kiến thứ hai", " for a second opinion"),
    "EMERGENCY": Text(" để cấp cứu", " in an emergency"),
    "OTHER": Text(" với mục đích khác", " for another purpose"),
}

ACTIONS: Mapping[str, Text] = {
    "BOOK_OPENED": Text("đã xem sổ sức khỏe{purpose}.", "viewed the health book{purpose}."),
    "EMERGENCY_OPENED": Text(
        "đã mở quyền xem khẩn cấp sổ sức khỏe.", "opened the health book under the emergency rule."
    ),
    "CODE_MADE": Text("đã tạo một mã chia sẻ{purpose}.", "made a share code{purpose}."),
    "CODE_CANCELLED": Text("đã hủy một mã chia sẻ.", "cancelled a share code."),
    "CODE_REFUSED": Text("đã bị từ chối khi dùng một mã chia sẻ.", "was refused when using a share code."),
    "GRANT_GIVEN": Text("đã nhận quyền xem sổ sức khỏe{purpose}.", "was given access to the health book{purpose}."),
    "GRANT_REVOKED": Text("đã thu hồi một quyền xem.", "revoked an access."),
    "SHARING_FROZEN": Text("đã khóa mọi việc chia sẻ.", "froze all sharing."),
    "SHARING_UNFROZEN": Text("đã mở lại việc chia sẻ.", "allowed sharing again."),
    "SHARE_REQUESTED": Text("đã xin xem sổ sức khỏe{purpose}.", "asked for access to the health book{purpose}."),
    "SHARE_REFUSED": Text("đã từ chối một yêu cầu xem.", "refused a request for access."),
    "RECORDS_MASKED": Text("đã ẩn hồ sơ với người khác.", "hid records from others."),
    "RECORDS_UNMASKED": Text("đã bỏ ẩn hồ sơ.", "showed hidden records again."),
    "CLASSES_MASKED": Text("đã ẩn nhóm dữ liệu nhạy cảm với người khác.", "hid classes of sensitive data from others."),
    "CLASSES_UNMASKED": Text("đã bỏ ẩn nhóm dữ liệu nhạy cảm.", "showed classes of sensitive data again."),
    "GUARDIAN_ASKED": Text("đã đề nghị một người làm đại diện.", "asked somebody to be a representative."),
    "GUARDIAN_CLAIMED": Text(
        "đã đề nghị được công nhận là người đại diện của một trẻ.", "claimed to represent a child."
    ),
    "GUARDIAN_ADDED": Text("đã ghi nhận một người đại diện.", "recorded a representative."),
    "GUARDIAN_ENDED": Text("đã chấm dứt việc đại diện.", "ended a representation."),
    "REACTION_REPORTED": Text("đã báo một phản ứng sau tiêm chủng.", "reported a reaction after a vaccination."),
    "RECORD_DISOWNED": Text("đã báo một hồ sơ không phải của mình.", "said that a record is not theirs."),
    "RECORD_TAKEN_BACK": Text("đã báo một hồ sơ đúng là của mình.", "said that a record is theirs after all."),
    "CORRECTION_REQUESTED": Text("đã yêu cầu sửa một hồ sơ.", "asked for a record to be corrected."),
    "CONSENT_GIVEN": Text("đã đồng ý với một mục đích xử lý dữ liệu.", "gave a consent."),
    "CONSENT_WITHDRAWN": Text("đã rút lại một sự đồng ý.", "withdrew a consent."),
    "IDENTIFIER_JOINED": Text("đã gắn thêm một số giấy tờ vào sổ.", "joined another document number to the book."),
    "IDENTIFIER_JOIN_UNDONE": Text("đã gỡ một số giấy tờ khỏi sổ.", "took a document number off the book again."),
    "PERSONAL_ID_REISSUED": Text(
        "đã ghi nhận số định danh được cấp lại: cả số cũ và số mới dẫn đến một sổ.",
        "recorded that the personal id was issued again: the old and the new number lead to one book.",
    ),
    "ACTIVATION_MADE": Text("đã cấp mã kích hoạt tài khoản cho hồ sơ này.", "made an activation code for this record."),
    "ACCOUNT_ACTIVATED": Text(
        "đã kích hoạt tài khoản bằng mã do cơ sở cấp.", "activated the account with the facility's code."
    ),
    "DEVICE_ADDED": Text("đã đăng nhập trên một thiết bị mới.", "signed in on a new device."),
    "DEVICE_NAMED": Text("đã đặt tên cho một thiết bị.", "named a device."),
    "ACCOUNT_CLOSED": Text("đã đóng tài khoản này.", "closed this account."),
    "ACCOUNT_REOPENED": Text("đã mở lại tài khoản này.", "opened this account again."),
    "SESSION_ENDED": Text("đã kết thúc một phiên đăng nhập.", "ended a session."),
    "SESSION_REUSED": Text(
        "đã đóng một phiên đăng nhập vì mã của phiên bị dùng lại.", "closed a session because its token was used again."
    ),
    "FACTOR_CHANGED": Text("đã thay đổi cách xác thực thứ hai.", "changed the second factor."),
    "FACTOR_LOCKED": Text(
        "đã khóa cách xác thực thứ hai sau nhiều lần sai.", "locked the second factor after too many wrong tries."
    ),
    "ACCESS_QUESTIONED": Text("đã yêu cầu giải trình một dòng nhật ký.", "questioned a line of this log."),
    "MESSAGE_EXPORTED": Text(
        "đã trích xuất một thông điệp chưa ghi hết vào sổ, để xử lý lỗi.",
        "took out a message that was not wholly filed, to mend what was wrong.",
    ),
    "QUESTION_ANSWERED": Text("đã trả lời yêu cầu giải trình.", "answered a question about this log."),
}
ANYTHING_ELSE = Text("đã thay đổi quyền hoặc tài khoản.", "changed a right or the account.")
GIVEN = Text("đã cho xem sổ sức khỏe{purpose}.", "gave access to the health book{purpose}.")
"""GRANT_GIVEN, when it was the citizen's side that did it."""
IN_PREVIEW = Text(
    "đã xem trước sổ sức khỏe như người được chia sẻ.", "previewed the health book as others would see it."
)
IN_EMERGENCY = Text("đã xem sổ sức khỏe trong trường hợp khẩn cấp.", "viewed the health book in an emergency.")
