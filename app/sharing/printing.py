"""A share code for the eye and for paper: a QR that holds the code and nothing else, and a slip to print."""

from app.core.codes import shown, spoken
from app.core.qr import qr_svg

_SLIP = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><title>Mã chia sẻ sổ sức khỏe</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{{font:16px/1.5 sans-serif;margin:2rem;max-width:32rem}}svg{{width:12rem;height:12rem}}
.code{{font:bold 2rem monospace;letter-spacing:.1em}}li{{display:inline;margin-right:.6em}}ol{{padding:0}}</style>
</head>
<body><h1>Mã chia sẻ sổ sức khỏe</h1><p class="code">{code}</p>{qr}
<ol>{spoken}</ol>
<p>Đưa mã này cho bác sĩ. Mã dùng được một lần, đến {until}.{pin}</p>
<p lang="en">Show this code to the doctor. It works once, until {until}.{pin_en}</p></body></html>
"""
_PIN = " Bác sĩ sẽ hỏi thêm mã PIN: không viết mã PIN lên giấy này."
_PIN_EN = " The doctor will ask for the PIN too: do not write it on this paper."


def slip_html(code: str, *, until: str, has_pin: bool) -> str:
    """Return a page to print: the code, its QR and how it is read aloud; no name, no PIN, nothing of the book."""
    return _SLIP.format(
        code=shown(code),
        qr=qr_svg(shown(code)),
        spoken="".join(f"<li>{phrase}</li>" for phrase in spoken(code)),
        until=until,
        pin=_PIN if has_pin else "",
        pin_en=_PIN_EN if has_pin else "",
    )
