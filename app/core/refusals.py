"""What people are told when PostgreSQL says no: by the message of its RAISE, with the way out.

A message that does not stand here is told in the general words of its error. Who reads it has done the refused thing
themselves: no sentence tells of anybody else.
"""

from collections.abc import Mapping
from typing import Final

from app.core.errors import Text

NOT_A_CITIZEN: Final = "not a citizen's session"

WORDS: Final[Mapping[str, Text]] = {
    NOT_A_CITIZEN: Text(
        "Bạn đang đăng nhập với tư cách người hành nghề nên không có sổ riêng ở đây. Sổ được chia sẻ mở bằng "
        "sharedHealthBook; muốn xem sổ của chính mình, hãy đăng nhập với tư cách người dân.",
        "You are signed in as a practitioner, who has no book of their own here. Open a shared book with "
        "sharedHealthBook; to see your own book, sign in as a citizen.",
    ),
    "agreed already": Text(
        "Bạn đã đồng ý với mục đích này và vẫn còn hiệu lực. Muốn thay đổi: withdrawConsent rồi giveConsent lại.",
        "You agreed to this purpose already and it holds. To change that: withdrawConsent, then giveConsent again.",
    ),
    "asked already": Text(
        "Người này đã được đề nghị. Hãy chờ trả lời, hoặc rút đề nghị bằng endRepresentation.",
        "This person was asked already. Wait for the answer, or take it back with endRepresentation.",
    ),
    "enough representatives": Text(
        "Đã đủ tám người đại diện, kể cả những người chưa trả lời. Hãy chấm dứt một người bằng endRepresentation.",
        "There are eight representatives, those who have not answered counted. End one with endRepresentation.",
    ),
    "claimed already": Text(
        "Bạn đã gửi đề nghị này. Hãy mang giấy tờ đến nơi tiếp nhận.",
        "You made this claim already. Show the papers at the service desk.",
    ),
    "enough claims": Text(
        "Bạn đã có năm đề nghị đang chờ. Hãy mang giấy tờ đến nơi tiếp nhận, hoặc rút một đề nghị bằng withdrawClaim.",
        "Five of your claims are waiting. Show the papers at the service desk, or take one back with withdrawClaim.",
    ),
    "another has it now": Text(
        "Cơ sở đã gửi lượt khám này cho người khác nên không thể lấy lại. Nếu đó là nhầm lẫn, hãy liên hệ cơ sở.",
        "Its facility has sent this visit for somebody else, so it cannot come back. If that is wrong, ask it.",
    ),
    "represented already": Text(
        "Người này đã là người đại diện của trẻ. Không cần duyệt thêm; hãy từ chối đề nghị này bằng family refuse.",
        "This person represents the child already. Nothing is left to approve; refuse this claim with family refuse.",
    ),
    "you represent them already": Text(
        "Bạn đã đại diện cho người này với cùng tư cách. Không cần chấp nhận thêm; hãy từ chối bằng endRepresentation.",
        "You represent this person in the same way already. Nothing is left to accept; decline with endRepresentation.",
    ),
    "still being taken out": Text(
        "Hồ sơ đang được đưa ra khỏi sổ. Hãy thử lại sau ít phút.",
        "The record is still being taken out of the book. Try again in a few minutes.",
    ),
    "the papers name others": Text(
        "Giấy tờ không khớp với đề nghị: hai số định danh phải là của trẻ và của người đã gửi đề nghị.",
        "The papers do not agree with the claim: the two personal ids must be the child's and the claimant's.",
    ),
    "no such child": Text(
        "Không có sổ nào của trẻ với số, họ tên và ngày sinh đã khai, hoặc sổ đã đóng.",
        "There is no book of a child with this number, name and birth date, or it is closed.",
    ),
    "this key was used for something else": Text(
        "idempotencyKey này đã được dùng cho một yêu cầu khác. Hãy gửi lại với một khóa mới.",
        "This idempotencyKey was used for another request. Send this one with a new key.",
    ),
    "the last representative": Text(
        "Bạn là người đại diện cuối cùng của một trẻ dưới 14 tuổi nên chưa thể thôi đại diện. Hãy mời thêm người đại "
        "diện bằng askRepresentative, đợi họ nhận lời rồi làm lại bước này.",
        "You are the last representative of a child under 14 and cannot leave yet. Ask another one with "
        "askRepresentative and, once they have accepted, do this again.",
    ),
    "paired already": Text(
        "Bạn đã ghép đôi với hệ thống của cơ sở này. Muốn ghép lại: unpairFacility trước.",
        "You have paired with this facility's system already. To pair anew: unpairFacility first.",
    ),
    "one's own already": Text(
        "Số này đã thuộc về sổ của bạn, không cần ghép thêm. Danh sách: me { identifiers }.",
        "This number is your own already: nothing needs to be joined. See me { identifiers }.",
    ),
    "its visit is hidden": Text(
        "Lượt khám chứa hồ sơ này đang được ẩn. Hãy bỏ ẩn lượt khám bằng unmaskRecords trước.",
        "The visit of this record is hidden. Show the visit again with unmaskRecords first.",
    ),
    "enough requests": Text(
        "Đã có năm yêu cầu sửa cho hồ sơ này trong 30 ngày qua.",
        "There are five requests for this record in the last 30 days; wait for the facility's answer.",
    ),
    "enough reports": Text(
        "Bạn đã báo đủ số phản ứng cho mũi tiêm này. Nếu tình trạng nặng lên, hãy gọi 115 hoặc đến cơ sở y tế.",
        "Enough reactions were reported for this dose. If it gets worse, call 115 or see a health facility.",
    ),
    "three codes are live": Text(
        "Đã có ba mã còn hiệu lực. Hãy hủy một mã bằng cancelShareCode, hoặc chờ mã hết hạn.",
        "Three codes are live. Cancel one with cancelShareCode, or wait until one expires.",
    ),
    "sharing is frozen": Text(
        "Việc chia sẻ đang bị khóa. Hãy mở khóa bằng freezeSharing.",
        "Sharing is frozen. Lift it with freezeSharing.",
    ),
    "that code exists": Text(
        "Không tạo được mã này. Hãy gửi lại với một idempotencyKey mới.",
        "This code could not be made. Send the request again with a new idempotencyKey.",
    ),
    "who asked is not there now": Text(
        "Người xin xem hiện không hành nghề tại cơ sở đó. Hãy đề nghị họ xin lại.",
        "Who asked does not practise at that facility now. Let them ask again.",
    ),
    "no such scope": Text(
        "scope không hợp lệ: sections cần ít nhất một mục, from không được sau to, recordIds là mã của hồ sơ, "
        "facilityCodes là mã cơ sở, không quá 20 ký tự.",
        "scope is not valid: sections needs at least one, from may not be after to, recordIds are ids of records, "
        "facilityCodes are codes of facilities, of at most 20 characters.",
    ),
    "no such list in a scope": Text(
        "scope không hợp lệ: recordIds nhận từ 1 đến 200 mã, facilityCodes từ 1 đến 50 mã; không giới hạn thì bỏ đi.",
        "scope is not valid: recordIds takes 1 to 200 ids, facilityCodes 1 to 50 codes; leave them out for no limit.",
    ),
    "no such name in a scope": Text(
        "scope không hợp lệ: sections hoặc sensitive có một tên không tồn tại.",
        "scope is not valid: sections or sensitive has a name that does not exist.",
    ),
    "nothing of it to share": Text(
        "scope không có mục nào bạn được chia sẻ thay người này: xem healthBook { scope { sections } } của sổ đó.",
        "scope has no section that you may share for this person: see healthBook { scope { sections } } of that book.",
    ),
    "no such code": Text(
        "redeemableMinutes từ 1 đến 10080, accessMinutes từ 5 đến 525600; mã dùng được quá 60 phút cần withPin.",
        "redeemableMinutes is 1 to 10080, accessMinutes 5 to 525600; a code good beyond 60 minutes needs withPin.",
    ),
    "no such request": Text(
        "accessMinutes phải từ 5 đến 525600; scope của một yêu cầu xin xem không nhận recordIds.",
        "accessMinutes must be 5 to 525600; the scope of a request takes no recordIds.",
    ),
    "more than was asked for": Text(
        "Không thể cho xem nhiều hơn hoặc lâu hơn những gì được xin: hãy thu hẹp scope, và accessMinutes từ 5 phút.",
        "No more and no longer than was asked for can be given: narrow scope, and accessMinutes from 5 minutes on.",
    ),
    "no reason": Text(
        "reason phải là lời giải thích đọc được, dài từ 20 đến 500 ký tự.",
        "reason must be words that can be read, 20 to 500 characters.",
    ),
    "no such text": Text(
        "purpose và version không phải của một văn bản đang có hiệu lực (me { consentTexts }), hoặc sự đồng ý này chỉ "
        "đi cùng askRepresentative, createShareCode hoặc approveShareRequest.",
        "purpose and version are of no text in force (me { consentTexts }), or this consent comes with "
        "askRepresentative, createShareCode or approveShareRequest alone.",
    ),
    "not a time of a reaction": Text(
        "reactedAt phải từ một ngày trước lúc tiêm đến bây giờ.",
        "reactedAt must be between a day before the injection and now.",
    ),
    "not to be asked": Text(
        "Người lớn ủy quyền (MANDATE) cho sổ của chính mình: bỏ citizenId, cần extent là FULL hoặc SUMMARY. PARENT và "
        "GUARDIAN là của một trẻ: cần citizenId, bỏ extent. until không được ở quá khứ; COURT đăng ký từ giấy tờ.",
        "An adult gives a MANDATE for their own book: no citizenId, and extent FULL or SUMMARY. PARENT and GUARDIAN "
        "are a child's: citizenId, and no extent. until may not be past; COURT is registered from papers.",
    ),
    "first is 1 to 1000": Text("Tham số first phải từ 1 đến 1000.", "Argument first must be from 1 to 1000."),
    "questioned already": Text(
        "Bạn đã yêu cầu giải trình dòng này; câu trả lời và hạn trả lời hiện trong nhật ký truy cập.",
        "You have questioned this line already: its answer, and the day it is due, stand in the access log.",
    ),
    "a practitioner at two places at once": Text(
        "Một người hành nghề không thể ở hai nơi cùng lúc: hãy xem lại các lịch của người này.",
        "A practitioner cannot be at two places at once: look at this practitioner's schedules.",
    ),
    "the idempotency key was used with other bytes": Text(
        "Idempotency-Key này đã được dùng cho một nội dung khác. Hãy gửi nội dung mới với một khóa mới.",
        "This Idempotency-Key was used with other bytes. Send new content with a new key.",
    ),
    "the message is concluded already": Text(
        "Thông điệp này đã được xử lý xong. Hãy đọc biên nhận của nó.",
        "This message is concluded already. Read its receipt.",
    ),
    "closed already": Text(
        "Tài khoản này đã đóng. Nếu đóng nhầm: sokhoe citizen reopen.",
        "This account is closed already. If that was a mistake: sokhoe citizen reopen.",
    ),
    "not closed": Text(
        "Tài khoản này không bị đóng bằng sokhoe citizen close nên không có gì để mở lại.",
        "This account was not closed by sokhoe citizen close: there is nothing to open again.",
    ),
    "another sealer has taken over": Text(
        "Một tiến trình niêm phong khác đã tiếp quản. Không cần làm gì.",
        "Another sealer has taken over. Nothing needs to be done.",
    ),
}
