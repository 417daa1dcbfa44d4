"""The applications of flask.rs: `server.py plain|login PORT`."""

import logging
import os
import sys

from flask import Flask
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from waitress import serve

ALICE = int(os.environ["ALICE"])
NAME = os.environ["NAME"]


class User(UserMixin):
    def __init__(self, id):
        self.id = id
        self.name = NAME


def plain():
    app = Flask(__name__)

    @app.get("/page")
    def page():
        return NAME

    return app


def login():
    app = Flask(__name__)
    app.secret_key = os.environ["SECRET"]
    manager = LoginManager(app)
    users = {id: User(id) for id in range(1, 1001)}

    @manager.user_loader
    def load_user(id):
        return users.get(int(id))

    @app.post("/login")
    def log_in():
        login_user(users[ALICE])
        return ""

    @app.get("/page")
    @login_required
    def page():
        return current_user.name

    return app


# waitress warns when all connections of a turn ask at once.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
application = {"plain": plain, "login": login}[sys.argv[1]]()
serve(application, host="127.0.0.1", port=int(sys.argv[2]), threads=1)
