"""Makes vectors.json with the real Flask and Flask-Login.

pip install flask==3.1.3 flask-login==0.6.3
python vectors.py > vectors.json
"""

import hashlib
import hmac
import json
import sys
import uuid
from datetime import timedelta

import flask
import flask_login
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner
from werkzeug.http import dump_cookie

NOW = 1_800_000_000
TEXT = "3f1b6c0a94d27e58b1c7d0e2f4a69853"
OLD = "9d70ce14b8a35f62e0c1a97d4b38f526"
LATIN_1 = "clé-über-schlüssel-9f31c7a0"
BYTES = bytes(range(0xE0, 0x100))
IDS = [
    "1",
    "alice@example.com",
    "a|b",
    "a b",
    "a,b;c",
    'quo"te\\back',
    "ünï",
    "😀",
    "١",
    "%31",
    "x" * 256,
    "../../x",
    "' OR 1=1--",
]

TimestampSigner.get_timestamp = lambda _: NOW


def app(secret, fallbacks=None, salt="cookie-session"):
    made = flask.Flask(__name__)
    made.config["SECRET_KEY"] = secret
    made.config["SECRET_KEY_FALLBACKS"] = fallbacks
    made.session_interface = type("Sessions", (SecureCookieSessionInterface,), {"salt": salt})()
    flask_login.LoginManager(made)
    return made


def named(secret):
    """Names a key: text as it is, bytes in hexadecimal."""
    return {"hex": secret.hex()} if isinstance(secret, bytes) else {"text": secret}


def wire(value):
    """Returns a value as Werkzeug writes it into `Set-Cookie`."""
    return dump_cookie("x", value, path=None, max_size=0).removeprefix("x=")


def session(data, secret=TEXT, salt="cookie-session"):
    made = app(secret, salt=salt)
    value = made.session_interface.get_signing_serializer(made).dumps(data)
    assert wire(value) == value
    return value


def remember(user_id, secret=TEXT):
    with app(secret).app_context():
        return wire(flask_login.encode_cookie(user_id))


def logged_in(user_id, **more):
    return {"_user_id": user_id, "_fresh": True, "_id": "c" * 128, **more}


def sessions():
    for user_id in IDS:
        yield user_id, TEXT, session(logged_in(user_id)), user_id, False
    yield "permanent", TEXT, session(logged_in("7", _permanent=True)), "7", True
    yield "a UUID", TEXT, session(logged_in(uuid.UUID(int=7))), str(uuid.UUID(int=7)), False
    yield "a number", TEXT, session(logged_in(7)), "7", False
    cart = {"cart": [("a", 1), {"b": b"bytes"}], "_flashes": [("message", "Hi")]}
    yield "with data of the application", TEXT, session(logged_in("7", **cart)), "7", False
    compressed = session(logged_in("7", text="compressible " * 500))
    assert compressed.startswith(".")
    yield "compressed", TEXT, compressed, "7", False
    yield "a key of bytes", BYTES, session(logged_in("7"), BYTES), "7", False
    yield "a key with accents", LATIN_1, session(logged_in("7"), LATIN_1), "7", False
    yield "a key outside Latin-1", "key of 16 bytes €", session(logged_in("7"), "key of 16 bytes €"), "7", False
    yield "nobody", TEXT, session({"cart": ["a"]}), None, False
    yield "an empty session", TEXT, session({}), None, False
    yield "another key", OLD, session(logged_in("7")), None, False
    yield "another salt", TEXT, session(logged_in("7"), salt="other"), None, False
    bomb = session(logged_in("7", text="a" * 2_000_000))
    assert len(bomb) < 4096
    yield "a bomb", TEXT, bomb, None, False


def remembered():
    for user_id in IDS:
        yield user_id, TEXT, remember(user_id), user_id
    yield "a key of bytes", BYTES, remember("7", BYTES), "7"
    yield "a key with accents", LATIN_1, remember("7", LATIN_1), "7"
    yield "another key", OLD, remember("7"), None
    sha256 = hmac.new(TEXT.encode(), b"7", hashlib.sha256).hexdigest()
    yield "another digest", TEXT, f"7|{sha256}", None
    yield "a capital tag", TEXT, remember("7").upper(), None


def clients():
    for address, agent in [
        ("192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("2001:db8::1", "it's a \"browser\""),
        ("192.0.2.1", "it's a browser"),
        ("192.0.2.1", "back\\slash\ttab"),
        ("192.0.2.1", "Br\u00fcwser \u20ac"),
        ("192.0.2.1", ""),
        ("192.0.2.1", None),
        (None, None),
    ]:
        environ = {"REMOTE_ADDR": address} if address else {}
        if agent is not None:
            # A server hands the bytes of a header on as Latin-1 (PEP 3333).
            environ["HTTP_USER_AGENT"] = agent.encode().decode("latin-1")
        with app(TEXT).test_request_context(environ_overrides=environ) as context:
            if agent is None:
                context.request.environ.pop("HTTP_USER_AGENT", None)
            if address is None:
                context.request.remote_addr = None
            yield address, agent, flask_login.utils._create_identifier()


# Signed before the check of the age, by Flask's own rule.
assert app(TEXT).permanent_session_lifetime == timedelta(days=31)

json.dump(
    {
        "signed_at": NOW,
        "sessions": [
            {"what": what, "key": named(key), "value": value, "user_id": user_id, "permanent": permanent}
            for what, key, value, user_id, permanent in sessions()
        ],
        "remembered": [
            {"what": what, "key": named(key), "value": value, "user_id": user_id}
            for what, key, value, user_id in remembered()
        ],
        "clients": [
            {"address": address, "user_agent": agent, "id": identifier}
            for address, agent, identifier in clients()
        ],
    },
    sys.stdout,
    indent=1,
)
print()
