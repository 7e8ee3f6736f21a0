# What the app shows. $has_facility and $has_day are 0 where the event does not know them; $reason may be empty.

EMERGENCY-OPENED = Sổ của bạn được mở khẩn cấp
    .text = Một người hành nghề{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    } đã mở sổ của bạn trong trường hợp khẩn cấp. Xem ai, khi nào và vì lý do gì trong nhật ký truy cập; nếu không đúng, hãy gửi thắc mắc.
DEVICE-ADDED = Thiết bị mới đăng nhập
    .text = Tài khoản của bạn vừa đăng nhập trên một thiết bị mới. Nếu không phải bạn, hãy kết thúc phiên đó trong mục Thiết bị.
SESSION-REUSED = Một phiên đã bị kết thúc để bảo vệ bạn
    .text = Mã gia hạn của một phiên được dùng lại, có thể do bị đánh cắp. Chúng tôi đã kết thúc phiên đó; hãy đăng nhập lại.
SESSION-ENDED = Một phiên đăng nhập đã kết thúc
    .text = Bạn đã đăng nhập trên nhiều thiết bị, nên phiên cũ nhất đã kết thúc.
FACTOR-CHANGED = Xác thực hai bước đã thay đổi
    .text = Mã xác thực hai bước của bạn vừa được đăng ký hoặc thay đổi. Nếu không phải bạn, hãy đăng nhập lại qua tài khoản định danh.
FACTOR-LOCKED = Xác thực hai bước tạm khóa
    .text = Mã xác thực hai bước bị nhập sai nhiều lần nên tạm bị khóa.
CODE-REDEEMED = Mã chia sẻ đã được sử dụng
    .text = Một người hành nghề{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    } đã dùng mã chia sẻ của bạn. Bạn có thể thu hồi quyền xem bất cứ lúc nào.
CODE-REFUSED = Mã chia sẻ bị từ chối
    .text = Có người thử dùng mã chia sẻ của bạn nhưng không được{ $reason ->
        [WRONG_PIN] : mã PIN sai
        [USED] : mã đã được dùng trước đó
        [CANCELLED] : mã đã bị hủy
        [EXPIRED] : mã đã hết hạn
        [TRIES_SPENT] : mã đã bị thử sai ba lần
        [NOT_PRACTISING_THERE] : người đó không hành nghề tại cơ sở đã khai
        [NOT_FOR_THIS_VIEWER] : mã không dành cho người đó, hoặc bạn đã đăng xuất hay khóa chia sẻ
       *[other] {""}
    }. Chi tiết có trong mục Chia sẻ.
GRANT-ENDING = Quyền xem sổ sắp hết hạn
    .text = Một quyền xem sổ của bạn sắp hết hạn. Nếu cần, hãy tạo mã chia sẻ mới.
GRANT-ENDED = Quyền xem sổ đã kết thúc
    .text = Một quyền xem sổ của bạn đã kết thúc.
SHARE-REQUESTED = Bác sĩ xin xem sổ của bạn
    .text = Một người hành nghề{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    } xin xem sổ của bạn. Bạn quyết định cho xem phần nào, đến khi nào.
BOOK-OPENED = Có người đã xem sổ của bạn
    .text = Sổ của bạn vừa được mở{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    }. Chi tiết có trong nhật ký truy cập.
GUARDIAN-ADDED = Có thêm người đại diện
    .text = Một quan hệ đại diện vừa được thêm vào tài khoản của bạn. Xem trong mục Gia đình.
GUARDIAN-ENDED = Một quan hệ đại diện đã kết thúc
    .text = Một quan hệ đại diện của bạn đã kết thúc. Xem trong mục Gia đình.
GUARDIAN-BIRTHDAY = Quyền đại diện sắp thay đổi
    .text = Vì một sinh nhật sắp tới, quyền của người đại diện sẽ thay đổi{ $has_day ->
        [0] {""}
       *[other] {" từ ngày "}{ $day }
    }. Xem trong mục Gia đình.
RESULT-READY = Có kết quả mới
    .text = Kết quả mới{ $has_facility ->
        [0] {""}
       *[other] {" từ "}{ $facility }
    } đã có trong sổ của bạn.
RECORD-DISOWNED = Một hồ sơ đã được tách khỏi sổ
    .text = Hồ sơ mà bạn báo không phải của mình đã được tách khỏi sổ; cơ sở gửi đã được báo lại.
APPOINTMENT-BOOKED = Đã đặt lịch hẹn
    .text = Bạn có lịch hẹn{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    }{ $has_day ->
        [0] {""}
       *[other] {" vào "}{ $time } {"ngày "}{ $day }
    }.
APPOINTMENT-CHANGED = Lịch hẹn đã thay đổi
    .text = Lịch hẹn của bạn{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    } đã được đổi{ $has_day ->
        [0] {""}
       *[other] {" sang "}{ $time } {"ngày "}{ $day }
    }.
APPOINTMENT-CANCELLED = Lịch hẹn đã hủy
    .text = Lịch hẹn của bạn{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    } đã bị hủy.
APPOINTMENT-DUE = Nhắc lịch hẹn
    .text = Bạn có lịch hẹn{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    }{ $has_day ->
        [0] {""}
       *[other] {" lúc "}{ $time } {"ngày "}{ $day }
    }.
WAITLIST-OFFERED = Có chỗ trống cho bạn
    .text = Một chỗ vừa trống{ $has_facility ->
        [0] {""}
       *[other] {" tại "}{ $facility }
    }. Hãy trả lời trước khi hết thời gian giữ chỗ.
OTHER = Có thông báo mới
    .text = Có thay đổi trong tài khoản của bạn.

# What a locked phone shows: one sentence a class, nothing about health.

push-EMERGENCY = Khẩn: sổ của bạn vừa được mở. Hãy mở ứng dụng để xem.
push-SECURITY = Có thông báo bảo mật về tài khoản của bạn.
push-SHARING = Có thông báo mới về việc chia sẻ sổ.
push-FAMILY = Có thông báo mới về người đại diện.
push-RECORDS = Sổ của bạn có nội dung mới.
push-APPOINTMENTS = Có thông báo mới về lịch hẹn.
