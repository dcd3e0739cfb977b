"""Where a model may be asked: which addresses are this machine, and which may be spoken to.

Loads nothing heavy: a flag that names an address is looked at before the first paint.
"""

from urllib.parse import urlsplit

from ..protocol.errors import ConfigError


def is_loopback(url: str) -> bool:
    """Whether the address is this machine."""
    import ipaddress

    try:
        host = urlsplit(url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str, *, allow_http: bool = False) -> str:
    """The address without a trailing slash. Raises ConfigError unless it is https, or http on this machine.

    `allow_http` is a person's explicit consent to send prompts in the clear.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"This is not an address: {error}", where=url) from error
    if parts.scheme not in {"http", "https"}:
        raise ConfigError("The address must start with http:// or https://", where=url)
    if not host:
        raise ConfigError("The address names no server", where=url, hint="It looks like http://127.0.0.1:11434")
    if parts.username or parts.password:
        raise ConfigError("The address must not hold a password", where=f"{parts.scheme}://{parts.hostname}")
    if parts.scheme == "http" and not allow_http and not is_loopback(url):
        raise ConfigError(
            "http:// is only for this machine: prompts and keys would travel in the clear",
            where=url,
            hint='Use https://, a tunnel to localhost, or set "allowPlainHttp": true.',
        )
    return url.rstrip("/")
