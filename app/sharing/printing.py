"""A share code for the eye and for paper: a QR that holds the code and nothing else, and a slip to print."""

from app.core.codes import shown, spoken
from app.core.qr import qr_svg

_SLIP = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><title>Mã chia sẻ sổ sức khỏe</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>:root{{color-scheme:light;background:#fff;color:#000}}
body{{font:16px/1.5 sans-serif;margin:1.5rem auto;padding:0 1rem;max-width:32rem}}h1{{font-size:1.3rem}}
svg{{display:block;width:12rem;height:12rem}}
.code{{font:bold min(2rem,8.5vw)/1.5 monospace;letter-spacing:.05em;white-space:nowrap}}
li{{display:inline-block;margin-right:.6em}}ol{{padding:0}}
@page{{margin:6mm}}
@media print{{body{{margin:0;padding:0;font-size:11pt}}p,ol,svg{{break-inside:avoid;margin:.4rem 0}}}}
@media print and (max-width:100mm){{body{{font-size:9pt}}h1{{font-size:12pt}}.code{{font-size:17pt}}
svg{{width:9rem;height:9rem}}}}</style>
</head>
<body><main><h1>Mã chia sẻ sổ sức khỏe</h1><p class="code">{code}</p>{qr}
<ol>{spoken}</ol>
<p>Đưa mã này cho bác sĩ. Mã dùng được một lần, đến {until}.{pin}</p>
<p lang="en">Show this code to the doctor. It works once, until {until}.{pin_en}</p></main></body></html>
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
