"""The two pages of `rein-tui web`: the login, and the one that holds the screen. They load nothing from elsewhere."""

from html import escape

_STYLE = """body{background:#0e1116;color:#d7dae0;font:16px system-ui;margin:0}
form,#ended{display:grid;gap:.8rem;width:22rem;margin:35vh auto}
input,button{font:inherit;padding:.6rem;border:1px solid #4a5060;border-radius:.3rem;background:#1d2028;color:inherit}
p{margin:0;color:#e5a05c;min-height:1.2em}#ended{display:none}
.textual-terminal{height:100vh}body.-closed #ended{display:grid}body.-closed .textual-terminal{display:none}"""

_HEAD = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>rein-tui</title><style>{_STYLE}</style>'

_LOGIN = """{head}
<form method="post" action="/login"><label for="token">The token of this server</label>
<input id="token" name="token" type="password" autocomplete="off" autofocus required>
<button>Open the screen</button><p role="alert">{problem}</p></form></html>"""

_SCREEN = """{head}
<link rel="stylesheet" href="/static/css/xterm.css"><script src="/static/js/textual.js"></script><body>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="{size}"></div>
<div id="ended"><p role="status">This screen has ended; its session is stored.</p>
<button id="again">Open another</button></div>
<script nonce="{nonce}">
new MutationObserver((_, watch) => {{  // keys go to the terminal at once, without a click
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys && document.body.classList.contains("-first-byte")) {{ watch.disconnect(); keys.focus(); }}
}}).observe(document.body, {{ attributes: true, childList: true, subtree: true }});
document.getElementById("again").onclick = () => location.reload();
</script></html>"""


def login_page(problem: str) -> str:
    """The form that asks for the token."""
    return _LOGIN.format(head=_HEAD, problem=escape(problem))


def screen_page(socket: str, size: int, nonce: str) -> str:
    """The page that holds a screen; `socket` is the URL of its WebSocket, `nonce` lets its own script run."""
    return _SCREEN.format(head=_HEAD, socket=escape(socket), size=size, nonce=nonce)


def policy_of(nonce: str = "") -> str:
    """The Content-Security-Policy of these pages."""
    scripts = f"'self' 'nonce-{nonce}'" if nonce else "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
