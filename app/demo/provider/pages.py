"""The pages of the local identity provider: choose who signs in, and see who is signed in."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

from app.demo.provider.accounts import Account

_STYLE: Final = (
    "body{font:1.05rem/1.5 system-ui,sans-serif;margin:0;background:#fbf3f1;color:#2b1512}"
    "main{max-width:40rem;margin:6vh auto;padding:2rem;background:#fff;border-radius:1rem}"
    "h1{font-size:1.4rem;margin:0}p{margin:.4rem 0}.en,small{color:#6d5450}"
    "button{display:block;width:100%;text-align:left;font:inherit;margin:.4rem 0;padding:.7rem;border:1px solid #dcc;"
    "border-radius:.6rem;background:#fff;cursor:pointer}button:hover{background:#fbf3f1}.no{border:0;color:#a3261b}"
)


def choose(accounts: Iterable[Account], *, ticket: str) -> str:
    """Return the page on which a person chooses an account."""
    buttons = "".join(
        f'<button name="account" value="{escape(account.name)}">{escape(account.full_name)} '
        f"<small>· {account.birth_on:%d/%m/%Y} · mức độ {account.level}"
        f"{' · ' + escape(account.note) if account.note else ''}</small></button>"
        for account in accounts
    )
    return _page(
        "Định danh điện tử (giả lập)",
        "<p>Mọi người ở đây đều là hư cấu. Chọn người đăng nhập vào Sổ Khỏe:</p>"
        '<p class="en" lang="en">A stand-in for VNeID; everybody here is made up. Choose who signs in to Sổ Khỏe:</p>'
        f'<form method="post" action="/authorize"><input type="hidden" name="ticket" value="{escape(ticket)}">'
        f'{buttons}<button class="no" name="account" value="">Không đăng nhập · Do not sign in</button></form>',
    )


def signed_in(sessions: Mapping[str, Account], *, told: str) -> str:
    """Return the page that lists sessions, each with its way out."""
    rows = "".join(
        f'<form method="post" action="/logout"><button name="sid" value="{escape(sid)}">{escape(account.full_name)} '
        "<small>· đăng xuất · sign out</small></button></form>"
        for sid, account in sessions.items()
    )
    empty = "<p>Chưa có ai đăng nhập. · Nobody is signed in.</p>"
    note = f"<p><strong>{escape(told)}</strong></p>" if told else ""
    return _page("Phiên định danh · Sessions", f"{note}{rows or empty}")


def refused(why: str) -> str:
    """Return the page of a request that a provider must not answer with a redirect."""
    return _page("Yêu cầu không hợp lệ · Bad request", f"<p>{escape(why)}</p>")


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )
