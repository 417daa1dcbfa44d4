#!/usr/bin/env python3
"""Makes the fixed values of format.rs, by SECURITY.md's words and Python's own HMAC."""

import base64
import hashlib
import hmac


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def prefixed(text):
    return len(text).to_bytes(2, "big") + text.encode()


def derived(purpose, audience, cookie):
    """HKDF-SHA-256 (RFC 5869); one block of output is enough."""
    info = b"".join(map(prefixed, ["v2", purpose, audience, cookie]))
    return mac(mac(b"rocket-login", SECRET), info + b"\1")


def text(signed, key):
    return base64.urlsafe_b64encode(signed + mac(key, signed)[:16]).rstrip(b"=").decode()


SECRET = base64.b64decode("UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=")
AUDIENCE = "app"
REALM = AUDIENCE + "\nlogin_session"
START = 1_800_000_000
KEY_ID = derived("key id", AUDIENCE, "")[:4]
PASSWORD = b"password of alice"


def token(purpose, kind, flags, cookie, auth_at, lifetime):
    session_hash = mac(
        derived("session hash", AUDIENCE, cookie),
        b"\1" + len(PASSWORD).to_bytes(8, "big") + PASSWORD,
    )
    client = bytes([4, 192, 0, 2, 1]) + b"\1" + b"Firefox"
    protection = mac(derived("protection", AUDIENCE, cookie), client)
    times = [auth_at, START, START, START + lifetime]
    signed = bytes([2, kind, flags]) + KEY_ID + bytes(range(16)) + bytes(range(8))
    signed += b"".join(time.to_bytes(5, "big") for time in times)
    signed += session_hash[:12] + protection[:12] + prefixed("alice")
    return text(signed, derived(purpose, AUDIENCE, cookie))


def value(purpose, value, expires_at):
    signed = bytes([2, 3]) + KEY_ID + expires_at.to_bytes(8, "big") + value.encode()
    purpose = f"value: application {len(REALM)}:{REALM}: {purpose}"
    return text(signed, derived(purpose, AUDIENCE, ""))


print("session ", token("session", 1, 2, "login_session", START, 24 * 60 * 60))
print("remember", token("remember", 2, 0, "remember_token", 0, 365 * 24 * 60 * 60))
print("value   ", value("invitation", "group 7", START + 60))
