"""The pages of a sign-in that ends here: Vietnamese first, English below, fixed texts, no script."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final

from app.core.errors import Text
from app.identity.login import Page

_STYLE: Final = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;margin:0;background:#f4f7f6;color:#16302b}"
    "main{max-width:34rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:1rem}"
    "h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:.5rem 0}.en{color:#49605a;font-size:1rem}"
    "a{display:inline-block;margin-top:1rem;padding:.6rem 1.2rem;border-radius:.6rem;background:#0b6b57;color:#fff;"
    "text-decoration:none}small{color:#49605a}"
)
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

_TEXTS: Final[Mapping[Page, tuple[int, Text, Text]]] = {
    Page.BAD_REQUEST: (
        400,
        Text("Yêu cầu đăng nhập không hợp lệ", "The sign-in request is not valid"),
        Text(
            "Ứng dụng đã gửi bạn đến đây chưa được đăng ký, hoặc đã gửi sai địa chỉ. "
            "Hãy cập nhật ứng dụng rồi thử lại; đừng nhập thông tin cá nhân ở trang đã đưa bạn đến đây.",
            "The app that sent you here is not registered, or sent a wrong address. Update the app and try again; "
            "do not enter personal data on the page that led you here.",
        ),
    ),
    Page.NOT_THIS_LOGIN: (
        400,
        Text("Lượt đăng nhập này không còn hiệu lực", "This sign-in is not valid any more"),
        Text(
            "Lượt đăng nhập đã dùng rồi, đã quá hạn, hoặc bắt đầu ở một trình duyệt khác. "
            "Hãy quay lại ứng dụng và đăng nhập lại từ đầu.",
            "It was used already, is too old, or began in another browser. Go back to the app and start again.",
        ),
    ),
    Page.NOT_PROVED: (
        400,
        Text("Không xác thực được lượt đăng nhập", "The sign-in could not be verified"),
        Text(
            "Thông tin mà hệ thống định danh gửi về không hợp lệ nên chúng tôi đã dừng lại để bảo vệ bạn. "
            "Hãy quay lại ứng dụng và thử lại.",
            "What the identity system sent is not valid: we stopped to protect you. Go back to the app and try again.",
        ),
    ),
    Page.NO_PERSONAL_ID: (
        403,
        Text("Tài khoản chưa có số định danh cá nhân", "The account has no personal id number"),
        Text(
            "Sổ sức khỏe cần số định danh cá nhân gồm 12 chữ số. Hãy cập nhật tài khoản định danh của bạn.",
            "A health book needs the 12-digit personal id number. Please update your identity account.",
        ),
    ),
    Page.NO_PRACTITIONER: (
        403,
        Text("Chưa có giấy phép hành nghề còn hiệu lực", "No practising certificate in force"),
        Text(
            "Tài khoản của bạn không khớp với giấy phép hành nghề nào còn hiệu lực tại một cơ sở đang hoạt động. "
            "Hãy hỏi cơ sở nơi bạn làm việc, hoặc đăng nhập với tư cách người dân.",
            "Your account matches no practising certificate in force at an active facility. Ask the facility where "
            "you work, or sign in as a citizen.",
        ),
    ),
    Page.ORGANISATION: (
        403,
        Text("Đây là tài khoản của tổ chức", "This is an organisation's account"),
        Text(
            "Sổ sức khỏe chỉ dành cho cá nhân. Hãy đăng nhập bằng tài khoản định danh cá nhân.",
            "Health books are for persons. Please sign in with a personal identity account.",
        ),
    ),
    Page.DOES_NOT_FIT: (
        403,
        Text("Thông tin không khớp", "The data do not agree"),
        Text(
            "Thông tin của tài khoản định danh không khớp với sổ sức khỏe đã có nên chúng tôi không mở sổ. "
            "Hãy mang giấy tờ tùy thân đến cơ sở y tế gần nhất để được đối chiếu.",
            "The identity account does not agree with the health book that is there, so it stays closed. "
            "Please have it checked at the nearest health facility, with your identity card.",
        ),
    ),
    Page.ANOTHER_NUMBER: (
        403,
        Text("Tài khoản có số định danh khác trước", "The account has another personal id than before"),
        Text(
            "Số định danh của tài khoản không khớp với số mà lần trước bạn đã đăng nhập nên chúng tôi không mở sổ. "
            "Nếu bạn được cấp lại số định danh, hãy mang giấy xác nhận có cả số cũ và số mới đến cơ sở y tế gần nhất: "
            "cơ sở báo đơn vị vận hành Sổ Khỏe ghi nhận, rồi bạn đăng nhập lại bằng số mới và thấy sổ cũ của mình.",
            "The account's personal id is not the one that you signed in with before, so no book is opened. If you "
            "were given another number, take the paper that names the old and the new one to the nearest health "
            "facility: it has the operator of Sổ Khỏe record it. Then sign in again; your book is there.",
        ),
    ),
    Page.PROVIDER_DOWN: (
        503,
        Text("Hệ thống định danh đang không trả lời", "The identity system does not answer"),
        Text(
            "Chưa thể đăng nhập lúc này. Những phiên đang mở của bạn vẫn dùng bình thường. Hãy thử lại sau ít phút.",
            "Signing in is not possible right now. Sessions that are open go on working. Please try again soon.",
        ),
    ),
    Page.WE_ARE_BUSY: (
        503,
        Text("Sổ Khỏe đang bận", "Sổ Khỏe is busy"),
        Text(
            "Chưa thể đăng nhập lúc này và chưa có gì thay đổi. Hãy quay lại ứng dụng và thử lại sau ít phút.",
            "Signing in is not possible right now, and nothing has changed. Go back to the app and try again soon.",
        ),
    ),
}


def page_of(page: Page, *, request_id: str, back: str | None) -> tuple[int, str]:
    """Return the status and the HTML of a page; `back` leads to the app."""
    status, title, body = _TEXTS[page]
    link = f'<p><a href="{escape(back)}">Về ứng dụng · Back to the app</a></p>' if back else ""
    return status, (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title.vi} · Sổ Khỏe</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{title.vi}</h1><p>{body.vi}</p><div lang="en" class="en"><h1>{title.en}</h1><p>{body.en}</p></div>'
        f"{link}<p><small>Mã yêu cầu · Request id: {escape(request_id)}</small></p></main></body></html>"
    )
