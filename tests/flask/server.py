"""A Flask application with Flask-Login, as its documentation writes one: server.py PORT SECRET [FALLBACK]"""

import sys
from datetime import timedelta

from flask import Flask, request, session
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_fresh,
    login_required,
    login_user,
    logout_user,
)

port, secret, *fallbacks = sys.argv[1:]

app = Flask(__name__)
app.config["SECRET_KEY"] = secret
app.config["SECRET_KEY_FALLBACKS"] = fallbacks or None
login_manager = LoginManager(app)


class User(UserMixin):
    def __init__(self, id):
        self.id = id


@login_manager.user_loader
def load_user(user_id):
    return User(user_id)


@app.post("/login")
def login():
    if "permanent" in request.form:
        session.permanent = True
    session["cart"] = ["apple", ("pear", 2)]
    duration = timedelta(days=30) if "remember" in request.form else None
    login_user(User(request.form["user"]), remember="remember" in request.form, duration=duration)
    return "logged in"


@app.post("/logout")
@login_required
def logout():
    logout_user()
    return "logged out"


@app.get("/me")
def me():
    return current_user.get_id() or "anonymous"


@app.get("/status")
def status():
    return f"fresh={login_fresh()}"


app.run(host="127.0.0.1", port=int(port))
