"""Serves HTTP on the sockets it is given (sd_listen_fds(3)), with the standard library only."""

import os
import selectors
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIRST_FD = 3
RELEASE = open("release.txt").read().strip() if os.path.exists("release.txt") else os.environ.get("RELEASE", "none")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One write per response: two would wait for the client's delayed ACK.
    wbufsize = -1

    def answer(self, body):
        self.send_response(200)
        self.send_header("x-request-id", self.headers.get("x-request-id", ""))
        self.send_header("x-pid", str(os.getpid()))
        self.send_header("x-release", RELEASE)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer((self.headers.get("x-request-id", "") + "\n").encode())

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass


def server_on(listener):
    """A server on an inherited listener. Accepted sockets block, whatever the listener does."""
    server = ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = "localhost", 0
    # A sibling may take a connection first: then there is nothing to handle, and no waiting for the next one.
    server.timeout = 0
    return server


def inherited():
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        sys.exit("LISTEN_PID is not this process: start it with its sockets (systemd.socket(5))")
    return [socket.socket(fileno=FIRST_FD + n) for n in range(int(os.environ.get("LISTEN_FDS", "0")))]


def main():
    selector = selectors.DefaultSelector()
    for listener in inherited():
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, server_on(listener))
    if not selector.get_map():
        sys.exit("no sockets inherited")
    print("serving", len(selector.get_map()), "sockets", flush=True)
    while True:
        for key, _ in selector.select():
            key.data.handle_request()


if __name__ == "__main__":
    main()
